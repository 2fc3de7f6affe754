//! The smallest driver: it exports what is mandatory, declares no endpoint and answers every call. With the
//! feature `extended` it also exports an interface of a contract that is yet to come.

#[cfg(not(feature = "extended"))]
wit_bindgen::generate!({
    path: "../../../../../wit/kompox-driver",
    world: "kompox:driver/disk-driver",
    generate_all,
});

#[cfg(feature = "extended")]
wit_bindgen::generate!({
    path: "../../../../../wit/kompox-driver",
    inline: "
        package kompox:extended;
        world extended {
            include kompox:driver/disk-driver@0.1.0;
            export catalog;
        }
        interface catalog { names: func() -> list<string>; }
    ",
    world: "kompox:extended/extended",
    generate_all,
});

use exports::kompox::driver::{disk, identity};
use kompox::driver::types::{Error, Finding, Intent, Outcome, Query, TagChange, Target};

struct Minimal;

impl identity::Guest for Minimal {
    fn describe() -> String {
        r#"{"name":"minimal","version":"1.0.0","requires":[],"providers":[{"type":"minimal"}]}"#.to_owned()
    }

    fn detect(_facts: identity::Facts) -> Vec<identity::Detection> {
        Vec::new()
    }

    fn validate_config(_online: bool) -> Result<Vec<Finding>, Error> {
        Ok(Vec::new())
    }

    fn get_account() -> Result<identity::Account, Error> {
        Ok(identity::Account { id: None, name: None, attributes: Vec::new() })
    }
}

impl disk::Guest for Minimal {
    fn plan(request: disk::DiskRequest) -> Result<disk::DiskPlan, Error> {
        Ok(disk::DiskPlan {
            size_bytes: request.size_bytes,
            zone: request.zone,
            options: request.options,
            topology: Vec::new(),
            findings: Vec::new(),
            attributes: Vec::new(),
        })
    }

    fn create(
        intent: Intent,
        _request: disk::DiskRequest,
        _resume: Option<String>,
    ) -> Result<Outcome, Error> {
        Ok(Outcome { handle: Some(intent.name), pending: None })
    }

    fn find(_query: Query, _page: Option<String>) -> Result<disk::DiskPage, Error> {
        Ok(disk::DiskPage { items: Vec::new(), next: None, unread: Vec::new() })
    }

    fn set_tags(_target: Target, _change: TagChange) -> Result<(), Error> {
        Ok(())
    }

    fn delete(_target: Target, _resume: Option<String>) -> Result<Outcome, Error> {
        Ok(Outcome { handle: None, pending: None })
    }

    fn volume_for(request: disk::VolumeRequest) -> Result<disk::Volume, Error> {
        Ok(disk::Volume {
            source: disk::VolumeSource::Csi(disk::CsiSource {
                driver: "minimal.csi.example.com".to_owned(),
                volume_handle: request.handle,
                attributes: Vec::new(),
                secrets: Vec::new(),
            }),
            topology: Vec::new(),
            mount_options: Vec::new(),
            access_modes: vec!["ReadWriteOnce".to_owned()],
            attributes: Vec::new(),
        })
    }
}

#[cfg(feature = "extended")]
impl exports::kompox::extended::catalog::Guest for Minimal {
    fn names() -> Vec<String> {
        vec!["standard".to_owned()]
    }
}

export!(Minimal);
