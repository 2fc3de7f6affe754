//! The 32 adversaries of the threat table, what contains each, and where that is tested.

use std::{collections::BTreeSet, fs, path::Path};

/// Files with tests, from the root of the repository.
const HERE: &str = "crates/kompox-driver-runtime/tests/runtime/adversaries.rs";
const TEXT: &str = "crates/kompox-driver-runtime/tests/runtime/adversaries/text.rs";
const HTTP: &str = "crates/kompox-driver-runtime/tests/runtime/adversaries/http.rs";
const SECRETS: &str = "crates/kompox-driver-runtime/tests/runtime/adversaries/secrets.rs";
const GUESTS: &str = "crates/kompox-driver-runtime/tests/runtime/containment.rs";
const EGRESS: &str = "crates/kompox-driver-runtime/tests/runtime/egress.rs";
const POLICY: &str = "crates/kompox-driver-runtime/src/egress/tests.rs";
const BOUNDS: &str = "crates/kompox-driver-runtime/src/bounds.rs";
const CLIENT: &str = "crates/kompox-driver-runtime/src/http/client.rs";
const REGISTRIES: &str = "tests/tests/all/registries.rs";
const SOURCES: &str = "tests/tests/all/registry_sources.rs";
const PACKAGE: &str = "crates/kompox-driver-runtime/src/package.rs";
const LIARS: &str = "crates/kompox-core/src/disk/tests/byzantine.rs";
const REMOVAL: &str = "crates/kompox-core/src/cloud/removal/tests.rs";
const CREATION: &str = "crates/kompox-core/src/cloud/creation/tests.rs";

/// An adversary: number, attack, containment reason, tests.
type Row = (u8, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const ROWS: [Row; 32] = [
    (
        1,
        "endless loop in a call",
        "DriverDeadlineExceeded",
        &[
            (HERE, "endless_code_is_cut_wherever_it_hides"),
            (GUESTS, "endless_guests_are_stopped_while_others_run"),
        ],
    ),
    (
        2,
        "endless loop in an initialiser",
        "refused at load",
        &[(HERE, "an_initialiser_that_never_ends_is_cut_at_load")],
    ),
    (
        3,
        "flood of cheap host calls",
        "DriverDeadlineExceeded",
        &[(HERE, "endless_code_is_cut_wherever_it_hides"), (GUESTS, "logs_are_bounded")],
    ),
    (
        4,
        "endless loop in post-return",
        "DriverDeadlineExceeded",
        &[(HERE, "endless_code_is_cut_wherever_it_hides")],
    ),
    (
        5,
        "memory.grow without end",
        "DriverTrapped",
        &[
            (HERE, "growth_ends_at_its_bound"),
            (BOUNDS, "all_memories_of_a_call_share_its_bound"),
            (GUESTS, "memory_and_stack_are_bounded"),
        ],
    ),
    (
        6,
        "4 GiB, many memories or tables from the start",
        "refused at load",
        &[(HERE, "what_no_call_could_have_is_refused_at_load")],
    ),
    (7, "table.grow without end", "DriverTrapped", &[(HERE, "growth_ends_at_its_bound")]),
    (
        8,
        "touching all memory again and again",
        "DriverDeadlineExceeded",
        &[(HERE, "endless_code_is_cut_wherever_it_hides")],
    ),
    (9, "recursion", "DriverTrapped", &[(GUESTS, "memory_and_stack_are_bounded")]),
    (
        10,
        "host calls from within a host call",
        "DriverTrapped",
        &[(HERE, "answers_that_are_no_answers_are_refused")],
    ),
    (
        11,
        "an answer of a gibibyte, a list of ten million",
        "DriverTrapped",
        &[
            (HERE, "answers_that_are_no_answers_are_refused"),
            (TEXT, "a_list_longer_than_the_memory_is_refused_unread"),
            (GUESTS, "answers_are_bounded"),
        ],
    ),
    (
        12,
        "a small list that is large when it is copied",
        "DriverTrapped",
        &[(HERE, "a_list_is_not_copied_without_bound")],
    ),
    (
        13,
        "malformed UTF-8 and UTF-16",
        "DriverTrapped",
        &[
            (HERE, "answers_that_are_no_answers_are_refused"),
            (TEXT, "text_of_other_encodings_is_checked_as_well"),
        ],
    ),
    (
        14,
        "bad discriminants, bad pointers of the allocator",
        "DriverTrapped",
        &[
            (HERE, "answers_that_are_no_answers_are_refused"),
            (TEXT, "an_allocator_that_gives_what_is_not_there_is_noticed"),
        ],
    ),
    (15, "handles that are never dropped", "DriverTrapped", &[(HERE, "growth_ends_at_its_bound")]),
    (
        16,
        "forged handles, handles dropped twice",
        "DriverTrapped",
        &[(HERE, "answers_that_are_no_answers_are_refused")],
    ),
    (
        17,
        "headers without bound",
        "DriverTrapped",
        &[
            (HTTP, "headers_are_bounded_before_they_are_kept"),
            (HTTP, "a_server_cannot_send_headers_without_bound"),
        ],
    ),
    (
        18,
        "answers that are not read, drip, or never end",
        "HttpResponseBodySize, DriverDeadlineExceeded",
        &[
            (HTTP, "answers_that_are_not_read_hold_nothing"),
            (HTTP, "bodies_that_never_end_are_cut"),
            (HTTP, "a_body_that_stalls_is_cut"),
        ],
    ),
    (
        19,
        "requests to where no driver may go",
        "AddressForbidden, EndpointNotDeclared",
        &[
            (HTTP, "no_disguise_of_an_address_leads_inside"),
            (POLICY, "requests_are_matched_to_endpoints"),
            (CLIENT, "only_vetted_addresses_are_connected_to"),
            (CLIENT, "numbers_that_resolve_are_vetted_too"),
            (EGRESS, "without_a_grant_the_same_request_is_refused"),
        ],
    ),
    (
        20,
        "ways around the list of hosts",
        "MalformedRequest, EndpointNotDeclared",
        &[
            (POLICY, "requests_are_matched_to_endpoints"),
            (POLICY, "tunnels_cannot_be_asked_for"),
            (HTTP, "headers_of_the_host_cannot_be_set"),
            (EGRESS, "redirects_are_not_followed"),
            (EGRESS, "the_host_signs_and_drops_what_the_guest_forged"),
        ],
    ),
    (
        21,
        "telling a secret",
        "redacted, EndpointNotDeclared",
        &[
            (SECRETS, "a_revealed_secret_gets_nowhere"),
            (SECRETS, "a_secret_does_not_become_a_tag"),
            (EGRESS, "a_secret_that_a_server_echoes_is_never_shown"),
        ],
    ),
    (
        22,
        "keeping something for another tenant's call",
        "fresh instance, private session",
        &[
            (HERE, "nothing_is_left_for_the_next_call"),
            (SECRETS, "nothing_is_kept_from_one_tenant_for_another"),
        ],
    ),
    (
        23,
        "forged and endless logs",
        "one line each, 200 records",
        &[(GUESTS, "neither_logs_nor_messages_can_be_forged"), (GUESTS, "logs_are_bounded")],
    ),
    (
        24,
        "forged and endless messages",
        "one line, 1024 characters",
        &[(SECRETS, "messages_are_short_and_plain"), (GUESTS, "neither_logs_nor_messages_can_be_forged")],
    ),
    (
        25,
        "handles of other tenants",
        "AlreadyClaimed, OwnerMismatch, VolumeMismatch",
        &[
            (LIARS, "another_tenants_handle_is_not_taken"),
            (LIARS, "a_handle_that_create_names_is_no_proof"),
            (LIARS, "a_foreign_disk_of_our_name_is_left_alone"),
            (HERE, "a_foreign_volume_is_told_from_the_disks_own"),
            (LIARS, "a_foreign_volume_of_our_disk_is_not_taken"),
            (LIARS, "what_a_driver_says_of_a_volume_stays_constant"),
            (REMOVAL, "a_disk_without_our_tags_is_left_alone"),
        ],
    ),
    (
        26,
        "\"deleted\" and \"not found\" that are not true",
        "the object stays, DiskLost",
        &[
            (LIARS, "a_deletion_that_did_not_happen_keeps_the_object"),
            (LIARS, "a_disk_that_is_said_to_be_gone_is_never_made_again"),
            (REMOVAL, "gone_only_when_proven_twice"),
        ],
    ),
    (
        27,
        "creates twice",
        "MultipleDisks",
        &[
            (LIARS, "duplicates_are_shown_to_a_person"),
            (CREATION, "whatever_happens_there_is_one_disk_and_never_two"),
        ],
    ),
    (
        28,
        "traps at any call",
        "DriverTrapped, one disk in the end",
        &[
            (LIARS, "a_driver_that_traps_at_any_call_leaves_one_disk"),
            (CREATION, "whatever_happens_there_is_one_disk_and_never_two"),
            (GUESTS, "a_panic_is_explained"),
        ],
    ),
    (
        29,
        "code that takes for ever to compile",
        "refused at load",
        &[(HERE, "what_no_call_could_have_is_refused_at_load"), (HERE, "compiling_holds_nobody_up")],
    ),
    (
        30,
        "imports that no driver should need",
        "refused at load, or empty",
        &[
            (HERE, "what_no_call_could_have_is_refused_at_load"),
            (HERE, "files_and_the_environment_are_imported_in_vain"),
        ],
    ),
    (
        31,
        "packages that are not what they say",
        "TooLarge, Broken, VerificationFailed",
        &[
            (PACKAGE, "a_bomb_is_not_unpacked"),
            (PACKAGE, "what_is_packed_otherwise_is_refused"),
            // What a registry can do is tested with a real one.
            (REGISTRIES, "a_tag_moves_and_a_digest_does_not"),
            (REGISTRIES, "bytes_that_were_changed_are_refused"),
            (REGISTRIES, "what_is_too_much_or_no_driver_is_not_taken"),
            (SOURCES, "pulled_verified_moved_and_started_without_the_registry"),
        ],
    ),
    (
        32,
        "never yields while its caller goes away",
        "the instance comes back",
        &[(HERE, "dropped_calls_give_their_instances_back")],
    ),
];

#[test]
fn every_adversary_is_met_by_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let numbers: BTreeSet<u8> = ROWS.iter().map(|row| row.0).collect();
    assert_eq!(numbers, (1..=32).collect());
    for (number, attack, reason, tests) in ROWS {
        assert!(!attack.is_empty() && !reason.is_empty() && !tests.is_empty(), "W{number:02}");
        for (file, test) in tests {
            let text = fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(text.contains(&format!("fn {test}(")), "W{number:02}: {file} has no test `{test}`");
        }
    }
}
