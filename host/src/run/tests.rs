//! Ends, asked for and not.

use super::*;
use crate::testing::{self, Answer};

fn parts(controllers: Vec<Controller>) -> Parts {
    let (client, _) = testing::client(|_| Answer::Never);
    let (_, publisher) = events::channel(client, Arc::default(), "pod-1", Timestamp::now);
    Parts::start(controllers, publisher)
}

#[tokio::test]
async fn a_controller_that_ends_or_panics_unasked_is_an_error() {
    let mut ended = parts(vec![("disk", Box::pin(async {}))]);
    assert!(matches!(ended.ended().await, Error::Ended { part: "disk" }));
    let mut panicked = parts(vec![("disk", Box::pin(async { panic!("of the test") }))]);
    assert!(matches!(panicked.ended().await, Error::Panicked { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_what_runs_but_not_for_ever() {
    for (work, least, most) in [(Some(3), 3, 4), (None, 25, 26)] {
        let (stop, shutdown) = shutdown::channel();
        let controller = async move {
            shutdown.requested().await;
            match work {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => future::pending().await,
            }
        };
        let started = Instant::now();
        parts(vec![("disk", Box::pin(controller))]).drain(&stop).await;
        let took = started.elapsed().as_secs();
        assert!((least..=most).contains(&took), "{took} s");
    }
}
