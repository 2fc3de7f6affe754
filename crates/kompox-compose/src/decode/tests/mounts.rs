//! `volumes` and `tmpfs`.

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
        let [mount] = service.volumes.as_slice() else { panic!("{text}") };
        let mut shown = format!("{} {}", mount.volume, mount.target);
        for (set, word) in [(mount.read_only, " ro"), (mount.nocopy, " nocopy")] {
            shown.push_str(if set { word } else { "" });
        }
        shown.extend(mount.subpath.iter().flat_map(|subpath| [" sub=", subpath]));
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
        let [tmpfs] = service.tmpfs.as_slice() else { panic!("{lines}") };
        assert_eq!((tmpfs.target.as_str(), tmpfs.size), (target, size), "{lines}");
    }
    assert_eq!(
        findings("tmpfs: [\"/run:noexec\"]"),
        ["KPX0210 the tmpfs option `noexec` has no effect in a cluster"]
    );
}

#[test]
fn bad_mounts() {
    refused(&[
        ("volumes: [./conf:/etc/conf]", "KPX0601"),
        ("volumes: [/srv:/srv:ro]", "KPX0601"),
        ("volumes: [~/x:/x]", "KPX0601"),
        ("volumes: [\"C:\\\\x:/x\"]", "KPX0601"),
        ("volumes: [{type: bind, source: ./a, target: /a}]", "KPX0601"),
        ("volumes: [/data]", "KPX0203"),
        ("volumes: [{type: volume, target: /d}]", "KPX0203"),
        ("volumes: [{type: npipe, source: x, target: /d}]", "KPX0203"),
        ("volumes: [{type: volume, source: data}]", "KPX0206"),
        ("volumes: [{source: data, target: /d}]", "KPX0206"),
        ("volumes: [data:d]", "KPX0205"),
        ("volumes: [data:/]", "KPX0205"),
        ("volumes: [data:/a/../b]", "KPX0205"),
        ("volumes: [data/../x:/d]", "KPX0205"),
        ("volumes: [\"data:/d:ro:x\"]", "KPX0205"),
        ("volumes: [\"data:/d:rx\"]", "KPX0205"),
        ("volumes: [\":/d\"]", "KPX0205"),
        ("volumes: [nowhere:/d]", "KPX0502"),
        ("volumes: data:/d", "KPX0204"),
        ("volumes: [5]", "KPX0204"),
        ("volumes: [{type: volume, source: data, target: /d, volume: {subpath: ../x}}]", "KPX0205"),
        ("volumes: [{type: volume, source: data, target: /d, volume: {labels: {}}}]", "KPX0202"),
        ("volumes: [{type: volume, source: data, target: /d, readonly: true}]", "KPX0201"),
        ("volumes: [data:/d]\ntmpfs: /d", "KPX0507"),
        ("tmpfs: run", "KPX0205"),
        ("tmpfs: {a: b}", "KPX0204"),
        ("tmpfs: /run:size=x", "KPX0205"),
    ]);
}

#[test]
fn a_later_mount_at_the_same_target_replaces_the_earlier() {
    let lines = "volumes: [data:/d, other:/d/]";
    let service = service(lines);
    assert_eq!(service.volumes.iter().map(|v| v.volume.as_str()).collect::<Vec<_>>(), ["other"]);
    assert_eq!(findings(lines), ["KPX0211 `volumes[1]` repeats an earlier entry"]);
}

#[test]
fn declared_volumes() {
    let head = "services: {web: {image: a}}\nvolumes:\n";
    let volumes = project(&format!("{head}  a:\n  b: {{}}\n  c: {{name: real, driver: local}}\n")).volumes;
    assert_eq!(volumes.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(volumes["c"].name.as_ref().map(|name| name.value.as_str()), Some("real"));
    for (volume, code) in [
        ("  a: {external: true}", "KPX0203"),
        ("  a: {driver: nfs}", "KPX0203"),
        ("  a: {driver_opts: {}}", "KPX0202"),
        ("  a: {labels: {}}", "KPX0202"),
        ("  a: {extern: true}", "KPX0201"),
        ("  a: []", "KPX0204"),
        ("  \"a b\": {}", "KPX0205"),
    ] {
        let parsed = super::read(&format!("{head}{volume}\n"));
        assert_eq!(parsed.diagnostics.iter().map(|d| d.code.id).collect::<Vec<_>>(), [code], "{volume}");
    }
}
