//! Lifecycle hooks. The kubelet takes their words as they are: `$` is not doubled here.

use crate::app::validated::{ContainerPlan, ValidatedWorkload};
use k8s_openapi::api::core::v1::{ExecAction, Lifecycle, LifecycleHandler};

/// The hooks of a container; `None` when it has none.
pub(super) fn build(workload: &ValidatedWorkload, plan: &ContainerPlan) -> Option<Lifecycle> {
    let pre_stop = pre_stop(workload, plan);
    let lifecycle =
        Lifecycle { post_start: handler(&plan.post_start), pre_stop: handler(&pre_stop), stop_signal: None };
    (lifecycle != Lifecycle::default()).then_some(lifecycle)
}

fn handler(command: &[String]) -> Option<LifecycleHandler> {
    (!command.is_empty()).then(|| LifecycleHandler {
        exec: Some(ExecAction { command: Some(command.to_vec()) }),
        ..LifecycleHandler::default()
    })
}

/// The file's command, and then its stop signal for process 1, until that has gone: the kubelet's own signal
/// comes when nobody is left. Where processes are shared, process 1 is not the container's.
fn pre_stop(workload: &ValidatedWorkload, plan: &ContainerPlan) -> Vec<String> {
    let shared = workload.pod.share_process_namespace || workload.pod.host.pid;
    let Some(signal) = plan.stop_signal.as_ref().filter(|_| !shared) else { return plan.pre_stop.clone() };
    let ask = format!("kill -{signal} 1; while kill -0 1 2>/dev/null; do sleep 1; done");
    let shell = ["/bin/sh".to_owned(), "-c".to_owned()].into_iter();
    if plan.pre_stop.is_empty() {
        return shell.chain([ask]).collect();
    }
    // Whatever the command comes to, the container must be told to end.
    let both = [format!("\"$@\"; {ask}"), "sh".to_owned()];
    shell.chain(both).chain(plan.pre_stop.iter().cloned()).collect()
}
