//! The request to stop, as every task sees it. Who asks, and how long is waited, is decided in `run`.

use std::future::Future;
use tokio::sync::watch;

/// Sees the request to stop.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

/// Asks every [`Shutdown`] of its pair to stop, also by being dropped.
#[derive(Debug)]
pub struct Stop(watch::Sender<bool>);

/// A pair: one that asks and one, to be cloned, that sees.
#[must_use]
pub fn channel() -> (Stop, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (Stop(sender), Shutdown(receiver))
}

impl Stop {
    /// Asks to stop.
    pub fn now(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Ends when stopping was asked for.
    pub fn requested(&self) -> impl Future<Output = ()> + Send + Sync + use<> {
        let mut receiver = self.0.clone();
        async move {
            // An error means that the asking side is gone: nobody is left to work for.
            let _ = receiver.wait_for(|stop| *stop).await;
        }
    }
}
