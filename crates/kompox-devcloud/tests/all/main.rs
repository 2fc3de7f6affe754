//! The service as its users meet it: over HTTP, as a process that is killed, and with an image that is mounted.

#![expect(clippy::unwrap_used, reason = "a test binary: its helpers may fail by panic as its tests do")]

mod interface;
mod killed;
mod mounted;

use kompox_devcloud::api::{NewSnapshot, NewVolume, Snapshot, SnapshotState, Volume, VolumeState};
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

/// Takes a snapshot and waits until it is ready.
async fn snapshot(client: &Client, volume: &str) -> Snapshot {
    let request = NewSnapshot {
        name: "s".into(),
        client_token: "s".into(),
        volume: volume.into(),
        ..NewSnapshot::default()
    };
    let id = client.create_snapshot(&request).await.unwrap().id;
    wait("a snapshot", || async {
        let snapshot = client.snapshot(&id).await.unwrap();
        assert_ne!(snapshot.state, SnapshotState::Failed, "{snapshot:?}");
        (snapshot.state == SnapshotState::Ready).then_some(snapshot)
    })
    .await
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
