//! Tokens, errors and faults over HTTP, with the client and with bare requests.

use crate::{MIB, TOKEN, available, request, snapshot};
use kompox_devcloud::api::{Code, Fault, FaultKind, Filter, NewVolume, Source, VolumeState};
use kompox_devcloud::client::{Client, ClientError};
use kompox_devcloud::{Devcloud, Options, StartError, Tokens};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

const OTHER: &str = "other-token-0123456789";

async fn service(directory: &tempfile::TempDir) -> Devcloud {
    let tokens = Tokens::parse(&format!("me {TOKEN}\nyou {OTHER}")).unwrap();
    Devcloud::start(Options::new(directory.path(), tokens)).await.unwrap()
}

fn client(service: &Devcloud, token: &str) -> Client {
    Client::new(&service.url(), token.to_owned().into()).unwrap()
}

/// A request as bytes, and the answer as text; empty if the connection was closed.
async fn bare(service: &Devcloud, head: &str, body: &str) -> String {
    let address = service.url().trim_start_matches("http://").to_owned();
    let text =
        format!("{head}\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_says_what_this_is_and_no_token_no_answer() {
    let directory = tempfile::tempdir().unwrap();
    let service = service(&directory).await;
    let authorized = format!("\r\nauthorization: Bearer {TOKEN}");
    for (head, body, status, word) in [
        ("GET /healthz HTTP/1.1".to_owned(), "", "200", "\"development\""),
        ("GET /v1/volumes HTTP/1.1".to_owned(), "", "401", "unauthenticated"),
        ("GET /v1/nothing HTTP/1.1".to_owned(), "", "401", "unauthenticated"),
        (
            "GET /v1/volumes HTTP/1.1\r\nauthorization: Bearer wrong-token-0123456".to_owned(),
            "",
            "401",
            "unauthenticated",
        ),
        (format!("GET /v1/volumes HTTP/1.1{authorized}"), "", "200", "\"items\":[]"),
        (format!("GET /v1/nothing HTTP/1.1{authorized}"), "", "404", "not-found"),
        (format!("PUT /v1/volumes HTTP/1.1{authorized}"), "", "404", "not-found"),
        (format!("GET /v1/volumes?nam=x HTTP/1.1{authorized}"), "", "400", "invalid-argument"),
        (format!("POST /v1/volumes HTTP/1.1{authorized}"), "{\"name\": \"x\"", "400", "invalid-argument"),
        (
            format!("POST /v1/volumes HTTP/1.1{authorized}"),
            "{\"name\": \"x\", \"clientToken\": \"x\", \"colour\": 1}",
            "400",
            "colour",
        ),
    ] {
        let answer = bare(&service, &head, body).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {answer}");
        assert!(answer.contains("for development only") && answer.contains(word), "{head}: {answer}");
    }
    let long = "x".repeat(65 << 10);
    let answer = bare(&service, &format!("POST /v1/volumes HTTP/1.1{authorized}"), &long).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_do_not_see_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let service = service(&directory).await;
    let (me, you) = (client(&service, TOKEN), client(&service, OTHER));
    let volume = me.create_volume(&request("mine")).await.unwrap();
    assert_eq!(you.volume(&volume.id).await.unwrap_err().code(), Some(Code::NotFound));
    assert_eq!(you.delete_volume(&volume.id).await.unwrap_err().code(), Some(Code::NotFound));
    assert_eq!(you.volumes(&Filter::default()).await.unwrap().items, []);
    assert_eq!(
        (you.account().await.unwrap().id.as_str(), me.account().await.unwrap().used_bytes),
        ("you", 64 * MIB)
    );
    assert_eq!(me.volume("../snapshots").await.unwrap_err().code(), Some(Code::NotFound));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_token_after_a_lost_answer_makes_one_volume() {
    let directory = tempfile::tempdir().unwrap();
    let service = service(&directory).await;
    let client = client(&service, TOKEN);
    client.add_fault(&Fault::once(FaultKind::LostAnswer, "create-volume")).await.unwrap();
    let lost = client.create_volume(&request("one")).await.unwrap_err();
    assert!(matches!(lost, ClientError::Lost(_)), "{lost:?}");
    let made = client.volumes(&Filter::default()).await.unwrap().items;
    assert_eq!(made.len(), 1, "the effect was there before the answer was lost");
    assert_eq!(client.create_volume(&request("one")).await.unwrap().id, made[0].id);
    assert_eq!(client.volumes(&Filter::default()).await.unwrap().items.len(), 1);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_come_as_asked_for_and_then_end() {
    let directory = tempfile::tempdir().unwrap();
    let service = service(&directory).await;
    let client = client(&service, TOKEN);
    let throttled =
        Fault { count: 2, retry_after_seconds: Some(7), ..Fault::once(FaultKind::Throttled, "get-account") };
    client.add_fault(&throttled).await.unwrap();
    client.add_fault(&Fault { operation: None, ..Fault::once(FaultKind::Internal, "") }).await.unwrap();
    for _ in 0..2 {
        let refused = client.account().await.unwrap_err();
        let ClientError::Refused { code, retry_after, .. } = refused else { panic!("{refused:?}") };
        assert_eq!((code, retry_after), (Code::Throttled, Some(Duration::from_secs(7))));
    }
    assert_eq!(client.account().await.unwrap_err().code(), Some(Code::Internal));
    client.account().await.unwrap();
    let wait = Fault { milliseconds: Some(300), ..Fault::once(FaultKind::Delay, "get-account") };
    client.add_fault(&wait).await.unwrap();
    let asked = std::time::Instant::now();
    client.account().await.unwrap();
    assert!(asked.elapsed() >= Duration::from_millis(300), "it did not wait");
    client.add_fault(&Fault::once(FaultKind::Internal, "get-account")).await.unwrap();
    assert_eq!(client.faults().await.unwrap().items.len(), 1);
    client.clear_faults().await.unwrap();
    client.account().await.unwrap();
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_volume_is_being_created_until_its_time_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let service = service(&directory).await;
    let client = client(&service, TOKEN);
    let stuck = Fault { milliseconds: Some(400), ..Fault::once(FaultKind::Stuck, "create-volume") };
    client.add_fault(&stuck).await.unwrap();
    let volume = client.create_volume(&request("one")).await.unwrap();
    assert_eq!((volume.state, &volume.data), (VolumeState::Creating, &None));
    assert_eq!(client.attach(&volume.id, "n1").await.unwrap_err().code(), Some(Code::NotReady));
    assert_eq!(client.create_volume(&request("one")).await.unwrap().id, volume.id);
    let volume = available(&client, &volume.id).await;
    assert!(std::path::Path::new(&volume.data.unwrap().path).exists());
    let quick = client.create_volume(&request("two")).await.unwrap();
    assert_eq!(quick.state, VolumeState::Available, "without a fault an empty volume is there at once");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_goes_through_its_life() {
    let directory = tempfile::tempdir().unwrap();
    let service = service(&directory).await;
    let client = client(&service, TOKEN);
    let volume = client.create_volume(&request("one")).await.unwrap();
    client.attach(&volume.id, "n1").await.unwrap();
    assert_eq!(client.attach(&volume.id, "n2").await.unwrap_err().code(), Some(Code::InUse));
    let taken = snapshot(&client, &volume.id).await;
    assert!(taken.taken_at.is_some() && taken.consistency.is_some(), "{taken:?}");
    let of_volume = Filter { volume: Some(volume.id.clone()), ..Filter::default() };
    assert_eq!(client.snapshots(&of_volume).await.unwrap().items, std::slice::from_ref(&taken));
    let restored =
        NewVolume { size_bytes: None, source: Some(Source::Snapshot(taken.id.clone())), ..request("two") };
    let restored = available(&client, &client.create_volume(&restored).await.unwrap().id).await;
    assert_eq!(restored.size_bytes, volume.size_bytes);
    assert_eq!(client.delete_volume(&volume.id).await.unwrap_err().code(), Some(Code::InUse));
    client.detach(&volume.id, "n1").await.unwrap();
    for id in [&volume.id, &restored.id] {
        client.delete_volume(id).await.unwrap();
    }
    client.delete_snapshot(&taken.id).await.unwrap();
    assert_eq!(client.delete_snapshot(&taken.id).await.unwrap_err().code(), Some(Code::NotFound));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_has_one_service() {
    let directory = tempfile::tempdir().unwrap();
    let first = service(&directory).await;
    let tokens = || Tokens::single("me", TOKEN.into()).unwrap();
    let second = Devcloud::start(Options::new(directory.path(), tokens())).await;
    assert!(matches!(second, Err(StartError::Taken(_))), "{second:?}");
    first.stop().await;
    Devcloud::start(Options::new(directory.path(), tokens())).await.unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_not_there_is_unreachable_and_not_lost() {
    let directory = tempfile::tempdir().unwrap();
    let service = service(&directory).await;
    let client = client(&service, TOKEN);
    service.stop().await;
    let error = client.account().await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error:?}");
    assert!(!format!("{client:?}").contains(TOKEN));
}
