//! `volumes` and `tmpfs`.

use crate::model::{MountSource, VolumeMount};

use super::{findings, project, refused, service};

#[test]
fn named_volumes() {
    let cases = [
        ("[data:/d]", "data /d"),
        ("[data:/d/]", "data /d"),
        ("[data:/d:ro]", "data /d ro"),
        ("[\"data:/d:rw,nocopy\"]", "data /d nocopy"),
        ("[data/a/b:/d]", "data /d sub=a/b"),
        ("[{type: volume, source: data, target: /d}]", "data /d"),
        ("[{type: volume, source: data, target: /d, read_only: true}]", "data /d ro"),
        (
            "[{type: volume, source: data, target: /d, volume: {nocopy: true, subpath: x/y}}]",
            "data /d nocopy sub=x/y",
        ),
    ];
    for (text, expected) in cases {
        let service = service(&format!("volumes: {text}"));
        let [mount] = service.mounts.as_slice() else { panic!("{text}") };
        let MountSource::Volume(volume) = &mount.source else { panic!("{text}") };
        let mut shown = format!("{} {}", volume.name.as_deref().unwrap_or("-"), mount.target);
        for (set, word) in [(mount.read_only, " ro"), (volume.nocopy, " nocopy")] {
            shown.push_str(if set { word } else { "" });
        }
        shown.extend(volume.subpath.iter().flat_map(|subpath| [" sub=", subpath]));
        assert_eq!(shown, expected, "{text}");
    }
}

#[test]
fn file_systems_in_memory() {
    let cases = [
        ("tmpfs: /run", "/run", None),
        ("tmpfs: [\"/run:size=64m,mode=1777\"]", "/run", Some(64 << 20)),
        ("volumes: [{type: tmpfs, target: /run}]", "/run", None),
        ("volumes: [{type: tmpfs, target: /run, tmpfs: {size: 1048576}}]", "/run", Some(1 << 20)),
        ("volumes: [{type: tmpfs, target: /run, tmpfs: {size: \"1gb\"}}]", "/run", Some(1 << 30)),
    ];
    for (lines, target, size) in cases {
        let service = service(lines);
        let [mount] = service.mounts.as_slice() else { panic!("{lines}") };
        let MountSource::Tmpfs(tmpfs) = &mount.source else { panic!("{lines}") };
        assert_eq!((mount.target.as_str(), tmpfs.size), (target, size), "{lines}");
    }
    let service = service("tmpfs: [\"/run:noexec,ro,mode=0700,uid=5\"]");
    let MountSource::Tmpfs(tmpfs) = &service.mounts[0].source else { panic!("{service:?}") };
    let options: Vec<&str> = tmpfs.options.iter().map(|option| option.value.as_str()).collect();
    assert_eq!(options, ["noexec", "uid=5"]);
    assert_eq!(tmpfs.mode.as_ref().map(|mode| mode.value), Some(0o700));
    assert!(service.mounts[0].read_only);
}

#[test]
fn binds_images_and_others() {
    let source = |lines: &str| service(&format!("volumes: [{lines}]")).mounts.remove(0).source;
    for (lines, path) in [
        ("./conf:/etc/conf", "./conf"),
        ("/srv:/srv:ro", "/srv"),
        ("~/x:/x", "~/x"),
        ("{type: bind, source: ./a, target: /a, bind: {create_host_path: true}}", "./a"),
    ] {
        let MountSource::Bind(bind) = source(lines) else { panic!("{lines}") };
        assert_eq!(bind.path.value, path, "{lines}");
    }
    let long =
        "{type: bind, source: /a, target: /a, bind: {propagation: shared, recursive: readonly, selinux: z}}";
    let MountSource::Bind(bind) = source(long) else { panic!("{long}") };
    let texts = [bind.propagation, bind.recursive].map(|text| text.map(|text| text.value));
    assert_eq!(texts, [Some("shared".to_owned()), Some("readonly".to_owned())]);
    let MountSource::Image(image) = source("{type: image, source: i:1, target: /i, image: {subpath: a/b}}")
    else {
        panic!("an image")
    };
    assert_eq!(
        (image.reference.value, image.subpath.map(|path| path.value)),
        ("i:1".into(), Some("a/b".into()))
    );
    assert!(
        matches!(source("{type: cluster, source: x, target: /c}"), MountSource::Other(kind) if kind.value == "cluster")
    );
    for anonymous in ["/data", "{type: volume, target: /data}"] {
        let found = source(anonymous);
        assert!(matches!(found, MountSource::Volume(VolumeMount { name: None, .. })), "{found:?}");
    }
}

#[test]
fn bad_mounts() {
    refused(&[
        ("volumes: [{type: bind, target: /a}]", "KPX7206"),
        ("volumes: [{type: disk, source: a, target: /a}]", "KPX7205"),
        ("volumes: [{type: volume, source: data}]", "KPX7206"),
        ("volumes: [{source: data, target: /d}]", "KPX7206"),
        ("volumes: [data:d]", "KPX7205"),
        ("volumes: [data:/]", "KPX7205"),
        ("volumes: [nowhere/a/b:/d]", "KPX7502"),
        ("volumes: [data/../x:/d]", "KPX7205"),
        ("volumes: [\"data:/d:ro:x\"]", "KPX7205"),
        ("volumes: [\":/d\"]", "KPX7205"),
        ("volumes: [nowhere:/d]", "KPX7502"),
        ("volumes: data:/d", "KPX7204"),
        ("volumes: [5]", "KPX7204"),
        ("volumes: [{type: volume, source: data, target: /d, volume: {subpath: ../x}}]", "KPX7205"),
        ("volumes: [{type: volume, source: data, target: /d, volume: {label: {}}}]", "KPX7201"),
        ("volumes: [{type: volume, source: data, target: /d, readonly: true}]", "KPX7201"),
        ("volumes: [data:/d]\ntmpfs: /d", "KPX7507"),
        ("tmpfs: run", "KPX7205"),
        ("tmpfs: {a: b}", "KPX7204"),
        ("tmpfs: /run:size=x", "KPX7205"),
    ]);
}

#[test]
fn a_later_mount_at_the_same_target_replaces_the_earlier() {
    let lines = "volumes: [data:/d, other:/d/]";
    let service = service(lines);
    let name = |mount: &crate::model::Mount| match &mount.source {
        MountSource::Volume(VolumeMount { name, .. }) => name.clone(),
        _ => None,
    };
    assert_eq!(service.mounts.iter().map(name).collect::<Vec<_>>(), [Some("other".to_owned())]);
    assert_eq!(findings(lines), ["KPX7211 `volumes[1]` repeats an earlier entry"]);
}

#[test]
fn declared_volumes() {
    let head = "services: {web: {image: a}}\nvolumes:\n";
    let volumes = project(&format!("{head}  a:\n  b: {{}}\n  c: {{name: real, driver: local}}\n")).volumes;
    assert_eq!(volumes.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(volumes["c"].name.as_ref().map(|name| name.value.as_str()), Some("real"));
    for (volume, code) in [
        ("  a: {external: perhaps}", "KPX7204"),
        ("  a: {driver_opts: text}", "KPX7204"),
        ("  a: {extern: true}", "KPX7201"),
        ("  a: []", "KPX7204"),
        ("  \"a b\": {}", "KPX7205"),
    ] {
        let parsed = super::read(&format!("{head}{volume}\n"));
        assert_eq!(parsed.diagnostics.iter().map(|d| d.code.id).collect::<Vec<_>>(), [code], "{volume}");
    }
}
