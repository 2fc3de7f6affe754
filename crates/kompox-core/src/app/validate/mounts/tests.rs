use super::bind::is_file;
use super::driver::{self, Driver};
use super::provided::normal;
use super::target::is_below;
use crate::app::facts::{Facts, Settings, references};
use crate::app::secret_text::SecretText;
use crate::app::validate::{Findings, Validation, external_references, validate};
use crate::app::validated::MountSource;
use kompox_compose::model::Volume;
use kompox_compose::{Span, Spanned};
use kompox_crds::KompoxApp;
use serde_json::json;
use std::collections::BTreeMap;

fn app() -> KompoxApp {
    serde_json::from_value(json!({
        "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxApp",
        "metadata": { "name": "a", "namespace": "n", "uid": "u" },
        "spec": {
            "compose": { "configMapRef": { "name": "c" } },
            "volumes": [
                { "name": "default", "diskRef": { "name": "d" }, "subPath": "base" },
                { "name": "own", "diskRef": { "name": "d" } },
                { "name": "nas", "claimRef": { "name": "nas" } },
            ],
            "bindMap": [
                { "prefix": "/srv", "volume": "own" },
                { "prefix": "/srv/deep/", "volume": "nas", "subPath": "films" },
                { "prefix": "/mnt", "volume": "default" },
            ],
        },
    }))
    .unwrap()
}

fn facts(compose: &str) -> Facts {
    let content = BTreeMap::from([("compose.yml".to_owned(), SecretText::new(compose))]);
    Facts { config_maps: BTreeMap::from([("c".to_owned(), content)]), ..Facts::default() }
}

fn of(mount: &str, settings: &Settings) -> Validation {
    let compose = format!(
        "services: {{web: {{image: 'web:1', volumes: [{mount}]}}}}\nvolumes: {{own: , nas: , other: }}\n"
    );
    validate(&app(), &facts(&compose), settings)
}

/// Where the first mount comes from, in short.
fn place(validation: &Validation) -> String {
    let Some(app) = &validation.app else {
        return validation.diagnostics.iter().map(|found| found.code.id).collect::<Vec<_>>().join(" ");
    };
    let (_, service) = app.services().next().unwrap();
    let Some(mount) = service.mounts.first() else { return "nothing".to_owned() };
    let copy = if mount.copy_up { " + copy" } else { "" };
    match &mount.source {
        MountSource::Disk { disk, sub_path } => format!("disk {disk}/{sub_path}{copy}"),
        MountSource::Claim { claim, sub_path } => format!("claim {claim}/{sub_path:?}{copy}"),
        other => format!("{other:?}{copy}"),
    }
}

#[test]
fn every_source_has_its_place() {
    let cases = [
        ("'own:/x'", "disk d/own + copy"),
        ("'own:/x:ro'", "disk d/own"),
        ("'other:/x'", "disk d/base/other + copy"),
        ("'nas:/x'", "claim nas/None"),
        ("{type: volume, source: own, target: /x, volume: {subpath: a/b, nocopy: true}}", "disk d/own/a/b"),
        ("'./data/up:/x'", "disk d/base/binds/data-up-1396c306"),
        ("'./data/./up/:/x'", "disk d/base/binds/data-up-1396c306"),
        ("'/srv/data:/x'", "disk d/own/data"),
        ("'/srv:/x'", "disk d/own"),
        ("'/srv/deep/2024:/x'", "claim nas/Some(\"films/2024\")"),
        ("'/srv/deeper:/x'", "disk d/own/deeper"),
        ("'/mnt/a:/x'", "disk d/base/a"),
        ("'/mnt:/x'", "disk d/base/binds/mnt-fdeace0c"),
        ("'/srv/../etc:/x'", "KPX7760"),
        ("'/srvx:/x'", "KPX7760"),
        ("'~/x:/x'", "KPX7760"),
        ("'/dev/dri:/x'", "KPX7761"),
        ("'/:/x'", "KPX7761"),
        ("'/etc/timezone:/etc/timezone:ro'", "nothing"),
        ("'/anonymous'", "nothing"),
        ("'own:/x:ro', 'other:/x/y'", "KPX7774 KPX7779"),
        ("'own:/x', 'other:/x/y'", "disk d/own + copy"),
    ];
    for (mount, expected) in cases {
        assert_eq!(place(&of(mount, &Settings::default())), expected, "{mount}");
    }
    let with_images = Settings { image_volumes: true, ..Settings::default() };
    let image = "{type: image, source: 'tools:1', target: /x, image: {subpath: bin}}";
    assert_eq!(place(&of(image, &with_images)), "Image { reference: \"tools:1\", sub_path: Some(\"bin\") }");
}

#[test]
fn objects_that_the_file_names_are_read_too() {
    let facts = facts(
        "services: {web: {image: 'web:1', configs: [a], secrets: [b]}}\n\
         configs: {a: {external: true, name: conf}, unused: {external: true}}\nsecrets: {b: {external: true}}\n",
    );
    let found = external_references(&app(), &facts);
    assert_eq!(found.config_maps.into_iter().collect::<Vec<_>>(), ["conf"]);
    assert_eq!(found.secrets.into_iter().collect::<Vec<_>>(), ["b"]);
    assert!(!references(&app()).config_maps.contains("conf"));
}

/// Options, driver, what comes of them, and the number of findings.
type Case = (&'static [(&'static str, &'static str)], Option<&'static str>, &'static str, usize);

#[test]
fn options_of_the_local_driver_are_understood() {
    let read = |options: &[(&str, &str)], driver: Option<&str>| {
        let span = Span::start_of(&"compose.yml".into());
        let spanned = |text: &str| Spanned::new(text.to_owned(), span.clone());
        let volume = Volume {
            span: span.clone(),
            name: None,
            external: None,
            driver: driver.map(spanned),
            driver_opts: options.iter().map(|(key, value)| ((*key).to_owned(), spanned(value))).collect(),
            labels: BTreeMap::new(),
        };
        let mut findings = Findings::default();
        let found = match driver::read("v", Some(&volume), &mut findings) {
            Some(Driver::Local) => "local".to_owned(),
            Some(Driver::Memory { size }) => format!("memory {size:?}"),
            Some(Driver::Nfs { server, path }) => format!("nfs {server} {path}"),
            Some(Driver::Bind { path }) => format!("bind {path}"),
            None => "none".to_owned(),
        };
        (found, findings.diagnostics.len())
    };
    let cases: [Case; 11] = [
        (&[], None, "local", 0),
        (&[], Some("local"), "local", 0),
        (&[("type", ""), ("o", "")], None, "local", 0),
        (&[], Some("rclone"), "none", 1),
        (&[("type", "tmpfs"), ("device", "tmpfs"), ("o", "size=2g")], None, "memory Some(2147483648)", 0),
        (&[("type", "nfs"), ("device", ":/e"), ("o", "addr=h,rw")], None, "nfs h /e", 0),
        (&[("type", "nfs4"), ("device", "h:/e"), ("o", "nolock,soft")], None, "nfs h /e", 2),
        (&[("type", "nfs"), ("device", ":/e")], None, "none", 1),
        (&[("type", "none"), ("device", "/d"), ("o", "bind")], None, "bind /d", 0),
        (&[("device", "/d"), ("o", "bind")], None, "bind /d", 0),
        (&[("type", "ext4"), ("device", "/dev/sdb")], None, "none", 1),
    ];
    for (options, driver, expected, findings) in cases {
        assert_eq!(read(options, driver), (expected.to_owned(), findings), "{options:?}");
    }
}

#[test]
fn paths_are_compared_as_they_are_meant() {
    let cases =
        [("./a/./b/", "a/b"), ("a//b", "a/b"), ("/a/", "/a"), (".", ""), ("../x", "../x"), ("/", "/")];
    for (path, expected) in cases {
        assert_eq!(normal(path), expected, "{path}");
    }
    assert!(is_below("/a/b", "/a") && !is_below("/a", "/a") && !is_below("/ab", "/a"));
    for (path, expected) in [
        ("./nginx.conf", true),
        ("Caddyfile", true),
        ("/docker-entrypoint-initdb.d", false),
        ("conf.d", false),
        (".env", true),
        ("data", false),
        ("my.site.com", false),
    ] {
        assert_eq!(is_file(path), expected, "{path}");
    }
}
