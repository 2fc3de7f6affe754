//! Measures what a driver's calls feel of adversaries in the same operator: their times alone and under
//! attack, the memory of the process, and how late calls are cut. Prints figures beside the targets and
//! judges nothing; that every adversary is contained is up to the tests.
//!
//! `cargo run --release --example neighbour` on a quiet machine. Simulated: the cloud, a server on the
//! loopback interface that takes 50 ms to answer.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "a measurement: it may fail by panic, as the parts of the tests that it uses do"
)]

#[expect(dead_code, reason = "made for tests, which use more of it")]
#[path = "../tests/runtime/hostile.rs"]
mod hostile;
#[expect(dead_code, reason = "made for tests, which use more of it")]
#[path = "../tests/runtime/support.rs"]
mod support;

use hostile::Hostile;
use kompox_core::driver::{Call, Driver as _, Facts};
use kompox_driver_runtime::{LoadedDriver, Runtime};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use support::{Server, call, guest, local_grant, options};

/// Calls of the neighbour for each figure.
const CALLS: usize = 50;
/// What a call of an adversary may take.
const DEADLINE: Duration = Duration::from_millis(300);
/// From one attack of an adversary to the next: a tenth of the operator's shortest pause after a failure.
const PAUSE: Duration = Duration::from_millis(100);
const ACCOUNT: &str = "kompox:driver/identity@0.1.0#get-account";
const DETECT: &str = "kompox:driver/identity@0.1.0#detect";

/// A component and the call that it attacks with.
struct Adversary {
    name: &'static str,
    driver: Arc<LoadedDriver>,
    call: Call,
    detects: bool,
}

impl Adversary {
    async fn attack(&self) -> Duration {
        let started = Instant::now();
        let _ = match self.detects {
            true => self.driver.detect(&self.call, &Facts::default()).await.map(drop),
            false => self.driver.get_account(&self.call).await.map(drop),
        };
        started.elapsed()
    }
}

/// Components written by hand.
fn hostile() -> Vec<(&'static str, Hostile)> {
    let of = |body: &str| Hostile::default().body(ACCOUNT, body);
    vec![
        ("W01 endless loop", of("(loop br 0) i32.const 0")),
        ("W03 host calls", of("(loop call $monotonic-clock.now drop br 0) i32.const 0")),
        (
            "W04 endless post-return",
            of("i32.const 8192").body(&format!("cabi_post_{ACCOUNT}"), "(loop br 0)"),
        ),
        ("W05 memory", of("(loop i32.const 16 memory.grow i32.const -1 i32.ne br_if 0) unreachable")),
        (
            "W07 table",
            of("(loop ref.null func i32.const 1000 table.grow $t i32.const -1 i32.ne br_if 0) unreachable")
                .field("(table $t 1 funcref)"),
        ),
        (
            "W08 touching memory",
            of("(loop i32.const 4096 i32.const 1 i32.const 4000000 memory.fill br 0) i32.const 0"),
        ),
        ("W12 answers that grow", Hostile::default().body(DETECT, AMPLIFYING)),
        ("W15 handles", of("(loop call $types.-constructor-fields drop br 0) unreachable")),
        ("W16 forged handle", of("i32.const 7 call $types.-resource-drop-fields i32.const 8192")),
    ]
}

/// A thousand items that all name the same megabyte.
const AMPLIFYING: &str = "(local i32)
    (loop
      local.get 10 i32.const 28 i32.mul i32.const 65536 i32.add i32.const 3000000 i32.store
      local.get 10 i32.const 28 i32.mul i32.const 65536 i32.add i32.const 1000000 i32.store offset=4
      local.get 10 i32.const 28 i32.mul i32.const 65536 i32.add i32.const 3000000 i32.store offset=12
      local.get 10 i32.const 28 i32.mul i32.const 65536 i32.add i32.const 1000000 i32.store offset=16
      local.get 10 i32.const 1 i32.add local.tee 10 i32.const 1000 i32.lt_u br_if 0)
    i32.const 8192 i32.const 65536 i32.store i32.const 8192 i32.const 1000 i32.store offset=4 i32.const 8192";

/// What an ordinary guest can do wrong: name, behaviour, path at the server.
const BEHAVIOURS: [(&str, &str, &str); 9] = [
    ("W05 allocations", "grow", "/"),
    ("W09 recursion", "recurse", "/"),
    ("W11 huge answer", "huge-answer", "/"),
    ("W18 endless body", "post", "/endless"),
    ("W18 dripping body", "post", "/drip"),
    ("W18 unread bodies", "abandon", "/endless"),
    ("W23 log flood", "log-flood", "/"),
    ("W24 long messages", "inject-long", "/"),
    ("W28 panics", "panic", "/"),
];

async fn adversaries(runtime: &Runtime, server: &Server) -> Vec<Adversary> {
    let hurried = |call: Call| Call { timeout: DEADLINE, ..call };
    let mut all = Vec::new();
    for (name, hostile) in hostile() {
        let driver = runtime.load(hostile.component()).await.unwrap();
        all.push(Adversary {
            name,
            driver,
            call: hurried(call("open", &[])),
            detects: name.starts_with("W12"),
        });
    }
    for (name, behaviour, path) in BEHAVIOURS {
        // Of the bytes, not of the neighbour: an adversary is a driver of its own.
        let driver = runtime.load(guest("behaviours")).await.unwrap();
        all.push(Adversary {
            name,
            driver,
            call: hurried(server.call("open", behaviour, path)),
            detects: false,
        });
    }
    all
}

/// The neighbour's times, sorted. Every call must succeed.
async fn served(neighbour: &LoadedDriver, call: &Call) -> Vec<Duration> {
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let started = Instant::now();
        neighbour.get_account(call).await.expect("the neighbour is served");
        times.push(started.elapsed());
    }
    times.sort();
    times
}

fn p99(times: &[Duration]) -> Duration {
    times[times.len() * 99 / 100]
}

/// The neighbour's times while each of `attackers` attacks again and again, and how long the longest attack
/// took.
async fn under_attack(
    neighbour: &LoadedDriver,
    call: &Call,
    attackers: &[Arc<Adversary>],
) -> (Vec<Duration>, Duration) {
    let stop = Arc::new(AtomicBool::new(false));
    let attacks: Vec<_> = attackers
        .iter()
        .map(|adversary| {
            let (adversary, stop) = (Arc::clone(adversary), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut longest = Duration::ZERO;
                while !stop.load(Ordering::Relaxed) {
                    longest = longest.max(adversary.attack().await);
                    tokio::time::sleep(PAUSE).await;
                }
                longest
            })
        })
        .collect();
    let times = served(neighbour, call).await;
    stop.store(true, Ordering::Relaxed);
    let mut longest = Duration::ZERO;
    for attack in attacks {
        longest = longest.max(attack.await.expect("no attack takes the process down"));
    }
    (times, longest)
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn show(name: &str, times: &[Duration], alone: Duration, longest: Duration) {
    let ratio = p99(times).as_secs_f64() / alone.as_secs_f64();
    let late = longest.as_secs_f64() / DEADLINE.as_secs_f64();
    println!(
        "{name:<24} p50 {:>9.2?}  p99 {:>9.2?}  {ratio:>5.2}x of alone  longest attack {late:.2}x of its deadline  RSS {} MiB",
        times[times.len() / 2],
        p99(times),
        resident()
    );
}

#[tokio::main]
async fn main() {
    println!(
        "simulated: the cloud, which answers after 50 ms; targets: p99 <= 1.20x, RSS growth <= 64 MiB, cut <= 2x"
    );
    let runtime = Runtime::new(options(local_grant())).unwrap();
    let server = Server::start().await;
    let neighbour = runtime.load(guest("behaviours")).await.unwrap();
    let call = server.call("open", "post", "/slow");
    let all: Vec<Arc<Adversary>> = adversaries(&runtime, &server).await.into_iter().map(Arc::new).collect();
    served(&neighbour, &call).await;
    let alone = served(&neighbour, &call).await;
    let before = resident();
    show("alone", &alone, p99(&alone), Duration::ZERO);
    for adversary in &all {
        let (times, longest) = under_attack(&neighbour, &call, std::slice::from_ref(adversary)).await;
        show(adversary.name, &times, p99(&alone), longest);
    }
    let (times, longest) = under_attack(&neighbour, &call, &all).await;
    show("all at once", &times, p99(&alone), longest);
    println!(
        "RSS growth: {} MiB; {} calls of the neighbour, all served",
        resident().saturating_sub(before),
        CALLS * (all.len() + 3)
    );
}
