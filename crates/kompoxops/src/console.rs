//! What a person sees while waiting: notes and one moving line, on standard error only. Data goes through
//! [`crate::output`].

use std::sync::Once;
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Prints one line for the user.
pub fn note(text: impl AsRef<str>) {
    anstream::eprintln!("{}", text.as_ref());
}

/// The state of something that takes a while: a spinner on a terminal, one line per change elsewhere.
#[derive(Debug)]
pub struct Activity {
    bar: ProgressBar,
    last: String,
}

impl Activity {
    /// Starts with a first state.
    pub fn start(state: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        let mut activity = Self { bar, last: String::new() };
        activity.set(state);
        activity
    }

    /// Shows a new state; the same state again shows nothing.
    pub fn set(&mut self, state: &str) {
        if self.last == state {
            return;
        }
        state.clone_into(&mut self.last);
        if self.bar.is_hidden() {
            note(state);
        } else {
            self.bar.set_message(state.to_owned());
        }
    }

    /// Prints a line that stays, above the moving one.
    pub fn log(&self, line: &str) {
        self.bar.suspend(|| note(line));
    }
}

/// How far bytes have come: a bar on a terminal, a line with their number elsewhere.
#[derive(Debug)]
pub struct Transfer {
    bar: ProgressBar,
    what: String,
    told: Once,
}

impl Transfer {
    /// Starts with the name of what is done to what, such as `pushing oci://…`; how much there is may come later.
    pub fn start(what: String) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let form = "{spinner} {bar:24} {bytes}/{total_bytes} {binary_bytes_per_sec}  {msg}";
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        bar.set_message(what.clone());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar, what, told: Once::new() }
    }

    /// Shows that `done` bytes of `total` are there.
    pub fn set(&self, done: u64, total: u64) {
        if self.bar.is_hidden() {
            self.told.call_once(|| note(format!("{}: {}", self.what, HumanBytes(total))));
        }
        self.bar.set_length(total);
        self.bar.set_position(done);
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
