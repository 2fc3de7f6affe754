//! Well-behaved calls: every value arrives, in both directions.

use crate::support::{behaving, call, driver, intent, request};
use kompox_core::driver::{
    Attachments, DiskChange, DiskSource, DiskState, Driver as _, Effect, ErrorCode, Facts, Query,
    SnapshotRequest, SnapshotState, TagChange, Target, VolumeRequest, VolumeSource,
};
use std::{collections::BTreeMap, time::Duration};

fn target() -> Target {
    Target { handle: "vol-1".to_owned(), name: None, tags: BTreeMap::new() }
}

#[tokio::test]
async fn the_descriptor_is_read() {
    let driver = driver().await;
    assert_eq!(driver.descriptor().name, "behaviours");
    assert!(driver.digest().starts_with("sha256:") && driver.digest().len() == 7 + 64);
    assert!(driver.has_disk_modify() && driver.has_snapshots());
}

#[tokio::test]
async fn the_guest_sees_its_context_and_nothing_else() {
    let driver = driver().await;
    let account = driver.get_account(&call("signed", &[("behaviour", "context")])).await.unwrap();
    assert_eq!(
        account.id.as_deref(),
        Some(r#"signed {"behaviour":"context","region":"us-west-2"} cluster-1 true"#)
    );
    let account = driver.get_account(&behaving("environment")).await.unwrap();
    let id = account.id.unwrap();
    assert!(id.starts_with("0 0 Err("), "{id}");
    let account = driver.get_account(&behaving("reveal")).await.unwrap();
    let refused = "Err(CredentialError::NotGranted)";
    assert_eq!(account.id.unwrap(), format!("{refused} {refused}"));
}

#[tokio::test]
async fn pure_calls() {
    let driver = driver().await;
    let quiet = behaving("quiet");
    let mut wanted = request();
    wanted.options.insert("iops".to_owned(), "3000".to_owned());
    let plan = driver.plan(&quiet, &wanted).await.unwrap();
    assert_eq!((plan.size_bytes, &plan.options), (1 << 30, &wanted.options));
    let facts = Facts { csi_drivers: vec!["ebs.csi.aws.com".to_owned()], ..Facts::default() };
    let found = driver.detect(&quiet, &facts).await.unwrap();
    assert_eq!((found[0].score, found[0].reason.as_str()), (50, "ebs.csi.aws.com"));
    assert_eq!(found[0].config["replicas"], "3");
    let volume = VolumeRequest { handle: "vol-1".to_owned(), ..VolumeRequest::default() };
    let volume = driver.volume_for(&quiet, &volume).await.unwrap();
    assert_eq!(volume.source, VolumeSource::Other("hostPath".to_owned()));
    let findings = driver.validate_config(&quiet, false).await.unwrap();
    assert_eq!((findings[0].reason.as_str(), findings[0].path.as_str()), ("Onlinefalse", "config.region"));
    assert_eq!(driver.validate_config(&quiet, true).await.unwrap()[0].reason, "Onlinetrue");
}

#[tokio::test]
async fn disks() {
    let driver = driver().await;
    let pending = behaving("pending");
    let outcome = driver.create_disk(&pending, &intent(), &request(), None).await.unwrap();
    let waiting = outcome.pending.unwrap();
    assert_eq!((waiting.percent, waiting.poll_after), (Some(10), Duration::from_millis(250)));
    assert_eq!(waiting.message, "making k4x-0123456789ab-1");
    let outcome = driver.create_disk(&pending, &intent(), &request(), Some(&waiting.resume)).await.unwrap();
    assert_eq!((outcome.handle.as_deref(), outcome.pending), (Some("quiet"), None));

    let query = Query { handles: vec!["vol-1".to_owned()], name: Some("n".to_owned()), ..Query::default() };
    let page = driver.find_disks(&behaving("quiet"), &query, Some("2")).await.unwrap();
    let disk = &page.items[0];
    assert_eq!((disk.state, disk.size_bytes, disk.name.as_deref()), (DiskState::Ready, 1 << 30, Some("n")));
    assert_eq!(disk.source, Some(DiskSource::Snapshot("snap-1".to_owned())));
    assert_eq!(disk.attachments, Attachments::Attached(vec!["x://n1".to_owned()]));
    assert_eq!((page.next.as_deref(), page.unread.as_slice()), (Some("2"), &["zone b".to_owned()][..]));

    let quiet = behaving("quiet");
    driver.set_disk_tags(&quiet, &target(), &TagChange::default()).await.unwrap();
    let change = DiskChange { size_bytes: Some(5), ..DiskChange::default() };
    assert!(driver.modify_disk(&quiet, &target(), &change, None).await.unwrap().handle.is_some());
    assert!(driver.delete_disk(&quiet, &target(), None).await.unwrap().pending.is_none());
}

#[tokio::test]
async fn snapshots() {
    let driver = driver().await;
    let quiet = behaving("quiet");
    let wanted = SnapshotRequest { disk_handle: "vol-1".to_owned(), ..SnapshotRequest::default() };
    assert!(driver.create_snapshot(&quiet, &intent(), &wanted, None).await.unwrap().handle.is_some());
    let query = Query {
        handles: vec!["snap-1".to_owned()],
        disk_handle: Some("vol-1".to_owned()),
        ..Query::default()
    };
    let page = driver.find_snapshots(&quiet, &query, None).await.unwrap();
    let found = &page.items[0];
    assert_eq!((found.state, found.disk_handle.as_deref()), (SnapshotState::Uploading, Some("vol-1")));
    assert_eq!(found.csi.as_ref().map(|csi| csi.handle.as_str()), Some("snap-1"));
    driver.set_snapshot_tags(&quiet, &target(), &TagChange::default()).await.unwrap();
    driver.delete_snapshot(&quiet, &target(), None).await.unwrap();
}

#[tokio::test]
async fn sessions_last_from_call_to_call_and_are_private() {
    let driver = driver().await;
    let seen =
        async |config: &[(&str, &str)]| driver.get_account(&call("open", config)).await.unwrap().id.unwrap();
    let config = [("behaviour", "session"), ("region", "session-1")];
    assert_eq!(seen(&config).await, "seen:");
    assert_eq!(seen(&config).await, "seen:+");
    assert_eq!(seen(&[("behaviour", "session"), ("region", "session-2")]).await, "seen:");
}

#[tokio::test]
async fn missing_credentials_fail_before_the_guest_runs() {
    let driver = driver().await;
    let mut call = call("signed", &[("behaviour", "panic")]);
    call.credentials = kompox_core::driver::Credentials::default();
    let error = driver.create_disk(&call, &intent(), &request(), None).await.unwrap_err();
    assert_eq!((error.code, error.effect), (ErrorCode::Unauthenticated, Effect::None));
    assert_eq!(error.reason, "CredentialsMissing");
    assert!(error.message.contains("`accessKeyId`"), "{error}");
    // Pure calls need none.
    call.config.insert("behaviour".to_owned(), "quiet".to_owned());
    driver.plan(&call, &request()).await.unwrap();
}

#[tokio::test]
async fn an_unknown_provider_type_is_an_error() {
    let error = driver().await.get_account(&call("other", &[])).await.unwrap_err();
    assert_eq!((error.code, error.effect), (ErrorCode::InvalidArgument, Effect::None));
}
