//! A [`Transport`] for drivers' own tests: a script of expected requests and their answers.
//! Not used in components, where the linker drops it.

use crate::http::{Request, Response, Transport, TransportError};
use crate::types::Effect;
use std::collections::VecDeque;

/// Answers requests from a list, in order, and keeps what was asked.
///
/// A request beyond the list gets a transport error, so a driver that asks too much fails its test;
/// [`Script::unused`] tells whether it asked too little.
#[derive(Debug, Default)]
pub struct Script {
    answers: VecDeque<Result<Response, TransportError>>,
    requests: Vec<Request>,
}

impl Script {
    /// An empty script.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The script with one more answer.
    #[must_use]
    pub fn answer(mut self, status: u16, body: impl Into<Vec<u8>>) -> Self {
        self.answers.push_back(Ok(Response { status, headers: Vec::new(), body: body.into() }));
        self
    }

    /// The script with a failure in place of the next answer.
    #[must_use]
    pub fn fail(mut self, effect: Effect, reason: &'static str) -> Self {
        self.answers.push_back(Err(TransportError { effect, reason, message: format!("scripted {reason}") }));
        self
    }

    /// What was asked so far.
    #[must_use]
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// How many answers were not asked for.
    #[must_use]
    pub fn unused(&self) -> usize {
        self.answers.len()
    }
}

impl Transport for Script {
    fn send(&mut self, request: &Request) -> Result<Response, TransportError> {
        self.requests.push(request.clone());
        self.answers.pop_front().unwrap_or_else(|| {
            let message = format!("the script has no answer for request {}", self.requests.len());
            Err(TransportError { effect: Effect::Unknown, reason: "ScriptEnded", message })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Script;
    use crate::http::{Method, Request, Transport};
    use crate::types::Effect;

    #[test]
    fn answers_come_in_order_and_then_end() {
        let mut script = Script::new().answer(200, "a").fail(Effect::None, "ConnectionRefused");
        let request = Request::new(Method::Get, "https://a.example/");
        assert_eq!(script.send(&request).unwrap().body, b"a");
        assert_eq!(script.unused(), 1);
        assert_eq!(script.send(&request).unwrap_err().reason, "ConnectionRefused");
        assert_eq!(script.send(&request).unwrap_err().reason, "ScriptEnded");
        assert_eq!(script.requests().len(), 3);
    }
}
