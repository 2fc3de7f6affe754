//! How many callers ask the provider, and when.

use super::*;
use crate::auth::testing::{Bench, Server, reply};
use secrecy::ExposeSecret as _;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::Semaphore;

/// Gives `token-1`, `token-2` and so on when the gate lets it through.
struct Counting {
    asked: Arc<AtomicU32>,
    gate: Arc<Semaphore>,
    failing: Arc<Mutex<Option<Failure>>>,
    lifetime: Duration,
}

impl Mint for Counting {
    fn mint<'a>(&'a self, _wire: &'a Wire<'a>) -> BoxFuture<'a, Result<Minted, Failure>> {
        Box::pin(async move {
            let count = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            self.gate.acquire().await.unwrap().forget();
            if let Some(failure) = self.failing.lock().unwrap().clone() {
                return Err(failure);
            }
            let credential = Credential::Token(format!("token-{count}").into());
            Ok(Minted { credential, lifetime: self.lifetime })
        })
    }
}

struct Fixture {
    bench: Arc<Bench>,
    minting: Arc<Minting>,
    asked: Arc<AtomicU32>,
    gate: Arc<Semaphore>,
    failing: Arc<Mutex<Option<Failure>>>,
    _server: Server,
}

impl Fixture {
    /// The gate lets `open` requests through.
    async fn new(open: usize) -> Self {
        let server = Server::start(|_| reply(500, "")).await;
        let bench = Arc::new(Bench::new("bearer", &[], &[("token", "unused")], &server));
        let (asked, gate, failing) = (Arc::default(), Arc::new(Semaphore::new(open)), Arc::default());
        let mint = Counting {
            asked: Arc::clone(&asked),
            gate: Arc::clone(&gate),
            failing: Arc::clone(&failing),
            lifetime: Duration::from_secs(3600),
        };
        let minting = Arc::new(Minting { slot: Slot::of_test(1), mint: Box::new(mint) });
        Self { bench, minting, asked, gate, failing, _server: server }
    }

    async fn get(&self) -> Result<String, Failure> {
        get(&self.bench, &self.minting).await
    }

    fn spawn(&self) -> tokio::task::JoinHandle<Result<String, Failure>> {
        let (bench, minting) = (Arc::clone(&self.bench), Arc::clone(&self.minting));
        tokio::spawn(async move { get(&bench, &minting).await })
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    async fn until_asked(&self, count: u32) {
        let reached = async {
            while self.asked() < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), reached).await.unwrap();
    }
}

async fn get(bench: &Bench, minting: &Minting) -> Result<String, Failure> {
    let credential = bench.tokens.get(minting, &bench.wire()).await?;
    let text = credential.secrets().next().map(|secret| secret.expose_secret().to_owned());
    Ok(text.unwrap())
}

#[tokio::test]
async fn of_many_callers_one_asks() {
    let fixture = Fixture::new(0).await;
    let callers: Vec<_> = (0..50).map(|_| fixture.spawn()).collect();
    fixture.until_asked(1).await;
    fixture.gate.add_permits(50);
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), "token-1");
    }
    assert_eq!(fixture.asked(), 1);
}

#[tokio::test]
async fn of_many_callers_one_fails_for_all_and_nobody_insists() {
    let fixture = Fixture::new(0).await;
    let failure = Failure::refused("no").after(Some(Duration::from_secs(20)));
    *fixture.failing.lock().unwrap() = Some(failure.clone());
    let callers: Vec<_> = (0..50).map(|_| fixture.spawn()).collect();
    fixture.until_asked(1).await;
    fixture.gate.add_permits(50);
    for caller in callers {
        assert_eq!(caller.await.unwrap(), Err(failure.clone()));
    }
    fixture.bench.advance(19);
    assert_eq!(fixture.get().await, Err(failure));
    assert_eq!(fixture.asked(), 1, "the provider wanted 20 seconds");
    fixture.bench.advance(2);
    *fixture.failing.lock().unwrap() = None;
    assert_eq!(fixture.get().await.unwrap(), "token-2");
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_its_turn() {
    let fixture = Fixture::new(0).await;
    let first = fixture.spawn();
    fixture.until_asked(1).await;
    let second = fixture.spawn();
    first.abort();
    fixture.until_asked(2).await;
    fixture.gate.add_permits(1);
    assert_eq!(second.await.unwrap().unwrap(), "token-2");
}

#[tokio::test]
async fn renewal_is_early_and_keeps_nobody_waiting() {
    let fixture = Fixture::new(1).await;
    assert_eq!(fixture.get().await.unwrap(), "token-1");
    fixture.bench.advance(3600 - 301);
    assert_eq!(fixture.get().await.unwrap(), "token-1");
    assert_eq!(fixture.asked(), 1);
    fixture.bench.advance(2);
    let renewing = fixture.spawn();
    fixture.until_asked(2).await;
    assert_eq!(fixture.get().await.unwrap(), "token-1", "another renews already");
    fixture.gate.add_permits(1);
    assert_eq!(renewing.await.unwrap().unwrap(), "token-2");
    assert_eq!(fixture.get().await.unwrap(), "token-2");
    assert_eq!(fixture.asked(), 2);
}

#[tokio::test]
async fn a_failed_renewal_spends_the_old_one_and_not_more() {
    let fixture = Fixture::new(10).await;
    assert_eq!(fixture.get().await.unwrap(), "token-1");
    *fixture.failing.lock().unwrap() = Some(Failure::unavailable("down"));
    fixture.bench.advance(3600 - 200);
    assert_eq!(fixture.get().await.unwrap(), "token-1");
    assert_eq!(fixture.get().await.unwrap(), "token-1");
    assert_eq!(fixture.asked(), 2, "not asked again at once");
    fixture.bench.advance(200 - 30);
    assert_eq!(fixture.get().await.unwrap_err().reason, "TokenEndpointUnavailable");
    *fixture.failing.lock().unwrap() = None;
    fixture.bench.advance(6);
    assert_eq!(fixture.get().await.unwrap(), "token-4");
}

#[tokio::test]
async fn a_rejected_credential_goes_unless_it_is_new() {
    let fixture = Fixture::new(10).await;
    let now = || fixture.bench.wire().now();
    fixture.get().await.unwrap();
    fixture.bench.tokens.reject(&fixture.minting, now());
    assert_eq!(fixture.get().await.unwrap(), "token-1", "another new one would be rejected too");
    fixture.bench.advance(61);
    fixture.bench.tokens.reject(&fixture.minting, now());
    assert_eq!(fixture.get().await.unwrap(), "token-2");
}

#[test]
fn the_one_used_longest_ago_makes_room() {
    let tokens = Tokens::default();
    let slots = u32::try_from(SLOTS).unwrap();
    let first = tokens.cell(Slot::of_test(0));
    let second = tokens.cell(Slot::of_test(1));
    for number in 2..slots {
        tokens.cell(Slot::of_test(number));
    }
    assert!(Arc::ptr_eq(&first, &tokens.cell(Slot::of_test(0))));
    tokens.cell(Slot::of_test(slots));
    assert_eq!(tokens.len(), SLOTS);
    assert!(Arc::ptr_eq(&first, &tokens.cell(Slot::of_test(0))), "it was used a moment ago");
    assert!(!Arc::ptr_eq(&second, &tokens.cell(Slot::of_test(1))), "nobody had used it since");
}
