//! Tests.

use super::{DEFAULT_SIZE, MIB, MIN_SIZE, Wanted, name, sizes};
use crate::ZONE_KEY;
use crate::proto::csi::{
    CapacityRange, CreateVolumeRequest, Topology, TopologyRequirement, VolumeCapability,
    volume_capability::{AccessMode, AccessType, MountVolume, access_mode::Mode},
};
use kompox_devcloud::api::{Account, Backing, Volume, VolumeState};
use tonic::Code;

fn request() -> CreateVolumeRequest {
    let capability = VolumeCapability {
        access_mode: Some(AccessMode { mode: Mode::SingleNodeWriter.into() }),
        access_type: Some(AccessType::Mount(MountVolume::default())),
    };
    CreateVolumeRequest { name: "pvc-1".into(), volume_capabilities: vec![capability], ..Default::default() }
}

fn account() -> Account {
    let zones = vec!["a".to_owned(), "b".to_owned()];
    let (id, service) = ("x".into(), "s".into());
    Account { id, service, zones, default_backing: Backing::Image, quota_bytes: 1, used_bytes: 0 }
}

fn in_zones(preferred: &[&str], requisite: &[&str]) -> CreateVolumeRequest {
    let topology = |zone: &&str| Topology { segments: [(ZONE_KEY.to_owned(), (*zone).to_owned())].into() };
    let of = |zones: &[&str]| zones.iter().map(topology).collect();
    let requirement = TopologyRequirement { preferred: of(preferred), requisite: of(requisite) };
    CreateVolumeRequest { accessibility_requirements: Some(requirement), ..request() }
}

fn volume() -> Volume {
    Volume {
        id: "vol-1".into(),
        name: "pvc-1".into(),
        state: VolumeState::Available,
        size_bytes: DEFAULT_SIZE,
        zone: "a".into(),
        backing: Backing::Image,
        tags: Default::default(),
        source: None,
        attached_to: None,
        created_at: "2026-01-01T00:00:00Z".into(),
        data: None,
        message: None,
    }
}

#[test]
fn sizes_are_whole_mebibytes_within_the_limit() {
    let cases = [
        (0, 0, false, Ok(Some(DEFAULT_SIZE))),
        (0, 0, true, Ok(None)),
        (1, 0, false, Ok(Some(MIN_SIZE))),
        (MIN_SIZE + 1, 0, true, Ok(Some(MIN_SIZE + MIB))),
        (MIN_SIZE + 1, MIN_SIZE + 2, false, Err(Code::OutOfRange)),
        (1, 2, false, Err(Code::OutOfRange)),
        (0, 20 * MIB + 5, false, Ok(Some(20 * MIB))),
        (0, 2 * DEFAULT_SIZE, false, Ok(Some(DEFAULT_SIZE))),
        (0, DEFAULT_SIZE, true, Err(Code::OutOfRange)),
    ];
    for (required, limit, sourced, want) in cases {
        let range = CapacityRange {
            required_bytes: required.try_into().unwrap(),
            limit_bytes: limit.try_into().unwrap(),
        };
        let found = sizes(Some(&range), sourced).map(|(size, _)| size).map_err(|status| status.code());
        assert_eq!(found, want, "{required} {limit} {sourced}");
    }
    let negative = CapacityRange { required_bytes: -1, limit_bytes: 0 };
    assert_eq!(sizes(Some(&negative), false).unwrap_err().code(), Code::InvalidArgument);
}

#[test]
fn a_name_that_the_service_does_not_take_becomes_a_digest() {
    assert_eq!(name("pvc-1").unwrap(), "pvc-1");
    let (odd, long) = (name("größe").unwrap(), name(&"x".repeat(129)).unwrap());
    assert!(odd.starts_with("csi-") && odd.len() == 68 && odd != long, "{odd} {long}");
    assert_eq!(odd, name("größe").unwrap());
    assert_eq!(name("").unwrap_err().code(), Code::InvalidArgument);
}

#[test]
fn the_first_zone_that_the_service_has_is_asked_for() {
    for (preferred, requisite, want) in [
        (&["b", "a"][..], &["a", "b"][..], Ok(Some("b"))),
        (&["z"], &["z", "a"], Ok(Some("a"))),
        (&[], &[], Ok(None)),
        (&["z"], &[], Err(Code::ResourceExhausted)),
    ] {
        let wanted = Wanted::new(in_zones(preferred, requisite)).unwrap();
        let found = wanted.request(&account());
        let found = found.as_ref().map(|request| request.zone.as_deref()).map_err(tonic::Status::code);
        assert_eq!(found, want, "{preferred:?}");
    }
}

#[test]
fn a_volume_that_fits_is_taken_whatever_was_asked_for_when_it_was_made() {
    let wanted = |change: &dyn Fn(&mut CreateVolumeRequest)| {
        let mut request = in_zones(&["b"], &["a"]);
        change(&mut request);
        Wanted::new(request).unwrap()
    };
    assert!(wanted(&|_| {}).is(&volume()));
    let range = |required_bytes, limit_bytes| Some(CapacityRange { required_bytes, limit_bytes });
    assert!(wanted(&|request| request.capacity_range = range(1, 0)).is(&volume()), "a larger one will do");
    assert!(!wanted(&|request| request.capacity_range = range(2 << 30, 0)).is(&volume()));
    assert!(!wanted(&|request| request.capacity_range = range(16 << 20, 17 << 20)).is(&volume()));
    assert!(
        !wanted(&|request| _ = request.parameters.insert("backing".into(), "directory".into())).is(&volume())
    );
    assert!(!Wanted::new(in_zones(&["b"], &[])).unwrap().is(&volume()));
}

#[test]
fn parameters_are_known_ones() {
    let with = |key: &str, value: &str| {
        Wanted::new(CreateVolumeRequest { parameters: [(key.into(), value.into())].into(), ..request() })
    };
    assert_eq!(with("backing", "directory").unwrap().backing, Some(Backing::Directory));
    assert_eq!(with("csi.storage.k8s.io/pvc/name", "data").unwrap().tags.len(), 1);
    for (key, value) in [("backing", "tape"), ("type", "gp3")] {
        assert_eq!(with(key, value).unwrap_err().code(), Code::InvalidArgument);
    }
}
