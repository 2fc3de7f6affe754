//! From bytes to a driver: size, digest, compilation, type check, descriptor. One refusal, in words,
//! for everything that is wrong.

mod code;
mod descriptor;
mod interfaces;

use crate::{
    component::{Exports, LoadedDriver},
    engine::chain,
    error::LoadError,
    http::Client,
    observer::ComponentCompiled,
    operation::Operation,
    options::EgressGrant,
    package::digest,
    runtime::{Runtime, Shared, permits},
    state::CallState,
};
use kompox_core::driver::{Call, ClusterIdentity, Credentials, Descriptor};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::sync::Semaphore;
use wasmtime::{
    Cache, Engine,
    component::{Component, InstancePre, Linker},
};

impl Runtime {
    /// Checks and compiles a component and asks it who it is. Compiles on a thread of its own, one
    /// component at a time: compiling is what costs memory.
    ///
    /// # Errors
    /// Why the component is refused, and what its author or the administrator can do.
    pub async fn load(&self, bytes: Vec<u8>) -> Result<Arc<LoadedDriver>, LoadError> {
        let shared = &self.shared;
        check_bytes(&bytes, shared.options.limits.component_bytes)?;
        let digest = digest(&bytes);
        let component = compile(shared, bytes).await?;
        let interfaces = interfaces::check(&component.component_type(), &shared.engine)?;
        let (pre, exports) = link(&shared.linker, &component, &interfaces)?;
        let candidate = Candidate { shared: Arc::clone(shared), digest, interfaces, pre, exports };
        candidate.introduce().await.map(Arc::new)
    }
}

fn check_bytes(bytes: &[u8], limit: usize) -> Result<(), LoadError> {
    if bytes.len() > limit {
        return Err(LoadError::TooLarge { limit });
    }
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', 0x0d, 0, 1, 0]) => Ok(()),
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => Err(LoadError::NotAComponent(
            "it is a core WebAssembly module, not a component; build it for the target wasm32-wasip2",
        )),
        _ => Err(LoadError::NotAComponent("it is not a WebAssembly component")),
    }
}

async fn compile(shared: &Arc<Shared>, bytes: Vec<u8>) -> Result<Component, LoadError> {
    let failed = |what: String| LoadError::Compile(what);
    let _turn = shared.compiler.acquire().await.map_err(|error| failed(error.to_string()))?;
    let engine: Engine = shared.engine.clone();
    let (started, hits) = (Instant::now(), shared.cache.as_ref().map(Cache::cache_hits));
    let compiling = tokio::task::spawn_blocking(move || {
        code::check(&bytes)?;
        Component::new(&engine, bytes).map_err(|error| LoadError::Compile(chain(&error)))
    });
    let component = compiling.await.map_err(|error| failed(error.to_string()))??;
    // Nobody else compiles meanwhile.
    let cache = match (hits, shared.cache.as_ref().map(Cache::cache_hits)) {
        (Some(before), Some(after)) if after > before => "hit",
        (Some(_), Some(_)) => "miss",
        _ => "off",
    };
    shared.options.observer.component_compiled(&ComponentCompiled { cache, duration: started.elapsed() });
    Ok(component)
}

fn link(
    linker: &Linker<CallState>,
    component: &Component,
    interfaces: &interfaces::Interfaces,
) -> Result<(InstancePre<CallState>, Exports), LoadError> {
    let pre = linker.instantiate_pre(component).map_err(|error| interfaces.misfit(chain(&error)))?;
    let exports = Exports::new(&pre, interfaces.disk_modify, interfaces.snapshot)?;
    Ok((pre, exports))
}

/// A component that links and has not said yet who it is.
struct Candidate {
    shared: Arc<Shared>,
    digest: String,
    interfaces: interfaces::Interfaces,
    pre: InstancePre<CallState>,
    exports: Exports,
}

impl Candidate {
    async fn introduce(self) -> Result<LoadedDriver, LoadError> {
        let nothing = EgressGrant::default();
        let client = |grant: &EgressGrant| {
            Arc::new(Client::new(&self.shared.trust, grant, &self.shared.options.limits))
        };
        let mut driver = LoadedDriver {
            client: client(&nothing),
            shared: Arc::clone(&self.shared),
            name: "unnamed".into(),
            descriptor: unnamed(),
            digest: self.digest,
            restricted_imports: self.interfaces.restricted,
            calls: Arc::new(Semaphore::new(permits(self.shared.options.limits.concurrent_calls_per_driver))),
            grant: nothing,
            imports: self.interfaces.imports,
            exported: self.interfaces.exports,
            exports: Arc::new(self.exports),
            pre: self.pre,
        };
        let json = describe(&driver).await?;
        driver.descriptor = descriptor::read(&json)?;
        driver.name = driver.descriptor.name.as_str().into();
        if let Some(grant) = self.shared.options.grants.get(&driver.descriptor.name) {
            driver.client = client(grant);
            driver.grant = grant.clone();
        }
        Ok(driver)
    }
}

fn unnamed() -> Descriptor {
    Descriptor {
        name: String::new(),
        version: String::new(),
        vendor: String::new(),
        min_host_version: None,
        requires: Vec::new(),
        providers: Vec::new(),
    }
}

/// Compares the driver's functions with the contract and asks for the descriptor, with nothing in hand: no
/// configuration, no credentials, no network.
async fn describe(driver: &LoadedDriver) -> Result<String, LoadError> {
    let call = Call {
        provider_type: String::new(),
        config: BTreeMap::new(),
        cluster: ClusterIdentity::default(),
        credentials: Credentials::default(),
        subject: String::new(),
        timeout: driver.shared.options.limits.describe_timeout,
    };
    let misfit: Arc<Mutex<Option<LoadError>>> = Arc::default();
    let found = Arc::clone(&misfit);
    let asked = driver.serve(
        &call,
        Operation::Describe,
        move |mut guest| {
            Box::pin(async move {
                if let Err(error) = guest.fit() {
                    let text = error.to_string();
                    *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    return Err(wasmtime::Error::msg(text));
                }
                guest.identity()?.call_describe(guest.store).await.map(Ok)
            })
        },
        |_reader, json| Ok(json),
    );
    asked.await.map_err(|error| {
        let misfit = misfit.lock().unwrap_or_else(PoisonError::into_inner).take();
        misfit.unwrap_or(LoadError::Describe(error.message))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_component_are_told_apart() {
        let module = [&b"\0asm"[..], &[1, 0, 0, 0]].concat();
        let component = [&b"\0asm"[..], &[0x0d, 0, 1, 0]].concat();
        assert!(check_bytes(&component, 100).is_ok());
        let cases: [(&[u8], &str); 4] = [
            (&module, "wasm32-wasip2"),
            (b"(component)", "not a WebAssembly"),
            (b"", "not a"),
            (&[0; 101], "100 bytes"),
        ];
        for (bytes, expected) in cases {
            let error = check_bytes(bytes, 100).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
