//! The service as its users meet it: over HTTP, as a process that is killed, and with an image that is mounted.

#![expect(clippy::unwrap_used, reason = "a test binary: its helpers may fail by panic as its tests do")]

mod interface;
mod killed;
mod mounted;

use kompox_devcloud::api::{NewVolume, Volume, VolumeState};
use kompox_devcloud::client::Client;
use std::future::Future;
use std::time::{Duration, Instant};

const TOKEN: &str = "test-token-0123456789";
const MIB: u64 = 1 << 20;

fn request(name: &str) -> NewVolume {
    NewVolume {
        name: name.into(),
        client_token: format!("token-{name}"),
        size_bytes: Some(64 * MIB),
        ..NewVolume::default()
    }
}

/// Asks until there is an answer, within a bound.
async fn wait<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn available(client: &Client, id: &str) -> Volume {
    wait("an available volume", || async {
        let volume = client.volume(id).await.unwrap();
        assert_ne!(volume.state, VolumeState::Failed, "{volume:?}");
        (volume.state == VolumeState::Available).then_some(volume)
    })
    .await
}
