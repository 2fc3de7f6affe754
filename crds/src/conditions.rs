//! Names of condition types, of every kind. They are API: `kubectl wait --for=condition=…` uses them.
//! How conditions are set and merged is not decided here.

/// The object is as asked; for a snapshot: ready to use. Always present.
pub const READY: &str = "Ready";
/// Something is being done. Always present.
pub const PROGRESSING: &str = "Progressing";
/// Something is wrong, though it may still work. Always present.
pub const DEGRADED: &str = "Degraded";

/// kstatus: the observed state is behind. Only while true.
pub const RECONCILING: &str = "Reconciling";
/// kstatus: it needs a change of the spec or a person. Only while true.
pub const STALLED: &str = "Stalled";
/// `spec.paused` holds the operator back. Only while true.
pub const PAUSED: &str = "Paused";

/// Types every KompoxApp, KompoxDisk and KompoxSnapshot has from its first status on.
pub const ALWAYS: [&str; 3] = [READY, PROGRESSING, DEGRADED];
/// Types that are removed, not set to `False`, when they no longer hold.
pub const WHILE_TRUE: [&str; 3] = [RECONCILING, STALLED, PAUSED];

/// Disk: a claim is bound to its volume.
pub const BOUND: &str = "Bound";
/// Disk: the provider says it is attached to a machine.
pub const ATTACHED: &str = "Attached";
/// Disk: the content of `spec.source` is on it.
pub const RESTORED: &str = "Restored";
/// Disk: size and options are as asked.
pub const UP_TO_DATE: &str = "UpToDate";

/// Snapshot: the cut is done, the app may start again.
pub const TAKEN: &str = "Taken";

/// App: the Compose file was read and can be converted.
pub const COMPOSE_VALID: &str = "ComposeValid";
/// App: every disk is ready and locked by the app.
pub const DISKS_READY: &str = "DisksReady";
/// App: every service has its pods.
pub const WORKLOADS_AVAILABLE: &str = "WorkloadsAvailable";
/// App: every route has an address.
pub const ROUTES_READY: &str = "RoutesReady";

/// Driver: the component's bytes are here.
pub const FETCHED: &str = "Fetched";
/// Driver: digest and signature are as asked.
pub const VERIFIED: &str = "Verified";
/// Driver: the component was compiled and speaks the contract.
pub const COMPILED: &str = "Compiled";
