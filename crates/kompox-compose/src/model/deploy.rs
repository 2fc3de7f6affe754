//! `deploy` (<https://github.com/compose-spec/compose-spec/blob/main/deploy.md>) and the older keys of a
//! service that say the same.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::span::{Span, Spanned};

/// How a service is run on a platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deploy {
    /// `mode`; absent: [`DeployMode::Replicated`].
    pub mode: Option<Spanned<DeployMode>>,
    /// `endpoint_mode`, as written: `vip` or `dnsrr`.
    pub endpoint_mode: Option<Spanned<String>>,
    /// `labels`: of the service, not of its containers.
    pub labels: BTreeMap<String, Spanned<String>>,
    /// `restart_policy`.
    pub restart_policy: Option<DeployRestart>,
    /// `update_config`.
    pub update_config: Option<UpdateConfig>,
    /// `placement.constraints`, as written.
    pub constraints: Vec<Spanned<String>>,
    /// `placement.preferences`.
    pub preferences: Vec<PlacementPreference>,
    /// `placement.max_replicas_per_node`.
    pub max_replicas_per_node: Option<Spanned<u32>>,
}

/// `deploy.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeployMode {
    /// `replicated`: so many containers.
    Replicated,
    /// `global`: one per node.
    Global,
    /// `replicated-job`: so many containers, which end.
    ReplicatedJob,
    /// `global-job`: one per node, which ends.
    GlobalJob,
}

/// `deploy.restart_policy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployRestart {
    /// The key in the file.
    pub span: Span,
    /// `condition`, as written: `none`, `on-failure` or `any`.
    pub condition: Option<Spanned<String>>,
    /// `max_attempts`.
    pub max_attempts: Option<Spanned<u64>>,
    /// `delay`.
    pub delay: Option<Spanned<Duration>>,
    /// `window`.
    pub window: Option<Spanned<Duration>>,
}

/// `deploy.update_config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateConfig {
    /// The key in the file.
    pub span: Span,
    /// `parallelism`: containers updated at a time; 0: all.
    pub parallelism: Option<Spanned<u64>>,
    /// `order`, as written: `start-first` or `stop-first`.
    pub order: Option<Spanned<String>>,
    /// `delay` between two updates.
    pub delay: Option<Spanned<Duration>>,
}

/// An entry of `placement.preferences`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementPreference {
    /// The entry in the file.
    pub span: Span,
    /// `spread`: the label over whose values containers are spread.
    pub spread: Spanned<String>,
}

/// What a container may use and what is kept for it: `deploy.resources`, `cpus`, `mem_limit`,
/// `mem_reservation`, `pids_limit`, `gpus`, `cpu_shares`, `cpu_quota`, `cpu_period`. The older keys are
/// already moved here; two that differ are an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Upper bounds.
    pub limits: Quantities,
    /// What is kept.
    pub reservations: Quantities,
    /// `reservations.devices` and `gpus`.
    pub devices: Vec<Device>,
    /// `reservations.generic_resources`: kind and count.
    pub generic_resources: Vec<(Spanned<String>, u64)>,
    /// `cpu_shares`: weight, 1024 for one processor.
    pub cpu_shares: Option<Spanned<u64>>,
    /// `cpu_quota`: microseconds per period; -1: no bound.
    pub cpu_quota: Option<Spanned<i64>>,
    /// `cpu_period`: microseconds; absent: 100,000.
    pub cpu_period: Option<Spanned<u64>>,
}

/// Amounts of the basic resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quantities {
    /// Processors, in millionths.
    pub micro_cpus: Option<Spanned<u64>>,
    /// Memory, in bytes.
    pub memory: Option<Spanned<u64>>,
    /// Processes; negative: no bound.
    pub pids: Option<Spanned<i64>>,
}

/// A request for devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The entry in the file.
    pub span: Span,
    /// `driver`, as written, such as `nvidia`.
    pub driver: Option<Spanned<String>>,
    /// `capabilities`, as written, such as `gpu`.
    pub capabilities: Vec<Spanned<String>>,
    /// `count`; -1 stands for `all`. Absent together with `device_ids`: all.
    pub count: Option<Spanned<i64>>,
    /// `device_ids`.
    pub device_ids: Vec<Spanned<String>>,
    /// `options`.
    pub options: BTreeMap<String, Spanned<String>>,
}
