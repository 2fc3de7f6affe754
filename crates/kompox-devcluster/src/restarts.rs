//! Whether and when a part that ended by itself is started again. Pure: the clock is an argument.

use crate::part::PartName;
use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

/// A part may end so often within [`WINDOW`]; with one more time the cluster ends.
pub(crate) const MOST: usize = 5;
/// What is longer ago does not count.
pub(crate) const WINDOW: Duration = Duration::from_secs(600);
/// The wait before the first start again; it doubles with each time in the window.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// When the parts of one cluster ended.
#[derive(Debug, Default)]
pub(crate) struct Restarts {
    ends: BTreeMap<PartName, VecDeque<Instant>>,
}

impl Restarts {
    /// A part has ended: how long to wait before it is started again. `None`: too often.
    pub(crate) fn ended(&mut self, part: PartName, now: Instant) -> Option<Duration> {
        let ends = self.ends.entry(part).or_default();
        ends.retain(|end| now.duration_since(*end) < WINDOW);
        ends.push_back(now);
        let before = u32::try_from(ends.len()).unwrap_or(u32::MAX).saturating_sub(1);
        (ends.len() <= MOST).then(|| FIRST_WAIT * 2_u32.saturating_pow(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_ends_again_and_again_waits_longer_and_is_given_up() {
        let (mut restarts, start) = (Restarts::default(), Instant::now());
        let mut waits = |part, seconds| restarts.ended(part, start + Duration::from_secs(seconds));
        let expected = [250, 500, 1000, 2000, 4000].map(|wait| Some(Duration::from_millis(wait)));
        assert_eq!([0, 1, 2, 3, 4].map(|second| waits(PartName::Kubelet, second)), expected);
        assert_eq!(waits(PartName::Kubelet, 5), None);
        // Each part counts for itself, and what is long ago does not count.
        assert_eq!(waits(PartName::Etcd, 6), Some(FIRST_WAIT));
        assert_eq!(waits(PartName::Kubelet, 3600), Some(FIRST_WAIT));
    }
}
