//! Tests of the proxy against the real moto.

use super::{Fault, Proxy};
use crate::cloud::{Moto, moto, wire};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use std::net::SocketAddr;

/// A moto that lets unsigned calls in, and the proxy.
async fn start() -> (Moto, Proxy) {
    let moto = Moto::start(&moto::venv().unwrap()).await.unwrap();
    let open = Request::post("/moto-api/reset-auth").body(Full::new(Bytes::from("100000"))).unwrap();
    wire::send(moto.address(), open).await.unwrap();
    let proxy = Proxy::start(moto.address()).await.unwrap();
    (moto, proxy)
}

async fn call(proxy: &Proxy, body: &str) -> Option<(u16, String)> {
    let address: SocketAddr =
        proxy.ec2_url().trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let scope = "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-west-2/ec2/aws4_request, SignedHeaders=host, Signature=0";
    let request = Request::post("/")
        .header("host", address.to_string())
        .header("authorization", scope)
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .body(Full::new(Bytes::from(format!("{body}&Version=2016-11-15"))))
        .unwrap();
    let answer = wire::send(address, request).await.ok()?;
    Some((answer.status().as_u16(), String::from_utf8_lossy(answer.body()).into_owned()))
}

fn text<'a>(answer: &'a str, element: &str) -> &'a str {
    moto::between(answer, &format!("<{element}>"), &format!("</{element}>")).unwrap_or_default()
}

const CREATE: &str = "Action=CreateVolume&AvailabilityZone=us-west-2a&Size=1&VolumeType=gp3";

#[tokio::test(flavor = "multi_thread")]
async fn tokens_make_creates_idempotent() {
    let (moto, proxy) = start().await;
    let (_, first) = call(&proxy, &format!("{CREATE}&ClientToken=t1")).await.unwrap();
    let (_, again) = call(&proxy, &format!("{CREATE}&ClientToken=t1")).await.unwrap();
    assert_eq!(text(&first, "volumeId"), text(&again, "volumeId"));
    let (status, other) = call(&proxy, &format!("{CREATE}&ClientToken=t1&Iops=4000")).await.unwrap();
    assert_eq!((status, text(&other, "Code")), (400, "IdempotentParameterMismatch"));
    let (_, second) = call(&proxy, &format!("{CREATE}&ClientToken=t2")).await.unwrap();
    assert_ne!(text(&first, "volumeId"), text(&second, "volumeId"));
    moto.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_leaves_the_volume_and_a_refused_request_does_not() {
    let (moto, proxy) = start().await;
    proxy.inject("CreateVolume", Fault::Refuse, 1);
    proxy.inject("CreateVolume", Fault::LoseAnswer, 1);
    assert_eq!(call(&proxy, &format!("{CREATE}&ClientToken=t1")).await, None);
    let (_, list) = call(&proxy, "Action=DescribeVolumes").await.unwrap();
    assert_eq!(text(&list, "volumeId"), "");
    assert_eq!(call(&proxy, &format!("{CREATE}&ClientToken=t1")).await, None);
    let (_, again) = call(&proxy, &format!("{CREATE}&ClientToken=t1")).await.unwrap();
    let (_, list) = call(&proxy, "Action=DescribeVolumes").await.unwrap();
    assert_eq!(list.matches("<volumeId>").count(), 1);
    assert_eq!(text(&list, "volumeId"), text(&again, "volumeId"));
    assert_eq!((proxy.count("CreateVolume"), proxy.pending_faults()), (3, 0));
    moto.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_take_their_time_and_lists_have_pages() {
    let (moto, proxy) = start().await;
    proxy.volumes_take(2);
    let (_, volume) = call(&proxy, CREATE).await.unwrap();
    assert_eq!(text(&volume, "status"), "creating");
    let id = text(&volume, "volumeId").to_owned();
    let (status, _) = call(&proxy, &format!("Action=DeleteVolume&VolumeId={id}")).await.unwrap();
    assert_eq!(status, 400);
    for expected in ["creating", "creating", "available", "available"] {
        let (_, list) = call(&proxy, "Action=DescribeVolumes").await.unwrap();
        assert_eq!(text(&list, "status"), expected);
    }
    proxy.volumes_take(0);
    for _ in 0..4 {
        call(&proxy, CREATE).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut query = "Action=DescribeVolumes&MaxResults=2".to_owned();
    loop {
        let (_, list) = call(&proxy, &query).await.unwrap();
        seen.push(list.matches("<volumeId>").count());
        match text(&list, "nextToken") {
            "" => break,
            token => query = format!("Action=DescribeVolumes&MaxResults=2&NextToken={token}"),
        }
    }
    assert_eq!(seen, [2, 2, 1]);
    moto.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_progress_and_failures_come_late() {
    let (moto, proxy) = start().await;
    proxy.inject("CreateVolume", Fault::FailLater, 1);
    let (_, volume) = call(&proxy, CREATE).await.unwrap();
    assert_eq!(text(&volume, "status"), "creating");
    let (_, list) = call(&proxy, "Action=DescribeVolumes").await.unwrap();
    assert_eq!(text(&list, "status"), "error");
    proxy.snapshots_take(2);
    let take = format!("Action=CreateSnapshot&VolumeId={}", text(&volume, "volumeId"));
    let (_, snapshot) = call(&proxy, &take).await.unwrap();
    let restore = format!("{CREATE}&SnapshotId={}", text(&snapshot, "snapshotId"));
    let (status, refused) = call(&proxy, &restore).await.unwrap();
    assert_eq!((status, text(&refused, "Code")), (400, "IncorrectState"));
    // moto also has the snapshots of its built-in images.
    let describe = format!(
        "Action=DescribeSnapshots&Filter.1.Name=snapshot-id&Filter.1.Value.1={}",
        text(&snapshot, "snapshotId")
    );
    for expected in [("pending", "0%"), ("pending", "50%"), ("completed", "100%")] {
        let (_, list) = call(&proxy, &describe).await.unwrap();
        assert_eq!((text(&list, "status"), text(&list, "progress")), expected);
    }
    moto.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cloud_can_lag_refuse_and_go_away() {
    let (moto, proxy) = start().await;
    proxy.lag(1);
    call(&proxy, CREATE).await.unwrap();
    for expected in [0, 1] {
        let (_, list) = call(&proxy, "Action=DescribeVolumes").await.unwrap();
        assert_eq!(list.matches("<volumeId>").count(), expected);
    }
    proxy.inject("DescribeVolumes", Fault::Throttle, 1);
    proxy.inject("DescribeVolumes", Fault::Error { status: 403, code: "UnauthorizedOperation".into() }, 1);
    proxy.inject("DescribeVolumes", Fault::Html { status: 502 }, 1);
    for expected in [(503, "RequestLimitExceeded"), (403, "UnauthorizedOperation"), (502, "")] {
        let (status, answer) = call(&proxy, "Action=DescribeVolumes").await.unwrap();
        assert_eq!((status, text(&answer, "Code")), expected);
    }
    proxy.go_down();
    assert_eq!(call(&proxy, "Action=DescribeVolumes").await, None);
    proxy.come_up();
    assert_eq!(call(&proxy, "Action=DescribeVolumes").await.unwrap().0, 200);
    moto.stop().await.unwrap();
}
