use super::*;
use crate::app::validated::{
    AppIdentity, ContainerPlan, Dependency, Inherited, Mount, MountSource, PodPlan, Role, Scheduling,
    ValidatedService, WorkloadKind,
};

fn service(name: &str, depends_on: &[(&str, Condition)]) -> ValidatedService {
    ValidatedService {
        name: name.into(),
        role: Role::Main,
        aliases: BTreeSet::new(),
        published: Vec::new(),
        depends_on: depends_on
            .iter()
            .map(|(service, condition)| Dependency { service: (*service).into(), condition: *condition })
            .collect(),
        container: ContainerPlan::default(),
        environment: BTreeMap::new(),
        named_environment: BTreeMap::new(),
        mounts: Vec::new(),
        environment_hash: String::new(),
        files_hash: None,
    }
}

fn alone(kind: WorkloadKind, service: ValidatedService) -> ValidatedWorkload {
    ValidatedWorkload {
        name: service.name.clone(),
        kind,
        replicas: 1,
        governing_service: Some(service.name.clone()),
        pod: PodPlan::default(),
        services: vec![service],
    }
}

/// db (on a disk) ← migrate (a Job, when db is healthy) ← web (when migrate is done, and after an optional
/// service that is not there).
fn app() -> ValidatedApp {
    let mut db = service("db", &[]);
    let source = MountSource::Disk { disk: "data".into(), sub_path: "db".into() };
    db.mounts = vec![Mount { target: "/db".into(), read_only: false, copy_up: false, source }];
    let migrate = service("migrate", &[("db", Condition::Healthy)]);
    let web =
        service("web", &[("absent", Condition::Started), ("migrate", Condition::CompletedSuccessfully)]);
    ValidatedApp {
        identity: AppIdentity { namespace: "n".into(), name: "a".into(), uid: "u".into() },
        activity: Activity::Running,
        inherited: Inherited::default(),
        scheduling: Scheduling::default(),
        workloads: vec![
            alone(WorkloadKind::StatefulSet, db),
            alone(WorkloadKind::Job { backoff_limit: 0 }, migrate),
            alone(WorkloadKind::Deployment, web),
        ],
        disks: BTreeMap::new(),
        files: Vec::new(),
        ingress: None,
        network_policy: None,
        compose_hash: String::new(),
        restarted_at: None,
    }
}

fn applied(app: &ValidatedApp, states: &[(&str, ServiceState)], disks: &[&str]) -> Vec<String> {
    let states = states.iter().map(|(name, state)| ((*name).to_owned(), state.clone())).collect();
    let disks = disks.iter().map(|disk| (*disk).to_owned()).collect();
    let admitted = admit(app, &states, &disks).into_iter();
    admitted.filter(|(_, admission)| *admission == Admission::Apply).map(|(name, _)| name).collect()
}

#[test]
fn waves_follow_the_conditions() {
    let up = ServiceState { exists: true, up: true, ..ServiceState::default() };
    let started = ServiceState { started: true, ..up.clone() };
    let ready = ServiceState { ready: true, ..started.clone() };
    let done = ServiceState { completed: true, ..started.clone() };
    let app = app();
    assert_eq!(applied(&app, &[], &[]), [""; 0]);
    assert_eq!(applied(&app, &[], &["data"]), ["db"]);
    assert_eq!(applied(&app, &[("db", started)], &["data"]), ["db"]);
    assert_eq!(applied(&app, &[("db", ready.clone())], &["data"]), ["db", "migrate"]);
    assert_eq!(
        applied(&app, &[("db", ready.clone()), ("migrate", ready.clone())], &["data"]),
        ["db", "migrate"]
    );
    let all = ["db", "migrate", "web"];
    assert_eq!(applied(&app, &[("db", ready), ("migrate", done.clone())], &["data"]), all);
    // What runs is kept up to date even when what it depends on has become unready.
    assert_eq!(applied(&app, &[("db", up.clone()), ("migrate", done), ("web", up)], &["data"]), all);
}

#[test]
fn a_disk_that_is_lost_freezes_its_services() {
    let ready =
        ServiceState { exists: true, up: true, started: true, ready: true, ..ServiceState::default() };
    assert_eq!(applied(&app(), &[("db", ready)], &[]), ["migrate"]);
}

#[test]
fn hibernation_needs_neither_disks_nor_order_and_starts_no_job() {
    let mut app = app();
    app.activity = Activity::Hibernated;
    assert_eq!(applied(&app, &[], &[]), ["db", "web"]);
    let exists = ServiceState { exists: true, ..ServiceState::default() };
    assert_eq!(applied(&app, &[("migrate", exists)], &[]), ["db", "migrate", "web"]);
}

#[test]
fn a_shared_pod_waits_for_what_any_of_its_services_waits_for() {
    let mut app = app();
    let web = app.workloads.pop().unwrap().services;
    app.workloads[1].services.extend(web);
    let ready = ServiceState { ready: true, ..ServiceState::default() };
    assert_eq!(applied(&app, &[], &["data"]), ["db"]);
    // Nothing waits for its own pod.
    assert_eq!(applied(&app, &[("db", ready)], &["data"]), ["db", "migrate"]);
}
