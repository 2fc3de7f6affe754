//! A cloud disk that exists already: check that nobody else has a claim, mark it, record its handle.

use super::{Act, Observed, Read, Step, create, observed::Provider};
use crate::{
    cloud::{CloudObject as _, Life, Ownership, Problem, Retry, Sighting, identity, is_claimable, owner_of},
    driver::{Attributes, DiskInfo, TagChange, Target},
    step::Note,
};
use kompox_crds::{
    reasons::Reason,
    v1alpha1::{disk::lifecycle, driver::Adoption},
};

pub(super) fn decide(observed: &Observed, provider: &Provider) -> Step {
    let Some(handle) = observed.spec().source.as_ref().and_then(|source| source.handle.clone()) else {
        return Step::blocked(Problem::stalled(Reason::SourceNotFound, "`spec.source.handle` is empty"));
    };
    match &observed.rival {
        None => return Step::Read(Read::Rival(handle)),
        Some(Some(rival)) => {
            let message = format!(
                "`spec.source.handle` names a disk that KompoxDisk {rival} has; delete one of the two"
            );
            return Step::blocked(Problem::stalled(Reason::AlreadyClaimed, message));
        }
        Some(None) => {}
    }
    let Some(sighting) = &observed.by_handle else { return Step::Read(Read::ByHandle(handle)) };
    match sighting {
        Sighting::One(info) => judge(observed, provider, info),
        Sighting::Absent => {
            let message =
                format!("`spec.source.handle`: there is no disk `{handle}` in this account and region");
            Step::blocked(Problem {
                retry: Retry::PERSON,
                ..Problem::stalled(Reason::SourceNotFound, message)
            })
        }
        Sighting::Many(_) | Sighting::Unclear(_) => {
            let message = format!("could not read the disk `{handle}`");
            Step::blocked(Problem::passing(Reason::ProviderUnavailable, message, Retry::TRANSIENT))
        }
    }
}

fn judge(observed: &Observed, provider: &Provider, info: &DiskInfo) -> Step {
    let owner = observed.owner();
    if let Some(problem) = zone_differs(observed, info) {
        return Step::blocked(problem);
    }
    match owner_of(info.tags(), &owner) {
        Ownership::Ours => {}
        Ownership::Untagged if !provider.tags => {
            if let Some(problem) = denied(observed, provider, info) {
                return Step::blocked(problem);
            }
        }
        _ if is_claimable(info.tags(), owner.kind) => {
            if let Some(problem) = denied(observed, provider, info) {
                return Step::blocked(problem);
            }
            return mark(observed, info);
        }
        _ => {
            let message = format!(
                "the disk `{}` carries the owner tag of another object; release it there, or remove its tag `{}`",
                info.handle,
                owner.kind.uid_tag()
            );
            return Step::blocked(Problem {
                retry: Retry::PERSON,
                ..Problem::stalled(Reason::AlreadyClaimed, message)
            });
        }
    }
    if info.life() != Life::Usable {
        let message = format!("the disk `{}` is not usable yet", info.handle);
        return Step::blocked(Problem::passing(Reason::SourceNotReady, message, Retry::BUSY));
    }
    let Some(account) = &observed.account else { return Step::Read(Read::Account) };
    let mut status = observed.status();
    create::adopt_facts(observed, &mut status, info);
    status.provider = Some(provider.recorded(account.id.clone()));
    status.lifecycle = Some(lifecycle::CREATING.to_owned());
    let note = Note::new(Reason::Adopted, format!("the disk `{}` is adopted", info.handle));
    Step::act(Act::WriteStatus(status, Some(note)))
}

/// Adoption takes the administrator's consent, or that of who can tag the disk: otherwise whoever may
/// write KompoxDisks could attach every disk that the credentials reach. What this namespace left behind
/// was its own.
fn denied(observed: &Observed, provider: &Provider, info: &DiskInfo) -> Option<Problem> {
    let owner = observed.owner();
    let consent = format!("{}/{}", owner.namespace, owner.name);
    let has = |key: &str, value: &str| info.tags().get(key).is_some_and(|found| found == value);
    let named =
        has(identity::TAG_ADOPT, &consent) || has(identity::TAG_ADOPT, &identity::tag_value(&consent));
    let ours = owner.tags();
    let left_here =
        ours.get(identity::TAG_CLUSTER).is_some_and(|cluster| has(identity::TAG_CLUSTER, cluster))
            && has(identity::TAG_NAMESPACE, &identity::tag_value(&owner.namespace));
    let message = match provider.adoption {
        Adoption::Any => return None,
        Adoption::Tagged if named || left_here => return None,
        Adoption::Tagged => format!(
            "the disk `{}` may not be adopted: tag it `{}={consent}` at the provider",
            info.handle,
            identity::TAG_ADOPT
        ),
        Adoption::Denied => "the administrator does not let disks be adopted (`grants.adoption` of the \
             KompoxDriver); remove `spec.source.handle`"
            .to_owned(),
    };
    Some(Problem { retry: Retry::PERSON, ..Problem::stalled(Reason::AdoptionDenied, message) })
}

fn zone_differs(observed: &Observed, info: &DiskInfo) -> Option<Problem> {
    let (wanted, real) = (observed.spec().zone.as_ref()?, info.zone.as_ref()?);
    (wanted != real).then(|| {
        let message = format!(
            "`spec.zone` is `{wanted}`, but the disk `{}` is in `{real}`; correct or remove it",
            info.handle
        );
        Problem::stalled(Reason::ZoneMismatch, message)
    })
}

/// Writes our tags, which are then read back: of two operators that do so at once, one loses.
fn mark(observed: &Observed, info: &DiskInfo) -> Step {
    if let Some(problem) = &observed.tags_refused {
        return Step::blocked(problem.clone());
    }
    let set = create::intent(observed, 1).tags;
    let remove = vec![identity::TAG_ORPHANED.to_owned(), identity::TAG_TRASH.to_owned()];
    let target = Target { handle: info.handle.clone(), name: None, tags: Attributes::new() };
    Step::act(Act::SetTags(target, TagChange { set, remove }))
}
