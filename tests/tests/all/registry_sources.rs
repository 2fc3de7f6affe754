//! Drivers that the running operator pulls from a real registry.

use anyhow::{Context as _, Result, ensure};
use kompox_crds::v1alpha1::KompoxDriver;
use kompox_oci::{Client, Credentials, Description, Image, Proxies, Reference, Registries, SILENT};
use kompox_signature::{Evidence, Identity, SigningKey, Subject};
use kompox_tests::{
    objects,
    registry::{Options, Registry, USER},
    scene::{PATIENCE, Scene, is},
    stage::Stage,
};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::sigstore::Sigstore;

/// A scene whose operator knows one registry, and has a store of its own.
struct Place<'a> {
    scene: Scene<'a>,
    client: Client,
    reference: Reference,
}

async fn open<'a>(stage: &'a Stage, name: &str, registry: &Registry) -> Result<Place<'a>> {
    open_with(stage, name, registry, Vec::new()).await
}

/// As [`open`], with these variables in the operator's environment too.
async fn open_with<'a>(
    stage: &'a Stage,
    name: &str,
    registry: &Registry,
    more: Vec<(&'static str, String)>,
) -> Result<Place<'a>> {
    let directory = stage.directory().join(format!("oci-{name}"));
    std::fs::create_dir_all(directory.join("no-drivers"))?;
    let registries = json!({ "registries": [{ "prefix": registry.host(), "plainHttp": true }] });
    let file = directory.join("registries.yaml");
    std::fs::write(&file, registries.to_string())?;
    let mut environment = vec![
        ("KOMPOX_DRIVERS_DIR", directory.join("no-drivers").display().to_string()),
        ("KOMPOX_NAMESPACE", format!("t-{name}")),
        ("KOMPOX_REGISTRIES_CONFIG", file.display().to_string()),
        ("KOMPOX_COMPONENT_STORE_DIR", directory.join("store").display().to_string()),
    ];
    environment.extend(more);
    let registries: Registries = serde_json::from_value(registries)?;
    Ok(Place {
        scene: Scene::open_with(stage, name, environment).await?,
        client: Client::new(registries, Proxies::default()),
        reference: format!("{}/acme/driver:1", registry.host()).parse()?,
    })
}

impl Place<'_> {
    async fn push(&self, component: Vec<u8>) -> Result<kompox_oci::Digest> {
        let image = Image::of_component(component.into(), &Description::default());
        Ok(self.client.push(&self.reference, &image, &Credentials::none(), SILENT).await?)
    }

    /// Applies a KompoxDriver that pulls the reference; `more` are further members of `source.oci`.
    async fn apply(&self, name: &str, more: &Value) -> Result<()> {
        let mut oci = more.as_object().cloned().unwrap_or_default();
        oci.insert("reference".to_owned(), self.reference.to_string().into());
        let driver = json!({
            "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxDriver",
            "metadata": { "name": name, "labels": { "kompox-test": self.scene.namespace } },
            "spec": { "source": { "oci": oci }, "egress": { "mode": "Declared" } },
        });
        self.scene.apply(&driver.to_string()).await
    }

    async fn says(&self, name: &str, type_: &str, reason: &str) -> Result<KompoxDriver> {
        let drivers: Api<KompoxDriver> = Api::all(self.scene.client());
        objects::wait_for(&drivers, name, PATIENCE, |driver| is(driver, type_, "reason", reason)).await
    }

    /// Asks for a look at the registry now.
    async fn look(&self, name: &str, when: &str) -> Result<()> {
        let patch = json!({ "metadata": { "annotations": { "kompox.dev/reconcile-requested-at": when } } });
        let drivers: Api<KompoxDriver> = Api::all(self.scene.client());
        drivers.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    async fn close(self, name: &str) -> Result<()> {
        Api::<KompoxDriver>::all(self.scene.client()).delete(name, &DeleteParams::default()).await?;
        self.scene.close().await
    }
}

fn message(driver: &KompoxDriver, type_: &str) -> Result<String> {
    Ok(objects::condition(&serde_json::to_value(driver)?, type_, "message").to_owned())
}

pub(super) async fn pulled_verified_moved_and_started_without_the_registry(stage: &Stage) -> Result<()> {
    let registry = Registry::start(stage.registry().await?, &Options::default()).await?;
    let mut place = open(stage, "pulled", &registry).await?;
    let component = std::fs::read(stage.programs.drivers.join("eks.wasm"))?;
    let digest = place.push(component.clone()).await?;
    let password = "p".to_owned().into();
    let pair = kompox_signature::generate(&password)?;
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "signer" },
        "stringData": { "cosign.pub": pair.public_pem },
    });
    place.scene.apply(&secret.to_string()).await?;
    let verify = json!({ "verify": { "keySecretRef": { "name": "signer", "key": "cosign.pub" } } });
    place.apply("pulled", &verify).await?;
    place.says("pulled", "Verified", "Unsigned").await?;
    let key = SigningKey::from_pem(&pair.private_pem, Some(&password))?;
    let evidence = key.sign_bundle(&Subject::new(&place.reference.name(), digest.as_str())?)?;
    place.client.attach(&place.reference, &digest, &evidence, &Credentials::none()).await?;
    place.look("pulled", "signed").await?;
    let good = place.says("pulled", "Ready", "Ready").await?.status.unwrap_or_default();
    ensure!(good.verified_by.as_deref().is_some_and(|by| by.starts_with("key sha256:")), "{good:?}");
    ensure!(good.source == Some(place.reference.to_string()) && good.provider_types == ["eks"], "{good:?}");
    place.scene.apply(&place.scene.disk("data", "")).await?;
    place.scene.disk_ready("data").await?;

    // Nobody signed what the tag names now: the signed one stays.
    place.push(b"\0asm no driver".to_vec()).await?;
    place.look("pulled", "moved").await?;
    let moved = place.says("pulled", "Verified", "Unsigned").await?;
    ensure!(message(&moved, "Ready")?.contains("stays in use"));
    ensure!(moved.status.unwrap_or_default().digest == good.digest, "another component is in use");
    place.push(component).await?;
    place.look("pulled", "back").await?;
    place.says("pulled", "Ready", "Ready").await?;

    place.scene.kill_operator().await?;
    registry.stop().await?;
    place.scene.start_operator().await?;
    place.scene.apply(&place.scene.disk("offline", "")).await?;
    place.scene.disk_ready("offline").await?;
    place.look("pulled", "offline").await?;
    let drivers: Api<KompoxDriver> = Api::all(place.scene.client());
    let told = |driver: &KompoxDriver| {
        message(driver, "Fetched").is_ok_and(|text| text.contains("could not be asked again"))
    };
    let offline = objects::wait_for(&drivers, "pulled", PATIENCE, told).await?;
    ensure!(is(&offline, "Ready", "status", "True"), "an outage of the registry harms the driver");
    place.close("pulled").await
}

pub(super) async fn what_a_registry_refuses_says_why(stage: &Stage) -> Result<()> {
    let registry =
        Registry::start(stage.registry().await?, &Options { password: true, ..Options::default() }).await?;
    let place = open(stage, "denied", &registry).await?;
    place.apply("denied", &json!({})).await?;
    let denied = place.says("denied", "Fetched", "RegistryDenied").await?;
    ensure!(message(&denied, "Fetched")?.contains("`spec.source.oci.pullSecretRef`"));
    place.apply("denied", &json!({ "pullSecretRef": { "name": "pull" } })).await?;
    let missing = place.says("denied", "Fetched", "CredentialsMissing").await?;
    ensure!(message(&missing, "Fetched")?.contains("Secret `pull` does not exist"));
    // The Secret comes, and nobody has to touch the driver.
    for (password, reason) in [("wrong", "RegistryDenied"), (USER.1, "ArtifactNotFound")] {
        let config = json!({ "auths": { registry.host(): { "username": USER.0, "password": password } } });
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "pull" },
            "type": "kubernetes.io/dockerconfigjson", "stringData": { ".dockerconfigjson": config.to_string() },
        });
        place.scene.apply(&secret.to_string()).await?;
        let refused = place.says("denied", "Fetched", reason).await?;
        let said = message(&refused, "Fetched")?;
        ensure!(!said.contains("wrong") && said.contains("driver:1"), "{said}");
    }
    place.close("denied").await
}

pub(super) async fn goes_on_with_the_last_good_component_after_a_restart(stage: &Stage) -> Result<()> {
    let registry = Registry::start(stage.registry().await?, &Options::default()).await?;
    let mut place = open(stage, "lastgood", &registry).await?;
    place.push(std::fs::read(stage.programs.drivers.join("eks.wasm"))?).await?;
    place.apply("lastgood", &json!({})).await?;
    let good = place.says("lastgood", "Ready", "Ready").await?.status.unwrap_or_default();
    place.push(b"\0asm no driver".to_vec()).await?;
    place.look("lastgood", "bad").await?;
    place.says("lastgood", "Compiled", "DriverIncompatible").await?;

    place.scene.kill_operator().await?;
    place.scene.start_operator().await?;
    place.scene.apply(&place.scene.disk("data", "")).await?;
    place.scene.disk_ready("data").await?;
    let bad = place.says("lastgood", "Compiled", "DriverIncompatible").await?;
    let said = message(&bad, "Ready")?;
    ensure!(said.contains("the last good component") && said.contains("stays in use"), "{said}");
    let status = bad.status.context("a status")?;
    ensure!(status.digest == good.digest && status.last_good_digest == good.digest, "{status:?}");
    place.close("lastgood").await
}

/// What a workflow of a private forge would be called.
fn workflow() -> Identity {
    Identity {
        issuer: "https://token.forge.test".to_owned(),
        subject: "https://forge.test/acme/driver/.github/workflows/release.yml@refs/tags/v1".to_owned(),
    }
}

/// `spec.source.oci.verify` for an identity.
fn keyless(identity: &Identity) -> Value {
    json!({ "verify": { "keyless": { "issuer": identity.issuer, "subject": identity.subject } } })
}

impl Place<'_> {
    /// Pushes a component, and attaches what `bundle` makes for its subject.
    async fn push_with(
        &self,
        component: Vec<u8>,
        bundle: impl AsyncFn(&Subject) -> Result<Value>,
    ) -> Result<()> {
        let digest = self.push(component).await?;
        let subject = Subject::new(&self.reference.name(), digest.as_str())?;
        let evidence = Evidence::Bundle(serde_json::to_vec(&bundle(&subject).await?)?);
        self.client.attach(&self.reference, &digest, &evidence, &Credentials::none()).await?;
        Ok(())
    }
}

/// A keyless signature that cosign made with Sigstore's public instance, of an image of somebody else.
fn of_the_public_instance() -> Result<Value> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/kompox-signature/tests/fixtures/keyless/kubewarden-controller.bundle.json"
    );
    Ok(serde_json::from_slice(&std::fs::read(file)?)?)
}

pub(super) async fn keyless_identities_are_verified_and_each_refusal_has_its_reason(
    stage: &Stage,
) -> Result<()> {
    let registry = Registry::start(stage.registry().await?, &Options::default()).await?;
    let sigstore = Sigstore::new()?;
    let root = stage.directory().join("keyless-trusted-root.json");
    std::fs::write(&root, sigstore.trusted_root().to_string())?;
    let trusted = vec![("KOMPOX_SIGSTORE_TRUSTED_ROOT", root.display().to_string())];
    let place = open_with(stage, "keyless", &registry, trusted).await?;
    let signed = async |subject: &Subject| -> Result<Value> { sigstore.sign(&workflow(), subject) };
    let another = Subject::new(&place.reference.name(), &format!("sha256:{}", "0".repeat(64)))?;
    place.push(b"\0asm unsigned".to_vec()).await?;
    place.apply("keyless", &keyless(&workflow())).await?;
    place.says("keyless", "Verified", "Unsigned").await?;

    place.push_with(b"\0asm other".to_vec(), async |_| sigstore.sign(&workflow(), &another)).await?;
    place.look("keyless", "other").await?;
    place.says("keyless", "Verified", "SignedForAnother").await?;

    let unlogged = async |subject: &Subject| -> Result<Value> {
        let mut bundle = signed(subject).await?;
        let entries = bundle.pointer_mut("/verificationMaterial/tlogEntries");
        *entries.context("the bundle has no log entries")? = json!([]);
        Ok(bundle)
    };
    place.push_with(b"\0asm unlogged".to_vec(), unlogged).await?;
    place.look("keyless", "unlogged").await?;
    place.says("keyless", "Verified", "SignatureUnlogged").await?;

    place.push_with(b"\0asm public".to_vec(), async |_| of_the_public_instance()).await?;
    place.look("keyless", "public").await?;
    let untrusted = place.says("keyless", "Verified", "SignatureUntrusted").await?;
    ensure!(untrusted.status.is_some_and(|status| status.digest.is_none()), "nothing may be in use");

    place.push_with(std::fs::read(stage.programs.drivers.join("eks.wasm"))?, signed).await?;
    place.look("keyless", "good").await?;
    let good = place.says("keyless", "Ready", "Ready").await?.status.unwrap_or_default();
    let expected = format!("{} (sigstore bundle)", workflow());
    ensure!(good.verified_by.as_deref() == Some(&expected), "{good:?}");

    let (issuer, subject) = ("https://other.test".to_owned(), "https://forge.test/other".to_owned());
    for (identity, reason) in [
        (Identity { issuer, ..workflow() }, "IssuedByAnother"),
        (Identity { subject, ..workflow() }, "SignedByAnother"),
    ] {
        place.apply("keyless", &keyless(&identity)).await?;
        let refused = place.says("keyless", "Verified", reason).await?;
        let said = message(&refused, "Verified")?;
        ensure!(said.contains("expected") && said.contains("forge.test"), "{said}");
    }
    verified_by_the_command_line(&place, &root).await?;
    place.close("keyless").await
}

/// The same artifact, by `kompoxops driver verify`: under the private root it passes, under the public one it does not.
async fn verified_by_the_command_line(place: &Place<'_>, root: &std::path::Path) -> Result<()> {
    let registries = place.scene.stage.directory().join("oci-keyless/registries.yaml");
    let identity = workflow();
    let (root, reference) = (root.display().to_string(), format!("oci://{}", place.reference));
    for (more, code, expected) in [
        (&["--trusted-root", root.as_str()][..], 0, "refs/tags/v1 of https://token.forge.test"),
        (&[][..], 3, "SignatureUntrusted: "),
    ] {
        let mut command = tokio::process::Command::new(&place.scene.stage.programs.cli);
        command
            .args(["driver", "verify", &reference, "--certificate-identity", &identity.subject])
            .args(["--certificate-oidc-issuer", &identity.issuer])
            .args(more)
            .env("KOMPOX_REGISTRIES_CONFIG", &registries);
        let output = command.output().await?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        ensure!(output.status.code() == Some(code) && said.contains(expected), "{more:?}: {said}");
    }
    Ok(())
}
