//! The interface `identity`.

use super::{Malformed, Read, Reader, list_of, pairs};
use crate::bindings::exports::kompox::driver::identity as wit;
use kompox_core::driver::{Account, Attributes, Detection, Facts, NodeSample};
use serde_json::Value;

impl From<&NodeSample> for wit::NodeSample {
    fn from(sample: &NodeSample) -> Self {
        Self {
            provider_id: sample.provider_id.clone(),
            labels: pairs(&sample.labels),
            annotations: pairs(&sample.annotations),
            count: sample.count,
        }
    }
}

impl From<&Facts> for wit::Facts {
    fn from(facts: &Facts) -> Self {
        Self {
            kubernetes_version: facts.kubernetes_version.clone(),
            csi_drivers: facts.csi_drivers.clone(),
            provisioners: facts.provisioners.clone(),
            nodes: facts.nodes.iter().map(Into::into).collect(),
            attributes: pairs(&facts.attributes),
        }
    }
}

impl Reader {
    pub(crate) fn detections(&self, detections: Vec<wit::Detection>) -> Read<Vec<Detection>> {
        list_of("the list of detections", detections, super::ENTRIES, |detection| self.detection(detection))
    }

    fn detection(&self, detection: wit::Detection) -> Read<Detection> {
        if !(1..=100).contains(&detection.score) {
            return Err(Malformed(format!("a score is {}, not 1 to 100", detection.score)));
        }
        Ok(Detection {
            provider_type: self.word("a detected provider type", detection.provider_type)?,
            score: detection.score,
            config: self.config(&detection.config)?,
            reason: self.message(&detection.reason),
        })
    }

    /// A flat JSON object; numbers and booleans become their text.
    fn config(&self, json: &str) -> Read<Attributes> {
        let not_flat = || Malformed("a detected configuration is not a flat JSON object".to_owned());
        let Ok(Value::Object(members)) = serde_json::from_str::<Value>(json) else { return Err(not_flat()) };
        let members: Read<Vec<(String, String)>> = members
            .into_iter()
            .map(|(key, value)| match value {
                Value::String(text) => Ok((key, text)),
                Value::Bool(_) | Value::Number(_) => Ok((key, value.to_string())),
                Value::Null | Value::Array(_) | Value::Object(_) => Err(not_flat()),
            })
            .collect();
        self.attributes("a detected configuration", members?)
    }

    pub(crate) fn account(&self, account: wit::Account) -> Read<Account> {
        // An empty id would be the same for every account, and ids are compared before anything is destroyed.
        if account.id.as_deref().is_some_and(str::is_empty) {
            return Err(Malformed("an account id is empty".to_owned()));
        }
        Ok(Account {
            id: self.optional("an account id", account.id)?,
            name: self.optional("an account name", account.name)?,
            attributes: self.attributes("the account's attributes", account.attributes)?,
        })
    }
}
