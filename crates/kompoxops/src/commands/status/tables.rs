//! The tables of `status`: pure text from objects.

use kompox_crds::{KompoxApp, KompoxDisk, KompoxSnapshot};
use kube::ResourceExt as _;

use super::Found;
use crate::output::{Table, ready};

/// All tables that have rows, each under its heading; with `detail` also what an app consists of.
pub(super) fn render(found: &Found, detail: bool) -> String {
    let mut sections = vec![("APPS", apps(&found.apps)), ("DISKS", disks(&found.disks))];
    sections.push(("SNAPSHOTS", snapshots(&found.snapshots)));
    if detail {
        sections.push(("SERVICES", services(&found.apps)));
        sections.push(("VOLUMES", volumes(&found.apps)));
        sections.push(("CONDITIONS", conditions(&found.apps)));
        sections.push(("DIAGNOSTICS", diagnostics(&found.apps)));
    }
    let shown: Vec<_> = sections
        .into_iter()
        .filter(|(_, table)| !table.is_empty())
        .map(|(heading, table)| format!("{heading}\n{}", table.render()))
        .collect();
    shown.join("\n")
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

fn apps(apps: &[KompoxApp]) -> Table {
    let mut table = Table::new(&["NAMESPACE", "NAME", "READY", "REASON", "SERVICES", "URL"]);
    for app in apps {
        let status = app.status.clone().unwrap_or_default();
        let (ready, reason) = ready(&status.conditions);
        let url = text(status.urls.first());
        let namespace = app.namespace().unwrap_or_default();
        table.row([namespace, app.name_any(), ready, reason, text(status.services_ready.as_ref()), url]);
    }
    table
}

fn disks(disks: &[KompoxDisk]) -> Table {
    let mut table = Table::new(&[
        "NAMESPACE",
        "NAME",
        "READY",
        "REASON",
        "PROVIDER",
        "SIZE",
        "ZONE",
        "USED-BY",
        "HANDLE",
    ]);
    for disk in disks {
        let status = disk.status.clone().unwrap_or_default();
        let (ready, reason) = ready(&status.conditions);
        table.row([
            disk.namespace().unwrap_or_default(),
            disk.name_any(),
            ready,
            reason,
            status.provider.and_then(|provider| provider.type_).unwrap_or_default(),
            status.capacity.map(|size| size.0).unwrap_or_default(),
            status.zone.unwrap_or_default(),
            status.used_by.map(|owner| owner.name).unwrap_or_default(),
            status.handle.unwrap_or_default(),
        ]);
    }
    table
}

fn snapshots(snapshots: &[KompoxSnapshot]) -> Table {
    let mut table = Table::new(&["NAMESPACE", "NAME", "READY", "REASON", "DISK", "METHOD", "SIZE", "HANDLE"]);
    for snapshot in snapshots {
        let status = snapshot.status.clone().unwrap_or_default();
        let (ready, reason) = ready(&status.conditions);
        table.row([
            snapshot.namespace().unwrap_or_default(),
            snapshot.name_any(),
            ready,
            reason,
            snapshot.spec.disk_ref.as_ref().map(|disk| disk.name.clone()).unwrap_or_default(),
            status.method.unwrap_or_default(),
            status.restore_size.map(|size| size.0).unwrap_or_default(),
            status.snapshot_handle.unwrap_or_default(),
        ]);
    }
    table
}

fn services(apps: &[KompoxApp]) -> Table {
    let mut table = Table::new(&["SERVICE", "KIND", "READY", "IMAGE", "MESSAGE"]);
    for service in apps.iter().filter_map(|app| app.status.as_ref()).flat_map(|status| &status.services) {
        let ready = format!("{}/{}", service.ready.unwrap_or(0), service.desired.unwrap_or(0));
        table.row([
            service.name.clone(),
            text(service.kind.as_ref()),
            ready,
            text(service.image.as_ref()),
            text(service.message.as_ref()),
        ]);
    }
    table
}

fn volumes(apps: &[KompoxApp]) -> Table {
    let mut table = Table::new(&["VOLUME", "DISK", "SWITCH"]);
    for volume in apps.iter().filter_map(|app| app.status.as_ref()).flat_map(|status| &status.volumes) {
        let switch = volume.switch.as_ref().map(|switch| switch.phase.clone()).unwrap_or_default();
        table.row([volume.name.clone(), text(volume.disk.as_ref()), switch]);
    }
    table
}

fn conditions(apps: &[KompoxApp]) -> Table {
    let mut table = Table::new(&["CONDITION", "STATUS", "REASON", "MESSAGE"]);
    for condition in apps.iter().filter_map(|app| app.status.as_ref()).flat_map(|status| &status.conditions) {
        let condition = condition.clone();
        table.row([condition.type_, condition.status, condition.reason, condition.message]);
    }
    table
}

fn diagnostics(apps: &[KompoxApp]) -> Table {
    let mut table = Table::new(&["LINE", "SEVERITY", "CODE", "PATH", "MESSAGE"]);
    for finding in apps.iter().filter_map(|app| app.status.as_ref()).flat_map(|status| &status.diagnostics) {
        table.row([
            finding.line.map(|line| line.to_string()).unwrap_or_default(),
            finding.severity.clone(),
            finding.code.clone(),
            text(finding.path.as_ref()),
            finding.message.clone(),
        ]);
    }
    table
}
