//! The `resume` token of a create: which object, and how often it was looked for.
//!
//! The count matters when an object that EC2 accepted never becomes visible or vanishes again: its
//! token is burned, and only a new attempt helps. Losing the count costs no more than time.

use kompox_driver_sdk::types::{Error, ErrorCode, Outcome, Pending};

/// First wait, as the EBS CSI driver's first poll.
const FIRST_POLL_MS: u32 = 1250;
const MAX_POLL_MS: u32 = 15_000;
/// About a minute with the waits above; EC2's lists follow within seconds.
const MAX_BLIND_LOOKS: u32 = 10;

/// An object that is being made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resume {
    pub(crate) handle: String,
    looks: u32,
}

impl Resume {
    /// Of an object just accepted.
    pub(crate) fn new(handle: &str) -> Self {
        Self { handle: handle.to_owned(), looks: 0 }
    }

    /// Reads a token.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let parts = text.split_once('/').and_then(|(handle, looks)| Some((handle, looks.parse().ok()?)));
        let (handle, looks) = parts.ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidArgument,
                "InvalidResume",
                "the resume token is not one of this driver",
            )
        })?;
        Ok(Self { handle: handle.to_owned(), looks })
    }

    /// Whether it was looked for in vain long enough.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.looks >= MAX_BLIND_LOOKS
    }

    /// "Ask again", after a wait that grows by half each time.
    pub(crate) fn pending(&self, message: &str, percent: Option<u8>) -> Outcome {
        let waits = (0..self.looks.min(MAX_BLIND_LOOKS)).fold(FIRST_POLL_MS, |wait, _| wait + wait / 2);
        let resume = format!("{}/{}", self.handle, self.looks.saturating_add(1));
        let poll_after_ms = waits.min(MAX_POLL_MS);
        let pending = Pending { resume, message: message.to_owned(), percent, poll_after_ms };
        Outcome { handle: Some(self.handle.clone()), pending: Some(pending) }
    }
}

/// "Finished."
pub(crate) fn finished(handle: Option<&str>) -> Outcome {
    Outcome { handle: handle.map(str::to_owned), pending: None }
}

#[cfg(test)]
mod tests {
    use super::Resume;

    #[test]
    fn waits_grow_and_hope_ends() {
        let mut resume = Resume::new("vol-1");
        let mut waits = Vec::new();
        while !resume.is_hopeless() {
            let pending = resume.pending("m", None).pending.unwrap();
            waits.push(pending.poll_after_ms);
            resume = Resume::parse(&pending.resume).unwrap();
            assert_eq!(resume.handle, "vol-1");
        }
        assert_eq!(waits, [1250, 1875, 2812, 4218, 6327, 9490, 14_235, 15_000, 15_000, 15_000]);
    }

    #[test]
    fn foreign_tokens_are_refused() {
        for text in ["", "vol-1", "vol-1/x"] {
            assert_eq!(Resume::parse(text).unwrap_err().reason, "InvalidResume");
        }
    }
}
