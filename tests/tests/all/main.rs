//! Every test that needs a control plane, a component or a cloud double, in one binary: they share one
//! control plane and one AWS double, and isolate themselves by namespace.

mod apps;
mod artifacts;
mod component;
mod conversion;
mod demo;
mod devcloud;
mod disks;
mod drivers;
mod gitea;
mod proxies;
mod referrers;
mod registries;
mod registry_sources;
mod reload;
mod rules;
mod sigstore;
mod tokens;
mod trouble;

use kompox_devcluster::Reporter;
use kompox_tests::stage::Stage;
use libtest_mimic::{Arguments, Failed, Trial};
use std::{future::Future, pin::Pin, process::ExitCode, sync::Arc};
use tokio::runtime::Runtime;

type Test = for<'a> fn(&'a Stage) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;

/// Names tests after their functions.
macro_rules! tests {
    ($($module:ident: $($test:ident)+;)+) => {
        [$($({
            fn run(stage: &Stage) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + '_>> {
                Box::pin($module::$test(stage))
            }
            (concat!(stringify!($module), "::", stringify!($test)), run as Test)
        },)+)+]
    };
}

/// Every test, by module.
fn all() -> Vec<(&'static str, Test)> {
    tests! {
        rules: cel_and_defaults subresources_and_columns;
        component: makes_a_disk_once_although_the_answer_was_lost leaves_a_disk_of_another_owner_alone
            restores_into_another_zone refuses_to_delete_what_is_attached grows_a_disk waits_when_throttled
            takes_a_refusal_for_no_proof_of_absence pages_through_many;
        devcloud: makes_a_disk_once_although_the_answer_was_lost leaves_a_disk_of_another_owner_alone
            restores_the_bytes_into_another_zone refuses_to_delete_what_is_attached grows_a_disk
            waits_when_throttled waits_while_a_disk_is_being_made pages_through_many
            knows_whose_account_it_is comes_in_a_config_map_and_serves_disks;
        disks: made_and_left made_and_deleted killed_in_the_middle_of_a_creation adopted
            gone_with_their_namespace;
        drivers: brought_in_a_config_map_broken_removed_and_restored what_cannot_be_used_says_why
            an_endpoint_of_a_private_authority_needs_its_certificate the_command_line_knows_them
            installed_needed_and_uninstalled found_by_what_the_cluster_is;
        artifacts: pushed_signed_verified_and_pulled saved_and_loaded_with_their_signatures
            what_a_registry_refuses_says_what_to_do;
        reload: no_call_fails_while_a_config_map_changes built_in_drivers_follow_their_files;
        conversion: what_the_cases_give_is_taken what_real_files_give_is_taken
            real_files_find_their_place real_files_become_ready;
        apps: an_external_secret_wakes_its_app;
        demo: tells_its_story_on_what_this_machine_can tells_its_story_with_simulated_pods;
        registries: passwords_are_asked_for_and_wrong_ones_told_from_missing_ones
            a_private_authority_is_trusted_where_it_is_named mirrors_come_first_and_are_passed_over
            a_tag_moves_and_a_digest_does_not bytes_that_were_changed_are_refused
            what_is_too_much_or_no_driver_is_not_taken what_was_pulled_needs_no_registry
            signatures_of_both_forms_are_found_and_kept;
        tokens: are_asked_for_with_what_is_to_be_done are_given_to_everybody_for_what_is_public
            are_exchanged_for_an_identity_token are_asked_for_again_when_they_have_expired
            never_cost_the_credentials_of_another_host;
        referrers: are_found_in_the_list_of_the_registry are_found_on_every_page
            are_found_behind_a_tag_where_there_is_no_list;
        proxies: lead_to_registries_unless_these_are_excepted that_bar_the_way_are_told_from_registries;
        registry_sources: pulled_verified_moved_and_started_without_the_registry what_a_registry_refuses_says_why
            goes_on_with_the_last_good_component_after_a_restart
            keyless_identities_are_verified_and_each_refusal_has_its_reason;
        gitea: from_compose_to_a_restored_disk;
        trouble: what_is_wrong_is_said_and_the_others_go_on the_cloud_goes_away_and_comes_back;
    }
    .into()
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::from_args();
    let runtime = Arc::new(Runtime::new()?);
    let stage = if arguments.list {
        None
    } else {
        eprintln!("starting the control plane ({})", kompox_devcluster::BANNER);
        let reporter = Reporter::new(|progress| eprintln!("  {progress}"));
        Some(Arc::new(runtime.block_on(Stage::start(reporter))?))
    };
    let trials = all()
        .into_iter()
        .map(|(name, test)| {
            let (runtime, stage) = (Arc::clone(&runtime), stage.clone());
            Trial::test(name, move || {
                let stage = stage.as_ref().ok_or("there is no stage")?;
                runtime.block_on(test(stage)).map_err(|error| Failed::from(format!("{error:?}")))
            })
        })
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(stage) = stage.and_then(Arc::into_inner) {
        runtime.block_on(stage.stop())?;
    }
    Ok(conclusion.exit_code())
}
