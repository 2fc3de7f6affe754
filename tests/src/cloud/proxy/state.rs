//! What the proxy knows: faults to come, tokens seen, objects that are still being made.

use super::{Parameters, answer};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// A fault for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed before the request is forwarded: nothing happened.
    Refuse,
    /// The request is forwarded and done, and its answer is lost.
    LoseAnswer,
    /// Not forwarded: 503 `RequestLimitExceeded`.
    Throttle,
    /// Not forwarded: an EC2 error, such as 403 `UnauthorizedOperation` or 400 `VolumeLimitExceeded`.
    Error {
        /// HTTP status.
        status: u16,
        /// EC2's code.
        code: String,
    },
    /// Not forwarded: a page that is not XML, as a gateway on the way would send it.
    Html {
        /// HTTP status.
        status: u16,
    },
    /// The create is accepted, and the volume ends in state `error`; its token stays burned.
    FailLater,
}

/// A request that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Such as `CreateVolume`.
    pub action: String,
    /// The form, without `Action` and `Version`. Headers are not kept.
    pub parameters: BTreeMap<String, String>,
}

/// What becomes of a request.
pub(super) enum Plan {
    /// The connection is closed.
    Close,
    /// The proxy answers itself.
    Answer(u16, String),
    /// moto answers.
    Forward { lose_answer: bool, fail_later: bool },
}

/// What a client token stands for.
#[derive(Debug)]
struct Token {
    parameters: Parameters,
    /// None while moto still works on the first request.
    answer: Option<String>,
}

/// An object that is still being made.
#[derive(Clone, Debug)]
struct Making {
    polls: u32,
    of: u32,
    hidden: u32,
    fails: bool,
}

/// See [`super::Proxy`] for the meaning of the settings.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) down: bool,
    pub(super) delay: Duration,
    pub(super) volume_polls: u32,
    pub(super) snapshot_polls: u32,
    pub(super) lag: u32,
    pub(super) page_length: Option<usize>,
    pub(super) recorded: Vec<Recorded>,
    pub(super) faults: BTreeMap<String, VecDeque<Fault>>,
    tokens: BTreeMap<String, Token>,
    making: BTreeMap<String, Making>,
}

/// Which elements an action's answer has.
struct Shape {
    set: &'static str,
    id: &'static str,
    early: &'static str,
}

const VOLUMES: Shape = Shape { set: "volumeSet", id: "volumeId", early: "creating" };
const SNAPSHOTS: Shape = Shape { set: "snapshotSet", id: "snapshotId", early: "pending" };

fn shape(action: &str) -> Option<&'static Shape> {
    match action {
        "CreateVolume" | "DescribeVolumes" => Some(&VOLUMES),
        "CreateSnapshot" | "DescribeSnapshots" => Some(&SNAPSHOTS),
        _ => None,
    }
}

impl State {
    pub(super) fn inject(&mut self, action: &str, fault: Fault, times: usize) {
        self.faults.entry(action.to_owned()).or_default().extend(std::iter::repeat_n(fault, times));
    }

    pub(super) fn pending_faults(&self) -> usize {
        self.faults.values().map(VecDeque::len).sum()
    }

    /// Records a request and decides about it.
    pub(super) fn arrive(&mut self, action: &str, parameters: &Parameters) -> Plan {
        let kept = parameters.iter().filter(|(name, _)| !matches!(name.as_str(), "Action" | "Version"));
        let kept = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        self.recorded.push(Recorded { action: action.to_owned(), parameters: kept });
        if self.down {
            return Plan::Close;
        }
        let fault = self.faults.get_mut(action).and_then(VecDeque::pop_front);
        let (lose_answer, fail_later) = match fault {
            Some(Fault::Refuse) => return Plan::Close,
            Some(Fault::Throttle) => return refusal(503, "RequestLimitExceeded"),
            Some(Fault::Error { status, code }) => return refusal(status, &code),
            Some(Fault::Html { status }) => {
                return Plan::Answer(status, "<!doctype html>\n<title>Bad gateway</title>\n<hr>".into());
            }
            Some(Fault::LoseAnswer) => (true, false),
            Some(Fault::FailLater) => (false, true),
            None => (false, false),
        };
        if let Some(plan) = self.unready(action, parameters) {
            return plan;
        }
        match self.remember(action, parameters) {
            Some(Plan::Answer(..)) if lose_answer => Plan::Close,
            Some(plan) => plan,
            None => Plan::Forward { lose_answer, fail_later },
        }
    }

    /// EC2 refuses to delete or use what is still being made.
    fn unready(&self, action: &str, parameters: &Parameters) -> Option<Plan> {
        let name = match action {
            "DeleteVolume" | "ModifyVolume" => "VolumeId",
            "CreateVolume" => "SnapshotId",
            _ => return None,
        };
        let making = self.making.get(parameters.get(name)?)?;
        (making.polls > 0).then(|| refusal(400, "IncorrectState"))
    }

    /// `CreateVolume` with a known token is not forwarded; with a new one it is remembered.
    fn remember(&mut self, action: &str, parameters: &Parameters) -> Option<Plan> {
        let token = parameters.get("ClientToken").filter(|_| action == "CreateVolume")?;
        match self.tokens.get(token) {
            None => {
                let first = Token { parameters: parameters.clone(), answer: None };
                self.tokens.insert(token.clone(), first);
                None
            }
            Some(Token { parameters: first, answer: Some(answer) }) if first == parameters => {
                Some(Plan::Answer(200, answer.clone()))
            }
            Some(_) => Some(refusal(400, "IdempotentParameterMismatch")),
        }
    }

    /// moto gave no answer to the request: its token is free again.
    pub(super) fn abandon(&mut self, parameters: &Parameters) {
        if let Some(token) = parameters.get("ClientToken") {
            self.tokens.remove(token);
        }
    }

    /// Changes moto's answer.
    pub(super) fn depart(
        &mut self,
        action: &str,
        parameters: &Parameters,
        status: u16,
        text: String,
        fail_later: bool,
    ) -> String {
        if status != 200 {
            // A refused request spends no token.
            self.abandon(parameters);
            return text;
        }
        let Some(shape) = shape(action) else { return text };
        if !action.starts_with("Create") {
            return self.describe(shape, parameters, text);
        }
        let text = self.created(shape, text, fail_later);
        if let Some(token) = parameters.get("ClientToken").and_then(|token| self.tokens.get_mut(token)) {
            token.answer = Some(text.clone());
        }
        text
    }

    fn created(&mut self, shape: &Shape, text: String, fails: bool) -> String {
        let polls = if shape.set == VOLUMES.set { self.volume_polls } else { self.snapshot_polls };
        let Some(id) = answer::id(&text, shape.id).map(str::to_owned) else { return text };
        if polls == 0 && self.lag == 0 && !fails {
            return text;
        }
        self.making.insert(id, Making { polls, of: polls, hidden: self.lag, fails });
        let text = answer::with_progress(&text, 0);
        answer::with_status(&text, shape.id, shape.early)
    }

    fn describe(&mut self, shape: &Shape, parameters: &Parameters, text: String) -> String {
        let Some(set) = answer::split(&text, shape.set) else { return text };
        let items: Vec<String> = set.items.iter().filter_map(|item| self.item(shape, item)).collect();
        let number = |name: &str| parameters.get(name).and_then(|value| value.parse::<usize>().ok());
        let asked = number("MaxResults").unwrap_or(usize::MAX);
        let length = self.page_length.map_or(asked, |most| most.min(asked));
        let token = parameters.get("NextToken").and_then(|token| token.strip_prefix("page-"));
        let start = token.and_then(|start| start.parse::<usize>().ok()).unwrap_or(0);
        let end = start.saturating_add(length);
        let next = (end < items.len()).then(|| format!("page-{end}"));
        let page: Vec<String> = items.into_iter().skip(start).take(length).collect();
        set.join(&page, next.as_deref())
    }

    /// The item as it is to be seen now; none while it is hidden.
    fn item(&mut self, shape: &Shape, item: &str) -> Option<String> {
        let Some(making) = answer::id(item, shape.id).and_then(|id| self.making.get_mut(id)) else {
            return Some(item.to_owned());
        };
        if making.hidden > 0 {
            making.hidden -= 1;
            return None;
        }
        if making.polls > 0 {
            let done = (making.of - making.polls) * 100 / making.of;
            making.polls -= 1;
            let item = answer::with_progress(item, done);
            return Some(answer::with_status(&item, shape.id, shape.early));
        }
        Some(if making.fails { answer::with_status(item, shape.id, "error") } else { item.to_owned() })
    }
}

fn refusal(status: u16, code: &str) -> Plan {
    Plan::Answer(status, answer::error(code, &format!("injected by the test proxy: {code}")))
}
