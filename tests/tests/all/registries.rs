//! The client of registries against the reference implementation of one.

use anyhow::{Context as _, Result, bail, ensure};
use kompox_oci::{
    ArtifactError, Client, Credential, Credentials, Description, Digest, Error, Fault, Image, Proxies,
    Puller, Reference, Registries, Resolved, SILENT, Store,
};
use kompox_signature::{PublicKey, SigningKey, Subject};
use kompox_tests::{
    registry::{Options, Registry, USER},
    stage::Stage,
};
use std::{fs, io::Write as _};

/// Most bytes of a component in these tests.
pub(super) const LIMIT: u64 = 4096;

pub(super) fn client(registries: &serde_json::Value) -> Result<Client> {
    let registries: Registries = serde_json::from_value(serde_json::json!({ "registries": registries }))?;
    registries.check()?;
    Ok(Client::new(registries, Proxies::default()))
}

/// A client for which one registry speaks plain HTTP.
pub(super) fn plain(registry: &Registry) -> Result<Client> {
    client(&serde_json::json!([{ "prefix": registry.host(), "plainHttp": true }]))
}

pub(super) fn reference(registry: &Registry, rest: &str) -> Result<Reference> {
    Ok(format!("{}/{rest}", registry.host()).parse()?)
}

fn signed_in(registry: &Registry, password: &str) -> Credentials {
    let basic = Credential::Basic { user: USER.0.to_owned(), password: password.to_owned().into() };
    Credentials::single(&registry.host(), basic)
}

pub(super) fn component(text: &str) -> Image {
    Image::of_component(text.as_bytes().to_vec().into(), &Description::default())
}

pub(super) async fn push(client: &Client, to: &Reference, image: &Image) -> Result<Digest> {
    Ok(client.push(to, image, &Credentials::none(), SILENT).await?)
}

pub(super) async fn pull(puller: &Puller, from: &Reference) -> Result<String, Error> {
    let resolved = puller.resolve(from, &Credentials::none()).await?;
    let bytes = puller.component(&resolved, &Credentials::none(), SILENT).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The fault of what must fail.
pub(super) async fn fault(puller: &Puller, from: &Reference, credentials: &Credentials) -> Result<String> {
    match puller.resolve(from, credentials).await {
        Err(Error::Registry { fault, .. }) => Ok(format!("{fault:?}")),
        other => bail!("{from}: {other:?}"),
    }
}

pub(super) async fn passwords_are_asked_for_and_wrong_ones_told_from_missing_ones(
    stage: &Stage,
) -> Result<()> {
    let registry =
        Registry::start(stage.registry().await?, &Options { password: true, ..Options::default() }).await?;
    let (client, at) = (plain(&registry)?, reference(&registry, "acme/driver:1")?);
    let good = signed_in(&registry, USER.1);
    let pushed = client.push(&at, &component("one"), &good, SILENT).await?;
    let puller = Puller::new(client, None, LIMIT);
    ensure!(*puller.resolve(&at, &good).await?.digest() == pushed);
    ensure!(fault(&puller, &at, &Credentials::none()).await? == "Unauthenticated");
    ensure!(fault(&puller, &at, &signed_in(&registry, "wrong")).await? == "BadCredentials");
    ensure!(fault(&puller, &reference(&registry, "acme/driver:2")?, &good).await? == "NotFound");
    Ok(())
}

pub(super) async fn a_private_authority_is_trusted_where_it_is_named(stage: &Stage) -> Result<()> {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()])?;
    let certificate = made.cert.pem();
    let tls = Some((certificate.clone(), made.signing_key.serialize_pem()));
    let registry = Registry::start(stage.registry().await?, &Options { tls, ..Options::default() }).await?;
    let at = reference(&registry, "acme/driver:1")?;
    let trusting = client(&serde_json::json!([{ "prefix": registry.host(), "ca": certificate }]))?;
    push(&trusting, &at, &component("one")).await?;
    ensure!(pull(&Puller::new(trusting, None, LIMIT), &at).await? == "one");

    let nobody = Credentials::none();
    let strange = Puller::new(client(&serde_json::json!([]))?, None, LIMIT);
    let seen = fault(&strange, &at, &nobody).await?;
    ensure!(seen == "UnknownAuthority", "{seen}");
    // The trust is that registry's alone.
    let elsewhere = client(&serde_json::json!([{ "prefix": "other.example", "ca": certificate }]))?;
    ensure!(fault(&Puller::new(elsewhere, None, LIMIT), &at, &nobody).await? == "UnknownAuthority");
    let open = Registry::start(stage.registry().await?, &Options::default()).await?;
    let without_tls = reference(&open, "acme/driver:1")?;
    ensure!(fault(&strange, &without_tls, &nobody).await? == "NotTls");
    open.stop().await?;
    ensure!(fault(&strange, &without_tls, &nobody).await? == "Refused");
    Ok(())
}

pub(super) async fn mirrors_come_first_and_are_passed_over(stage: &Stage) -> Result<()> {
    let (mirror, origin) = (
        Registry::start(stage.registry().await?, &Options::default()).await?,
        Registry::start(stage.registry().await?, &Options::default()).await?,
    );
    let client = client(&serde_json::json!([
        { "prefix": origin.host(), "plainHttp": true, "mirrors": ["127.0.0.1:1/absent", format!("{}/copy", mirror.host())] },
        { "prefix": mirror.host(), "plainHttp": true },
    ]))?;
    push(&client, &reference(&mirror, "copy/acme/driver:1")?, &component("of the mirror")).await?;
    let (both, only) = (reference(&origin, "acme/driver:1")?, reference(&origin, "acme/other:1")?);
    push(&client, &both, &component("of the origin")).await?;
    push(&client, &only, &component("only there")).await?;
    let puller = Puller::new(client, None, LIMIT);
    ensure!(pull(&puller, &both).await? == "of the mirror");
    ensure!(pull(&puller, &only).await? == "only there");
    origin.stop().await?;
    ensure!(pull(&puller, &both).await? == "of the mirror");
    ensure!(fault(&puller, &only, &Credentials::none()).await? == "Refused");
    Ok(())
}

pub(super) async fn a_tag_moves_and_a_digest_does_not(stage: &Stage) -> Result<()> {
    let registry = Registry::start(stage.registry().await?, &Options::default()).await?;
    let (client, tag) = (plain(&registry)?, reference(&registry, "acme/driver:1")?);
    let first = push(&client, &tag, &component("one")).await?;
    ensure!(push(&client, &tag, &component("one")).await? == first, "the same component, other bytes");
    let puller = Puller::new(client.clone(), None, LIMIT);
    push(&client, &tag, &component("two")).await?;
    ensure!(pull(&puller, &tag).await? == "two");
    ensure!(pull(&puller, &tag.at(&first)).await? == "one");
    let absent = tag.at(&Digest::of(b"absent"));
    ensure!(fault(&puller, &absent, &Credentials::none()).await? == "NotFound");
    Ok(())
}

pub(super) async fn bytes_that_were_changed_are_refused(stage: &Stage) -> Result<()> {
    let registry = Registry::start(stage.registry().await?, &Options::default()).await?;
    let (client, at) = (plain(&registry)?, reference(&registry, "acme/driver:1")?);
    let manifest = push(&client, &at, &component("one")).await?;
    let puller = Puller::new(client, None, LIMIT);
    let resolved = puller.resolve(&at, &Credentials::none()).await?;
    fs::write(registry.blob(&Digest::of(b"one")), "oNe")?;
    let error = puller.component(&resolved, &Credentials::none(), SILENT).await;
    ensure!(matches!(error, Err(Error::Registry { fault: Fault::Digest { .. }, .. })), "{error:?}");
    let written = fs::read_to_string(registry.blob(&manifest))?;
    fs::write(registry.blob(&manifest), written.replace("wasm", "wAsm"))?;
    ensure!(fault(&puller, &at.at(&manifest), &Credentials::none()).await?.starts_with("Digest"));
    Ok(())
}

/// An artifact that our own packing would not make, by way of a layout.
fn crafted(config: (&str, &[u8]), layer: (&str, &[u8]), size: u64) -> Result<Image> {
    let directory = tempfile::tempdir()?;
    let blobs = directory.path().join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    let keep = |bytes: &[u8]| fs::write(blobs.join(Digest::of(bytes).hex()), bytes);
    let named = |type_: &str, bytes: &[u8], size: u64| serde_json::json!({ "mediaType": type_, "digest": Digest::of(bytes), "size": size });
    let type_ = "application/vnd.oci.image.manifest.v1+json";
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": type_,
        "config": named(config.0, config.1, config.1.len() as u64), "layers": [named(layer.0, layer.1, size)],
    });
    let manifest = manifest.to_string().into_bytes();
    let index = serde_json::json!({
        "schemaVersion": 2, "manifests": [named(type_, &manifest, manifest.len() as u64)],
    });
    for bytes in [config.1, layer.1, &manifest] {
        keep(bytes)?;
    }
    fs::write(directory.path().join("index.json"), index.to_string())?;
    fs::write(directory.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    let mut entries = Image::load(directory.path(), 64 << 20)?;
    Ok(entries.pop().context("an entry")?.image)
}

/// A tar archive with one file, and the config of the image that has it as its layer.
fn archive(bytes: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    builder.append_data(&mut header, "driver.wasm", bytes)?;
    let archive = builder.into_inner()?;
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": [Digest::of(&archive)] },
    });
    Ok((archive, config.to_string().into_bytes()))
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

pub(super) async fn what_is_too_much_or_no_driver_is_not_taken(stage: &Stage) -> Result<()> {
    let registry = Registry::start(stage.registry().await?, &Options::default()).await?;
    let client = plain(&registry)?;
    let puller = Puller::new(client.clone(), None, LIMIT);
    let image = "application/vnd.oci.image.config.v1+json";
    let packed = "application/vnd.oci.image.layer.v1.tar+gzip";
    let wasm =
        ("application/vnd.wasm.config.v0+json", br#"{"architecture":"wasm","os":"wasip2"}"#.as_slice());
    let (good, good_config) = archive(b"in an image")?;
    let (huge, huge_config) = archive(&vec![0; 32 << 20])?;
    let (bomb, good) = (gzip(&huge)?, gzip(&good)?);
    ensure!((bomb.len() as u64) < 16 * LIMIT, "the bomb is {} bytes", bomb.len());
    let lying = b"more than it says".as_slice();

    let at = |name: &str| reference(&registry, &format!("acme/{name}:1"));
    let crafts = [
        ("image", crafted((image, &good_config), (packed, &good), good.len() as u64)?),
        ("bomb", crafted((image, &huge_config), (packed, &bomb), bomb.len() as u64)?),
        ("huge", crafted(wasm, ("application/wasm", b"x"), 10 << 30)?),
        ("lying", crafted(wasm, ("application/wasm", lying), 4)?),
        ("chart", crafted((image, b"{}"), ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", b"x"), 1)?),
    ];
    for (name, image) in &crafts {
        push(&client, &at(name)?, image).await?;
    }
    ensure!(pull(&puller, &at("image")?).await? == "in an image");
    for (name, expected) in [
        ("bomb", "unpacks to more than"),
        ("huge", "layer has 10737418240 bytes, 4096 are taken"),
        ("lying", "the blob has more bytes, 4 are taken"),
        ("chart", "`application/vnd.cncf.helm.chart.content.v1.tar+gzip`"),
    ] {
        let error = pull(&puller, &at(name)?).await.err().context(name)?;
        ensure!(error.to_string().contains(expected), "{name}: {error}");
    }
    let before = registry.requests();
    let refused = puller.resolve(&at("huge")?, &Credentials::none()).await;
    ensure!(matches!(refused, Err(Error::Artifact { source: ArtifactError::TooLarge { .. }, .. })));
    ensure!(registry.requests() <= before + 2, "more was asked for than the manifest");
    Ok(())
}

pub(super) async fn what_was_pulled_needs_no_registry(stage: &Stage) -> Result<()> {
    let registry = Registry::start(stage.registry().await?, &Options::default()).await?;
    let (client, tag) = (plain(&registry)?, reference(&registry, "acme/driver:1")?);
    let digest = push(&client, &tag, &component("one")).await?;
    let directory = tempfile::tempdir()?;
    let open = || -> Result<Puller> {
        let store = Store::open(directory.path().join("store").as_path(), 1 << 20)?;
        Ok(Puller::new(client.clone(), Some(store), LIMIT))
    };
    ensure!(open()?.stored(&tag).await?.is_none());
    pull(&open()?, &tag).await?;
    let before = registry.requests();
    for reference in [&tag, &tag.at(&digest)] {
        let again = open()?;
        let stored: Resolved = again.stored(reference).await?.context("it was pulled")?;
        ensure!(again.stored_component(&stored).await?.context("all of it")? == "one");
    }
    ensure!(registry.requests() == before, "the registry was asked");
    Ok(())
}

pub(super) async fn signatures_of_both_forms_are_found_and_kept(stage: &Stage) -> Result<()> {
    let registry = Registry::start(stage.registry().await?, &Options::default()).await?;
    let (client, at) = (plain(&registry)?, reference(&registry, "acme/driver:1")?);
    let digest = push(&client, &at, &component("one")).await?;
    let password = "p".to_owned().into();
    let pair = kompox_signature::generate(&password)?;
    let key = SigningKey::from_pem(&pair.private_pem, Some(&password))?;
    let public = PublicKey::from_pem(pair.public_pem.as_bytes())?;
    let subject = Subject::new(&at.name(), digest.as_str())?;
    let directory = tempfile::tempdir()?;
    let store = Store::open(directory.path(), 1 << 20)?;
    let puller = Puller::new(client.clone(), Some(store), LIMIT);
    let resolved = puller.resolve(&at, &Credentials::none()).await?;
    ensure!(puller.signatures(&resolved, &Credentials::none()).await?.is_empty());
    for (evidence, count) in [(key.sign_simple(&subject)?, 1), (key.sign_bundle(&subject)?, 2)] {
        client.attach(&at, &digest, &evidence, &Credentials::none()).await?;
        let found = puller.signatures(&resolved, &Credentials::none()).await?;
        ensure!(found.len() == count, "{found:?}");
        let kept = puller.stored_signatures(&resolved).await?;
        ensure!(kept == found, "what is kept is not what was found");
        let newest: Vec<_> = found.last().into_iter().flat_map(Image::evidence).collect();
        kompox_signature::verify(&public, &subject, &newest)?;
    }
    Ok(())
}
