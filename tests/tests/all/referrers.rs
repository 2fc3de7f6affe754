//! Signatures where the registry lists them itself, page by page, and where it does not.

use super::registries::{LIMIT, client, component};
use anyhow::{Context as _, Result, ensure};
use kompox_devcluster::Reporter;
use kompox_oci::{Client, Credentials, Digest, Image, Puller, Reference, SILENT};
use kompox_signature::{PublicKey, SigningKey, Subject};
use kompox_tests::{registry::Lister, stage::Stage};

/// A page of so many bytes holds one entry of a list, two at most.
const SMALL_PAGE: usize = 700;

/// A signed artifact in a registry.
struct Signed {
    lister: Lister,
    client: Client,
    at: Reference,
    digest: Digest,
}

async fn signed(page: Option<usize>, signatures: usize) -> Result<Signed> {
    let lister = Lister::start(&Reporter::new(|progress| eprintln!("  {progress}")), page).await?;
    let client = client(&serde_json::json!([{ "prefix": lister.host(), "plainHttp": true }]))?;
    let at: Reference = format!("{}/acme/driver:1", lister.host()).parse()?;
    let digest = client.push(&at, &component("one"), &Credentials::none(), SILENT).await?;
    let subject = Subject::new(&at.name(), digest.as_str())?;
    for _ in 0..signatures {
        let password = "p".to_owned().into();
        let pair = kompox_signature::generate(&password)?;
        let key = SigningKey::from_pem(&pair.private_pem, Some(&password))?;
        let evidence = key.sign_bundle(&subject)?;
        client.attach(&at, &digest, &evidence, &Credentials::none()).await?;
        let public = PublicKey::from_pem(pair.public_pem.as_bytes())?;
        let found = found(&client, &at).await?;
        let evidence: Vec<_> = found.iter().flat_map(Image::evidence).collect();
        kompox_signature::verify(&public, &subject, &evidence)
            .context("the newest signature is not found")?;
    }
    Ok(Signed { lister, client, at, digest })
}

async fn found(client: &Client, at: &Reference) -> Result<Vec<Image>> {
    let puller = Puller::new(client.clone(), None, LIMIT);
    let resolved = puller.resolve(at, &Credentials::none()).await?;
    Ok(puller.signatures(&resolved, &Credentials::none()).await?)
}

pub(super) async fn are_found_in_the_list_of_the_registry(_: &Stage) -> Result<()> {
    let Signed { lister, client, at, digest } = signed(Some(1 << 20), 2).await?;
    ensure!(found(&client, &at).await?.len() == 2);
    let asked = lister.asked_for("/referrers/");
    ensure!(asked.iter().all(|url| url.contains("artifactType=application%2F")), "{asked:?}");
    // It enters them by itself: nobody writes or reads a list behind a tag.
    let tag = format!("/manifests/sha256-{}", digest.hex());
    let tagged: Vec<String> =
        lister.asked_for(&tag).into_iter().filter(|url| !url.ends_with(".sig")).collect();
    ensure!(tagged.is_empty(), "{tagged:?}");
    Ok(())
}

pub(super) async fn are_found_on_every_page(_: &Stage) -> Result<()> {
    let Signed { lister, client, at, .. } = signed(Some(SMALL_PAGE), 5).await?;
    let before = lister.asked_for("/referrers/").len();
    ensure!(found(&client, &at).await?.len() == 5);
    let asked = lister.asked_for("/referrers/").split_off(before);
    ensure!(asked.len() >= 3, "it was one page: {asked:?}");
    Ok(())
}

pub(super) async fn are_found_behind_a_tag_where_there_is_no_list(_: &Stage) -> Result<()> {
    let Signed { lister, client, at, digest } = signed(None, 2).await?;
    ensure!(found(&client, &at).await?.len() == 2);
    ensure!(!lister.asked_for("/referrers/").is_empty(), "the list was not asked for");
    ensure!(!lister.asked_for(&format!("/manifests/sha256-{}", digest.hex())).is_empty());
    Ok(())
}
