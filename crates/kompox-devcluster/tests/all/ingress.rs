//! The development ingress before real Ingresses, Services and EndpointSlices. Its backends are servers of this
//! test: hand-made slices name them, so they are real as far as the ingress can tell.

mod http;

use crate::support::{apply, eventually, merged, namespace, object, wait_for};
use anyhow::{Context as _, Result};
use http::{Backend, Browser, own_address};
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use kompox_devcluster::ingress::{DevIngress, Error, INGRESS_BANNER, IngressOptions, Timeouts};
use kube::{Api, Client};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};

const NAMESPACE: &str = "ingress";

fn options(directory: &Path) -> IngressOptions {
    let timeouts = Timeouts { answer: Duration::from_secs(3), ..Timeouts::default() };
    IngressOptions { timeouts, ..IngressOptions::new(directory) }
}

/// All that the ingress promises, in one cluster with others.
pub(crate) async fn everything(client: &Client) -> Result<()> {
    namespace(client, NAMESPACE).await?;
    let directory = tempfile::tempdir()?;
    let ingress = DevIngress::start(client.clone(), options(directory.path())).await?;
    let (web, api) = (Backend::start("web").await?, Backend::start("api").await?);
    for (service, port) in [("web", web.port), ("api", api.port), ("gone", closed_port().await?)] {
        expose(client, service, port).await?;
    }
    apply(client, service("empty", &json!({}))).await?;
    apply(client, shop()).await?;
    let browser = Browser::new(&ingress)?;
    eventually("the rules are obeyed", || async {
        Ok(browser.get("shop.example.com", "/").await?.status == 200)
    })
    .await?;
    the_class_is_the_default_and_every_ingress_gets_an_address(client, &ingress).await?;
    hosts_and_paths_lead_to_their_pods(&browser).await?;
    what_is_missing_is_said(&browser).await?;
    simulated_pods_are_said_to_be_simulated(client, &browser).await?;
    bodies_are_streamed_both_ways(&browser, &web).await?;
    https_has_a_certificate_for_every_host(&browser).await?;
    a_foreign_class_is_left_alone(client).await?;

    let mut pipe = browser.upgrade("shop.example.com").await?;
    assert_eq!(pipe.echo(b"over a websocket").await?, b"over a websocket");
    let authority = std::fs::read(ingress.authority_path())?;
    ingress.stop().await;
    assert!(pipe.echo(b"too late").await.is_err(), "an upgraded connection outlives the ingress");
    assert!(browser.get("shop.example.com", "/").await.is_err(), "the port is still open");

    let again = DevIngress::start(client.clone(), options(directory.path())).await?;
    assert_eq!(std::fs::read(again.authority_path())?, authority, "whoever trusts it need not do so twice");
    let browser = Browser::new(&again)?;
    assert_eq!(browser.get_tls("shop.example.com", "/").await?.status, 200);
    again.stop().await;
    Ok(())
}

async fn the_class_is_the_default_and_every_ingress_gets_an_address(
    client: &Client,
    ingress: &DevIngress,
) -> Result<()> {
    let class = Api::<IngressClass>::all(client.clone()).get("traefik").await?;
    let note = class.metadata.annotations.unwrap_or_default().remove("kompox.dev/note");
    assert_eq!(note.as_deref(), Some(INGRESS_BANNER));
    let api: Api<Ingress> = Api::namespaced(client.clone(), NAMESPACE);
    let addresses = |ingress: &Ingress| ingress.status.as_ref()?.load_balancer.as_ref()?.ingress.clone();
    let shop = wait_for(&api, "shop", |shop| addresses(shop).is_some()).await?;
    // The manifest names no class: the API server has put the default in.
    assert_eq!(shop.spec.as_ref().and_then(|spec| spec.ingress_class_name.as_deref()), Some("traefik"));
    let address = addresses(&shop).and_then(|all| all.into_iter().next()).context("no address")?;
    assert_eq!(address.hostname.as_deref(), Some("localhost"));
    let ports: Vec<_> = address.ports.iter().flatten().map(|port| port.port).collect();
    assert_eq!(ports, [i32::from(ingress.http_port()), i32::from(ingress.https_port())]);
    assert_eq!(ingress.url("shop"), format!("http://shop.localhost:{}", ingress.http_port()));
    Ok(())
}

async fn hosts_and_paths_lead_to_their_pods(browser: &Browser) -> Result<()> {
    for (host, path, expected) in [
        ("shop.example.com", "/", "web"),
        ("SHOP.example.com:80", "/deep/page?q=1", "web"),
        ("shop.example.com", "/api", "api"),
        ("shop.example.com", "/api/v1", "api"),
        ("shop.example.com", "/apiary", "web"),
        ("shop.localhost", "/api/v1", "api"),
        ("shop.ingress.localhost", "/", "web"),
        ("any.wild.example.com", "/", "api"),
    ] {
        let answer = browser.get(host, path).await?;
        assert_eq!(answer.status, 200, "{host}{path}: {}", answer.body);
        let seen: Value = serde_json::from_str(&answer.body)?;
        let wanted = json!({ "backend": expected, "uri": path, "host": host,
            "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http" });
        assert_eq!(seen, wanted, "{host}{path}");
        assert!(!answer.is_ours, "{host}{path} is a pod's answer");
    }
    Ok(())
}

async fn what_is_missing_is_said(browser: &Browser) -> Result<()> {
    for (host, path, status, expected) in [
        ("unknown.example.com", "/", 404, "no Ingress of this class has a rule for unknown.example.com/"),
        ("a.b.wild.example.com", "/", 404, "no Ingress"),
        ("shop.example.com", "/none", 503, "there is no Service none"),
        ("shop.example.com", "/empty", 503, "no pod of the Service empty is ready; it has 0 endpoints"),
        ("shop.example.com", "/gone", 502, "did not answer"),
        ("shop.example.com", "/hang", 504, "did not answer within 3 s"),
    ] {
        let answer = browser.get(host, path).await?;
        assert_eq!(answer.status, status, "{host}{path}: {}", answer.body);
        assert!(answer.body.contains(expected) && answer.body.contains(INGRESS_BANNER), "{}", answer.body);
        assert!(answer.is_ours, "{host}{path} is an answer of the ingress");
    }
    Ok(())
}

async fn simulated_pods_are_said_to_be_simulated(client: &Client, browser: &Browser) -> Result<()> {
    let pod = json!({ "metadata": { "labels": { "app": "fake" } },
        "spec": { "containers": [{ "name": "main", "image": "example/main" }] } });
    let deployment = json!({ "spec": { "selector": { "matchLabels": { "app": "fake" } }, "template": pod } });
    apply(client, object("apps/v1", "Deployment", NAMESPACE, "fake", deployment)).await?;
    apply(client, service("fake", &json!({ "selector": { "app": "fake" } }))).await?;
    eventually("the ingress says that the pods are simulated", || async {
        let answer = browser.get("shop.example.com", "/fake").await?;
        Ok(answer.status == 503 && answer.body.contains("the pods of the Service fake are simulated"))
    })
    .await
}

async fn bodies_are_streamed_both_ways(browser: &Browser, web: &Backend) -> Result<()> {
    const LENGTH: usize = 8 << 20;
    let answer = browser.post("shop.example.com", "/count", vec![7; LENGTH]).await?;
    assert_eq!(answer.body, LENGTH.to_string());
    // The end is only sent when the beginning has arrived: a proxy that holds bodies would never get there.
    let mut stream = browser.open("shop.example.com", "/stream").await?;
    assert_eq!(http::next_chunk(&mut stream).await?, "beginning");
    web.release.notify_one();
    assert_eq!(http::next_chunk(&mut stream).await?, "end");
    Ok(())
}

async fn https_has_a_certificate_for_every_host(browser: &Browser) -> Result<()> {
    for host in ["shop.example.com", "shop.localhost", "any.wild.example.com"] {
        let answer = browser.get_tls(host, "/").await.with_context(|| host.to_owned())?;
        let seen: Value = serde_json::from_str(&answer.body)?;
        assert_eq!(seen.pointer("/x-forwarded-proto"), Some(&json!("https")));
    }
    let error = browser
        .get_tls("unknown.example.com", "/")
        .await
        .err()
        .context("a certificate for an unknown host")?;
    assert!(format!("{error:#}").contains("certificate"), "{error:#}");
    Ok(())
}

async fn a_foreign_class_is_left_alone(client: &Client) -> Result<()> {
    let class = json!({ "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
        "metadata": { "name": "foreign" }, "spec": { "controller": "example.com/other" } });
    apply(client, class).await?;
    let directory = tempfile::tempdir()?;
    let options = IngressOptions { class: "foreign".into(), ..options(directory.path()) };
    let error = DevIngress::start(client.clone(), options).await.err().context("it took a foreign class")?;
    assert!(
        matches!(&error, Error::ClassTaken { controller, .. } if controller == "example.com/other"),
        "{error}"
    );
    Ok(())
}

/// A port of this machine at which nobody listens.
async fn closed_port() -> Result<u16> {
    Ok(tokio::net::TcpListener::bind((own_address()?, 0)).await?.local_addr()?.port())
}

/// A Service without a selector, and the slice that a controller would make.
async fn expose(client: &Client, name: &str, port: u16) -> Result<()> {
    apply(client, service(name, &json!({}))).await?;
    let slice = json!({
        "metadata": { "labels": { "kubernetes.io/service-name": name } },
        "addressType": "IPv4",
        "endpoints": [{ "addresses": [own_address()?.to_string()] }],
        "ports": [{ "name": "http", "port": port }],
    });
    let slice = object("discovery.k8s.io/v1", "EndpointSlice", NAMESPACE, &format!("{name}-hand"), slice);
    apply(client, slice).await
}

fn service(name: &str, more: &Value) -> Value {
    let spec = merged(json!({ "ports": [{ "name": "http", "port": 80 }] }), more.clone());
    object("v1", "Service", NAMESPACE, name, json!({ "spec": spec }))
}

/// Named by its app's label; the class is left out.
fn shop() -> Value {
    let path = |path: &str, service: &str, port: &Value| {
        json!({ "path": path, "pathType": "Prefix",
            "backend": { "service": { "name": service, "port": port } } })
    };
    let number = json!({ "number": 80 });
    let paths = json!([
        path("/", "web", &json!({ "name": "http" })),
        path("/api", "api", &number),
        path("/none", "none", &number),
        path("/empty", "empty", &number),
        path("/gone", "gone", &number),
        path("/fake", "fake", &number),
    ]);
    let rules = json!([
        { "host": "shop.example.com", "http": { "paths": paths } },
        { "host": "*.wild.example.com", "http": { "paths": [path("/", "api", &number)] } },
    ]);
    object("networking.k8s.io/v1", "Ingress", NAMESPACE, "shop", json!({ "spec": { "rules": rules } }))
}
