//! Components made to break out, to exhaust the host or to deceive it. Each is contained with a reason of its own
//! while a neighbour is served. What ordinary guests do wrong is in `containment`, what they try over HTTP in
//! `egress`; `adversaries/table.rs` tells where each of the 32 of the threat table is met.

mod http;
mod secrets;
mod table;
mod text;

use crate::{
    hostile::Hostile,
    support::{behaving, call, driver, request},
};
use kompox_core::driver::{Driver as _, DriverError, ErrorCode, Facts, VolumeRequest};
use kompox_driver_runtime::{ComponentCache, LoadError, LoadedDriver, Runtime, RuntimeOptions};
use std::{sync::Arc, time::Duration};

const ACCOUNT: &str = "kompox:driver/identity@0.1.0#get-account";
const DETECT: &str = "kompox:driver/identity@0.1.0#detect";
/// How long a call of an adversary may take.
const TIMEOUT: Duration = Duration::from_millis(500);

async fn load(hostile: &Hostile) -> Result<Arc<LoadedDriver>, LoadError> {
    let options = RuntimeOptions { cache: ComponentCache::Disabled, ..RuntimeOptions::default() };
    Runtime::new(options).unwrap().load(hostile.component()).await
}

/// What the host says of a call to `get-account`, while a neighbour is served.
async fn attacked(hostile: Hostile) -> DriverError {
    let adversary = load(&hostile).await.unwrap();
    let mut attack = call("open", &[]);
    attack.timeout = TIMEOUT;
    let neighbour = driver().await;
    let (answer, ()) = tokio::join!(adversary.get_account(&attack), async {
        for _ in 0..10 {
            neighbour.plan(&behaving("quiet"), &request()).await.unwrap();
        }
    });
    answer.unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_code_is_cut_wherever_it_hides() {
    let endless = "(loop br 0)";
    let host_calls = "(loop call $monotonic-clock.now drop br 0)";
    let fill = "(loop i32.const 4096 i32.const 1 i32.const 4000000 memory.fill br 0)";
    for (place, hostile) in [
        ("in the call", Hostile::default().body(ACCOUNT, &format!("{endless} i32.const 0"))),
        ("in calls of the host", Hostile::default().body(ACCOUNT, &format!("{host_calls} i32.const 0"))),
        ("in bulk memory", Hostile::default().body(ACCOUNT, &format!("{fill} i32.const 0"))),
        (
            "in the destructor of the answer",
            Hostile::default().body(ACCOUNT, "i32.const 8192").body(&format!("cabi_post_{ACCOUNT}"), endless),
        ),
        (
            "in the allocator",
            Hostile::default()
                .body(
                    ACCOUNT,
                    "i32.const 1000 call $wall-clock.now i32.const 65536 call $call.context i32.const 0",
                )
                .body("cabi_realloc", &format!("{endless} i32.const 0")),
        ),
    ] {
        let error = attacked(hostile).await;
        assert_eq!(
            (error.code, error.reason.as_str()),
            (ErrorCode::DeadlineExceeded, "DriverDeadlineExceeded"),
            "{place}: {error}"
        );
    }
}

#[tokio::test]
async fn an_initialiser_that_never_ends_is_cut_at_load() {
    let options = RuntimeOptions {
        cache: ComponentCache::Disabled,
        limits: kompox_driver_runtime::Limits { describe_timeout: TIMEOUT, ..Default::default() },
        ..RuntimeOptions::default()
    };
    let hostile = Hostile::default().body("_initialize", "(loop br 0)");
    let error = Runtime::new(options).unwrap().load(hostile.component()).await.err().unwrap();
    assert!(error.to_string().contains("describe"), "{error}");
}

#[tokio::test]
async fn what_no_call_could_have_is_refused_at_load() {
    for (wanted, reason, hostile) in [
        (
            "4 GiB of memory",
            "memory has a minimum byte size",
            Hostile::default().memory("(memory (;0;) 65536)"),
        ),
        ("many memories", "memories", Hostile::default().field(&"(memory 1)".repeat(90))),
        (
            "a function that would take minutes to compile",
            "a function longer than 524288 bytes",
            Hostile::default().field(&format!("(func {})", "(block)".repeat(1_000_000))),
        ),
        (
            "more functions than a driver has",
            "more than 65536 functions",
            Hostile::default().field(&"(func)".repeat(100_000)),
        ),
        ("a huge table", "table", Hostile::default().field("(table 100000000 funcref)")),
        ("an interface nobody knows", "hostile:driver/keys", Hostile::default().import("keys")),
    ] {
        let error = load(&hostile).await.err().unwrap_or_else(|| panic!("{wanted} is granted"));
        assert!(error.to_string().contains(reason), "{wanted}: {error}");
    }
}

/// Guests of some languages import all of WASI: they are told apart, and get nothing.
#[tokio::test]
async fn files_and_the_environment_are_imported_in_vain() {
    let adversary = load(&Hostile::default().import("wasi:cli/environment@0.2.12")).await.unwrap();
    let restricted = adversary.restricted_imports();
    assert!(restricted.iter().any(|import| import.starts_with("wasi:cli/environment")), "{restricted:?}");
}

/// A caller that goes away in the middle of a call leaves nothing behind: more calls are dropped than may run at
/// once, and the next one is served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_calls_give_their_instances_back() {
    let adversary = load(&Hostile::default().body(ACCOUNT, "(loop br 0) i32.const 0")).await.unwrap();
    let attack = call("open", &[]);
    for _ in 0..300 {
        let dropped = tokio::time::timeout(Duration::from_millis(1), adversary.get_account(&attack)).await;
        assert!(dropped.is_err(), "{dropped:?}");
    }
    let facts = Facts::default();
    // A trap at once, and no waiting for a place.
    let error = adversary.detect(&attack, &facts).await.unwrap_err();
    assert_eq!(error.reason, "DriverTrapped", "{error}");
}

#[tokio::test]
async fn growth_ends_at_its_bound() {
    // The answer -1 tells the guest that it has reached the bound; it traps then.
    let memory = "(loop i32.const 16 memory.grow i32.const -1 i32.ne br_if 0) unreachable";
    let table = "(loop ref.null func i32.const 1000 table.grow $t i32.const -1 i32.ne br_if 0) unreachable";
    let handles = "(loop call $types.-constructor-fields drop br 0) unreachable";
    for (what, why, hostile) in [
        ("memory", "unreachable", Hostile::default().body(ACCOUNT, memory)),
        ("table", "unreachable", Hostile::default().field("(table $t 1 funcref)").body(ACCOUNT, table)),
        ("handles that are never given back", "no free keys", Hostile::default().body(ACCOUNT, handles)),
    ] {
        let error = attacked(hostile).await;
        assert_eq!(
            (error.code, error.reason.as_str()),
            (ErrorCode::Internal, "DriverTrapped"),
            "{what}: {error}"
        );
        assert!(error.message.contains(why), "{what}: {error}");
    }
}

#[tokio::test]
async fn answers_that_are_no_answers_are_refused() {
    // result::ok, then the option `id`: its pointer and length at 8 and 12.
    let account = |at: usize, bytes: &str| {
        Hostile::default()
            .body(ACCOUNT, "i32.const 8192")
            .field(&format!("(data (i32.const {at}) \"{bytes}\")"))
    };
    for (what, why, hostile) in [
        ("a gibibyte of text", "out of bounds of memory", account(8196, r"\01\00\00\00\00\00\00\00\00\00\00\40")),
        ("text that is not UTF-8", "invalid utf-8", account(8196, r"\01\00\00\00\00\21\00\00\02\00\00\00").field(r#"(data (i32.const 8448) "\ff\fe")"#)),
        ("a case that does not exist", "discriminant", account(8192, r"\07")),
        ("an answer that is not aligned", "not aligned", Hostile::default().body(ACCOUNT, "i32.const 8193")),
        ("an answer outside of the memory", "out of bounds of memory", Hostile::default().body(ACCOUNT, "i32.const -16")),
        ("a handle of somebody else", "unknown handle index 7", Hostile::default().body(ACCOUNT, "i32.const 7 call $types.-resource-drop-fields i32.const 8192")),
        (
            "a handle given back twice", "unknown handle index 1",
            Hostile::default().body(
                ACCOUNT,
                "call $types.-constructor-fields call $types.-resource-drop-fields i32.const 1 call $types.-resource-drop-fields i32.const 8192",
            ),
        ),
        (
            "a call of the host from within one", "cannot leave component instance",
            Hostile::default()
                .body(ACCOUNT, "i32.const 65000 call $call.context i32.const 8192")
                .body("cabi_realloc", "call $monotonic-clock.now drop i32.const 70000"),
        ),
    ] {
        let error = attacked(hostile).await;
        assert_eq!((error.code, error.reason.as_str()), (ErrorCode::Internal, "DriverTrapped"), "{what}: {error}");
        assert!(error.message.contains(why), "{what}: {error}");
    }
}

/// A list whose items all name the same megabyte: small in the guest, without bound in the host.
#[tokio::test]
async fn a_list_is_not_copied_without_bound() {
    let item = "local.get 10 i32.const 28 i32.mul i32.const 65536 i32.add";
    let body = format!(
        "(local i32)
        (loop
          {item} i32.const 3000000 i32.store
          {item} i32.const 1000000 i32.store offset=4
          {item} i32.const 3000000 i32.store offset=12
          {item} i32.const 1000000 i32.store offset=16
          local.get 10 i32.const 1 i32.add local.tee 10 i32.const 1000 i32.lt_u br_if 0)
        i32.const 8192 i32.const 65536 i32.store
        i32.const 8192 i32.const 1000 i32.store offset=4
        i32.const 8192"
    );
    let adversary = load(&Hostile::default().body(DETECT, &body)).await.unwrap();
    let error = adversary.detect(&call("open", &[]), &Facts::default()).await.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (ErrorCode::Internal, "DriverTrapped"), "{error}");
    assert!(error.message.contains("fuel"), "{error}");
}

/// What a call leaves in the guest's memory is not there in the next.
#[tokio::test]
async fn nothing_is_left_for_the_next_call() {
    let body = "i32.const 8448 i32.const 8448 i32.load8_u i32.const 1 i32.add i32.store8 i32.const 8192";
    let hostile = Hostile::default().body(ACCOUNT, body).field(
        r#"(data (i32.const 8196) "\01\00\00\00\00\21\00\00\01\00\00\00") (data (i32.const 8448) "0")"#,
    );
    let adversary = load(&hostile).await.unwrap();
    for _ in 0..3 {
        let account = adversary.get_account(&call("open", &[])).await.unwrap();
        assert_eq!(account.id.as_deref(), Some("1"));
    }
}

/// Much code is compiled in bounded time, or refused; the neighbour's calls go on meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compiling_holds_nobody_up() {
    let blocks = format!("(func {} {})", "(block ".repeat(2_000), ")".repeat(2_000));
    let many = "(func (param i32) (result i32) local.get 0 i32.const 7 i32.mul)".repeat(2_000);
    for hostile in [Hostile::default().field(&blocks), Hostile::default().field(&many)] {
        let neighbour = driver().await;
        let (_, served) = tokio::join!(load(&hostile), async {
            for _ in 0..20 {
                neighbour.plan(&behaving("quiet"), &request()).await.unwrap();
            }
            true
        });
        assert!(served);
    }
}

/// What the decision makes of it is in the tests of `kompox-core`; here the component really says it.
#[tokio::test]
async fn a_foreign_volume_is_told_from_the_disks_own() {
    let liar = driver().await;
    let request = VolumeRequest { handle: "vol-1".to_owned(), ..VolumeRequest::default() };
    for (says, expected) in [("vol-of-somebody", Some("VolumeMismatch")), ("vol-1", None)] {
        let call = call("open", &[("behaviour", "name-volume"), ("says", says)]);
        let described = liar.volume_for(&call, &request).await.unwrap();
        let problem = kompox_core::disk::volume_source(&request.handle, &described).err();
        assert_eq!(problem.map(|problem| problem.reason.as_str()), expected, "{says}");
    }
}
