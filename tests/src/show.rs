//! What the demo prints: steps, what changes while it waits, and tables. Plain text that also reads well
//! in a log.

use futures::{FutureExt as _, StreamExt as _};
use kompox_crds::v1alpha1::{KompoxApp, KompoxDisk, KompoxSnapshot};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    core::ObjectList,
    runtime::{WatchStreamExt as _, watcher},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::task::AbortHandle;

/// Prints the course of the demo. Clones print to the same place.
#[derive(Clone, Debug)]
pub struct Show {
    started: Instant,
}

/// What is being followed; following ends when this is stopped or dropped.
#[derive(Debug)]
pub struct Following(Vec<AbortHandle>);

impl Following {
    /// Stops.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl Default for Show {
    fn default() -> Self {
        Self::new()
    }
}

impl Show {
    /// Counts the time from now.
    #[must_use]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }

    /// A line.
    pub fn say(&self, text: &str) {
        println!("{text}");
    }

    /// The beginning of a step.
    pub fn step(&self, text: &str) {
        println!("\n[{:>5.1} s] {text}", self.started.elapsed().as_secs_f64());
    }

    /// Something that belongs to the step.
    pub fn detail(&self, text: &str) {
        println!("  {:>5.1} s  {text}", self.started.elapsed().as_secs_f64());
    }

    /// Rows with aligned columns.
    pub fn table(&self, rows: &[Vec<String>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width =
            |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            println!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
        }
    }

    /// Prints each change of a disk's, a snapshot's or an app's `Ready` condition as it happens.
    #[must_use]
    pub fn follow(&self, client: Client, namespace: &str) -> Following {
        Following(vec![
            self.follow_kind::<KompoxDisk>(Api::namespaced(client.clone(), namespace)),
            self.follow_kind::<KompoxSnapshot>(Api::namespaced(client.clone(), namespace)),
            self.follow_kind::<KompoxApp>(Api::namespaced(client, namespace)),
        ])
    }

    fn follow_kind<K>(&self, api: Api<K>) -> AbortHandle
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize + Send + Sync + 'static,
    {
        let (show, said) = (self.clone(), Arc::new(Mutex::new(BTreeMap::<String, String>::new())));
        let stream = watcher(api, watcher::Config::default()).default_backoff().applied_objects();
        let following = stream.for_each(move |object| {
            if let Ok(object) = object {
                let name = format!("{} {}", K::kind(&()), object.name_any());
                let news = serde_json::to_value(&object).map(|object| state(&object)).unwrap_or_default();
                let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                if !news.is_empty() && said.get(&name) != Some(&news) {
                    show.detail(&format!("{name}: {news}"));
                    said.insert(name, news);
                }
            }
            std::future::ready(())
        });
        tokio::spawn(following.map(drop)).abort_handle()
    }
}

/// The `Ready` condition in one line.
fn state(object: &Value) -> String {
    let of = |field| crate::objects::condition(object, "Ready", field);
    match (of("status"), of("reason"), of("message")) {
        ("", ..) => String::new(),
        ("True", _, _) => "ready".to_owned(),
        (_, reason, message) => format!("{reason}: {message}"),
    }
}

/// A table: a heading and one row for each object, with the values at these JSON pointers.
pub fn rows<K>(list: ObjectList<K>, pointers: &[&str]) -> Vec<Vec<String>>
where
    K: Resource<DynamicType = ()> + Clone + Serialize,
{
    let title = |pointer: &&str| {
        pointer.rsplit('/').find(|part| part.parse::<u8>().is_err()).unwrap_or_default().to_uppercase()
    };
    let heading = std::iter::once(K::kind(&()).to_uppercase()).chain(pointers.iter().map(title)).collect();
    let row = |object: K| {
        let value = serde_json::to_value(&object).unwrap_or_default();
        let cell = |pointer: &&str| match value.pointer(pointer) {
            None | Some(Value::Null) => "-".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        std::iter::once(object.name_any()).chain(pointers.iter().map(cell)).collect()
    };
    std::iter::once(heading).chain(list.items.into_iter().map(row)).collect()
}
