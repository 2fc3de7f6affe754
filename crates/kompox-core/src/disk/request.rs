//! From `spec` to the request a driver understands, and back from the recorded one.

use super::observed::{Observed, Source};
use crate::{
    cloud::Problem,
    driver::{DiskPlan, DiskRequest, DiskSource, Severity},
    quantity,
};
use kompox_crds::{reasons::Reason, v1alpha1::options_to_strings};
use serde::{Deserialize, Serialize};

/// The request as it is recorded with the intent: exactly what the create call will be given.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    size_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disk: Option<String>,
    options: crate::driver::Attributes,
}

/// What `spec` asks for, before the driver has rounded it.
pub(super) fn wanted(observed: &Observed) -> Result<DiskRequest, Problem> {
    let spec = observed.spec();
    if spec.storage_class_name.is_some() {
        return Err(unsupported("storageClassName", "remove it and name a provider"));
    }
    if spec.source.as_ref().is_some_and(|source| source.claim_ref.is_some()) {
        return Err(unsupported("source.claimRef", "adopt the cloud disk with `source.handle`"));
    }
    let source = observed.source.clone()?;
    let size = spec.size.as_ref().map(quantity::bytes).transpose().map_err(|why| {
        Problem::stalled(Reason::InvalidSize, format!("`spec.size` {why}; write it as in `10Gi`"))
    })?;
    let (disk_source, floor) = match source {
        Source::Empty | Source::Handle(_) => (DiskSource::Empty, 0),
        Source::Snapshot { handle, restore_size, .. } => (DiskSource::Snapshot(handle), restore_size),
        Source::Disk { handle, size, .. } => (DiskSource::Disk(handle), size),
    };
    let size_bytes = size.unwrap_or(floor);
    if size_bytes < floor {
        let message = format!(
            "`spec.size` ({}) is smaller than its source ({}); ask for at least that",
            quantity::text(size_bytes),
            quantity::text(floor)
        );
        return Err(Problem::stalled(Reason::SourceTooSmall, message));
    }
    let options = options_to_strings(&spec.options);
    Ok(DiskRequest { size_bytes, zone: spec.zone.clone(), source: disk_source, options })
}

fn unsupported(field: &str, remedy: &str) -> Problem {
    let message = format!("`spec.{field}` is not supported by this version of the operator; {remedy}");
    Problem::stalled(Reason::NotSupported, message)
}

/// The request after the driver's plan, or why it cannot be made.
pub(super) fn planned(wanted: &DiskRequest, plan: &DiskPlan) -> Result<DiskRequest, Problem> {
    if let Some(finding) = plan.findings.iter().find(|finding| finding.severity == Severity::Error) {
        let reason = match finding.path.as_str() {
            "size" => Reason::InvalidSize,
            "zone" => Reason::InvalidZone,
            _ => Reason::InvalidOptions,
        };
        let message = format!("`spec.{}`: {} ({})", finding.path, finding.message, finding.reason);
        return Err(Problem::stalled(reason, message));
    }
    Ok(DiskRequest {
        size_bytes: plan.size_bytes,
        zone: plan.zone.clone().or_else(|| wanted.zone.clone()),
        source: wanted.source.clone(),
        options: plan.options.clone(),
    })
}

/// The text recorded with the intent. Sorted keys: the same request gives the same bytes.
pub(super) fn record(request: &DiskRequest) -> String {
    let (snapshot, disk) = match &request.source {
        DiskSource::Empty => (None, None),
        DiskSource::Snapshot(handle) => (Some(handle.clone()), None),
        DiskSource::Disk(handle) => (None, Some(handle.clone())),
    };
    let recorded = Recorded {
        size_bytes: request.size_bytes,
        zone: request.zone.clone(),
        snapshot,
        disk,
        options: request.options.clone(),
    };
    // A struct of strings and numbers always serialises.
    serde_json::to_string(&recorded).unwrap_or_default()
}

/// Reads the recorded request back.
pub(super) fn recall(text: Option<&str>) -> Result<DiskRequest, Problem> {
    let recorded: Recorded = serde_json::from_str(text.unwrap_or_default()).map_err(|error| {
        Problem::stalled(
            Reason::OperatorError,
            format!("`status.creation.request` cannot be read ({error}); nothing is made. Restore it, or delete this object and make a new one"),
        )
    })?;
    let source = match (recorded.snapshot, recorded.disk) {
        (Some(handle), _) => DiskSource::Snapshot(handle),
        (None, Some(handle)) => DiskSource::Disk(handle),
        (None, None) => DiskSource::Empty,
    };
    Ok(DiskRequest {
        size_bytes: recorded.size_bytes,
        zone: recorded.zone,
        source,
        options: recorded.options,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_request_comes_back_as_it_was() {
        for source in
            [DiskSource::Empty, DiskSource::Snapshot("snap-1".into()), DiskSource::Disk("vol-1".into())]
        {
            let request = DiskRequest {
                size_bytes: 10 << 30,
                zone: Some("us-west-2a".into()),
                source,
                options: [("type".to_owned(), "gp3".to_owned())].into(),
            };
            assert_eq!(recall(Some(&record(&request))), Ok(request));
        }
    }

    #[test]
    fn a_damaged_record_stops_everything() {
        assert_eq!(recall(Some("{")).map_err(|p| p.reason), Err(Reason::OperatorError));
        assert_eq!(recall(None).map_err(|p| p.reason), Err(Reason::OperatorError));
    }
}
