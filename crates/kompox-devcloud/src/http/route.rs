//! Which operation a method and a path name.

use hyper::Method;

/// What can be asked, with the id that the path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Health,
    GetAccount,
    ListVolumes,
    CreateVolume,
    GetVolume(String),
    ChangeVolume(String),
    DeleteVolume(String),
    Attach(String),
    Detach(String),
    ListSnapshots,
    CreateSnapshot,
    GetSnapshot(String),
    ChangeSnapshot(String),
    DeleteSnapshot(String),
    ListFaults,
    AddFault,
    ClearFaults,
}

impl Operation {
    /// The name by which faults are restricted; none for what never meets a fault.
    pub(super) fn name(&self) -> Option<&'static str> {
        Some(match self {
            Self::Health | Self::ListFaults | Self::AddFault | Self::ClearFaults => return None,
            Self::GetAccount => "get-account",
            Self::ListVolumes => "list-volumes",
            Self::CreateVolume => "create-volume",
            Self::GetVolume(_) => "get-volume",
            Self::ChangeVolume(_) => "change-volume",
            Self::DeleteVolume(_) => "delete-volume",
            Self::Attach(_) => "attach-volume",
            Self::Detach(_) => "detach-volume",
            Self::ListSnapshots => "list-snapshots",
            Self::CreateSnapshot => "create-snapshot",
            Self::GetSnapshot(_) => "get-snapshot",
            Self::ChangeSnapshot(_) => "change-snapshot",
            Self::DeleteSnapshot(_) => "delete-snapshot",
        })
    }
}

/// The operation, if there is one.
pub(super) fn route(method: &Method, path: &str) -> Option<Operation> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let own = |id: &&str| (*id).to_owned();
    Some(match (method.as_str(), segments.as_slice()) {
        ("GET", ["healthz"]) => Operation::Health,
        ("GET", ["v1", "account"]) => Operation::GetAccount,
        ("GET", ["v1", "volumes"]) => Operation::ListVolumes,
        ("POST", ["v1", "volumes"]) => Operation::CreateVolume,
        ("GET", ["v1", "volumes", id]) => Operation::GetVolume(own(id)),
        ("PATCH", ["v1", "volumes", id]) => Operation::ChangeVolume(own(id)),
        ("DELETE", ["v1", "volumes", id]) => Operation::DeleteVolume(own(id)),
        ("POST", ["v1", "volumes", id, "attach"]) => Operation::Attach(own(id)),
        ("POST", ["v1", "volumes", id, "detach"]) => Operation::Detach(own(id)),
        ("GET", ["v1", "snapshots"]) => Operation::ListSnapshots,
        ("POST", ["v1", "snapshots"]) => Operation::CreateSnapshot,
        ("GET", ["v1", "snapshots", id]) => Operation::GetSnapshot(own(id)),
        ("PATCH", ["v1", "snapshots", id]) => Operation::ChangeSnapshot(own(id)),
        ("DELETE", ["v1", "snapshots", id]) => Operation::DeleteSnapshot(own(id)),
        ("GET", ["v1", "faults"]) => Operation::ListFaults,
        ("POST", ["v1", "faults"]) => Operation::AddFault,
        ("DELETE", ["v1", "faults"]) => Operation::ClearFaults,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Operation, route};
    use hyper::Method;

    #[test]
    fn paths_are_exact() {
        for (method, path, expected) in [
            (Method::GET, "/v1/volumes", Some(Operation::ListVolumes)),
            (Method::GET, "/v1/volumes/vol-1", Some(Operation::GetVolume("vol-1".into()))),
            (Method::POST, "/v1/volumes/vol-1/attach", Some(Operation::Attach("vol-1".into()))),
            (Method::PUT, "/v1/volumes", None),
            (Method::GET, "/v1/volumes/vol-1/", None),
            (Method::GET, "/v2/volumes", None),
            (Method::GET, "v1/volumes", None),
        ] {
            assert_eq!(route(&method, path), expected, "{method} {path}");
        }
    }
}
