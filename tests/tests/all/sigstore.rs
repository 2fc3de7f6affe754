//! A private Sigstore instance in a few lines: a certificate authority, a certificate log and a transparency log,
//! each a key, and what they would have written. Simulated: there is no server and no OpenID token. The formats are
//! those of Fulcio, RFC 6962 and Rekor v1, and `sigstore-verify` checks them as it checks the public instance's.

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use kompox_signature::{Evidence, Identity, SigningKey, Subject};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _, SanType, SerialNumber, SigningKey as _,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::time::{Duration, SystemTime};

/// Issuer of the identity token, in a certificate of Fulcio.
const ISSUER: &[u64] = &[1, 3, 6, 1, 4, 1, 57264, 1, 8];
/// Signed certificate timestamps (RFC 6962 §3.3).
const TIMESTAMPS: &[u64] = &[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
/// Name of the transparency log.
const LOG: &str = "log.sigstore.test";

/// The instance.
pub(super) struct Sigstore {
    authority: Issuer<'static, KeyPair>,
    root: Certificate,
    certificates: KeyPair,
    log: KeyPair,
}

impl Sigstore {
    pub(super) fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, "sigstore.test");
        let key = KeyPair::generate()?;
        let root = params.self_signed(&key)?;
        let authority = Issuer::new(params, key);
        Ok(Self { authority, root, certificates: KeyPair::generate()?, log: KeyPair::generate()? })
    }

    /// The `trusted_root.json` of the instance.
    pub(super) fn trusted_root(&self) -> Value {
        let always = json!({ "start": "2020-01-01T00:00:00Z" });
        let log = |url: &str, key: &KeyPair| {
            json!({
                "baseUrl": url, "hashAlgorithm": "SHA2_256", "logId": { "keyId": STANDARD.encode(id(key)) },
                "publicKey": {
                    "rawBytes": STANDARD.encode(key.subject_public_key_info()),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": always,
                },
            })
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log("https://log.sigstore.test", &self.log)],
            "ctlogs": [log("https://certificates.sigstore.test", &self.certificates)],
            "certificateAuthorities": [{
                "subject": { "organization": "tests", "commonName": "sigstore.test" },
                "uri": "https://authority.sigstore.test",
                "certChain": { "certificates": [{ "rawBytes": STANDARD.encode(self.root.der()) }] },
                "validFor": always,
            }],
        })
    }

    /// The bundle that `cosign sign` would have written for `identity` about `subject`.
    pub(super) fn sign(&self, identity: &Identity, subject: &Subject) -> Result<Value> {
        let key = KeyPair::generate()?;
        let certificate = self.certificate(identity, &key)?;
        let statement = statement(subject)?;
        let signature = key.sign(&encoded(&statement))?;
        let envelope = json!({
            "payload": STANDARD.encode(&statement), "payloadType": TYPE,
            "signatures": [{ "sig": STANDARD.encode(&signature) }],
        });
        let body = json!({
            "apiVersion": "0.0.1", "kind": "dsse",
            "spec": {
                "envelopeHash": { "algorithm": "sha256", "value": hex(&sha256(envelope.to_string().as_bytes())) },
                "payloadHash": { "algorithm": "sha256", "value": hex(&sha256(&statement)) },
                "signatures": [{
                    "signature": STANDARD.encode(&signature), "verifier": STANDARD.encode(certificate.pem()),
                }],
            },
        });
        Ok(json!({
            "mediaType": kompox_signature::BUNDLE_MEDIA_TYPE,
            "verificationMaterial": {
                "certificate": { "rawBytes": STANDARD.encode(certificate.der()) },
                "tlogEntries": [self.entry(body.to_string().as_bytes())?],
                "timestampVerificationData": { "rfc3161Timestamps": [] },
            },
            "dsseEnvelope": envelope,
        }))
    }

    /// A certificate of ten minutes, with the promise of the certificate log in it.
    fn certificate(&self, identity: &Identity, key: &KeyPair) -> Result<Certificate> {
        let mut params = CertificateParams::default();
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        params.not_before = epoch + Duration::from_secs(now()? - 300);
        params.not_after = epoch + Duration::from_secs(now()? + 300);
        params.serial_number = Some(SerialNumber::from(7_u64));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        params.subject_alt_names = vec![SanType::URI(identity.subject.as_str().try_into()?)];
        let issuer = [&[0x0c, u8::try_from(identity.issuer.len())?][..], identity.issuer.as_bytes()].concat();
        params.custom_extensions = vec![CustomExtension::from_oid_content(ISSUER, issuer)];
        // What the log signs is the certificate's content as it is without the promise.
        let bare = params.signed_by(key, &self.authority)?;
        let list = self.promise(content(content(bare.der())?.1)?.0)?;
        params.custom_extensions.push(CustomExtension::from_oid_content(TIMESTAMPS, list));
        Ok(params.signed_by(key, &self.authority)?)
    }

    /// The list of one signed certificate timestamp, as the extension holds it.
    fn promise(&self, certificate: &[u8]) -> Result<Vec<u8>> {
        let milliseconds = (now()? * 1000).to_be_bytes();
        let issuer = sha256(&self.authority.key().subject_public_key_info());
        let length = u32::try_from(certificate.len())?.to_be_bytes();
        let [_, length @ ..] = length;
        // Version 1, certificate_timestamp; precert_entry; no extensions (RFC 6962 §3.2).
        let signed = [&[0, 0][..], &milliseconds, &[0, 1], &issuer, &length, certificate, &[0, 0]].concat();
        let signature = self.certificates.sign(&signed)?;
        let head = [&[0][..], &id(&self.certificates), &milliseconds, &[0, 0]].concat();
        // SHA-256 with ECDSA (RFC 5246 §7.4.1.4.1).
        let timestamp = [&head[..], &[4, 3], &prefixed(&signature)?].concat();
        let list = prefixed(&prefixed(&timestamp)?)?;
        // Shorter than 128 bytes, with a signature of P-256.
        Ok([&[0x04, u8::try_from(list.len())?][..], &list].concat())
    }

    /// The only entry of the log.
    fn entry(&self, body: &[u8]) -> Result<Value> {
        let (time, encoded) = (now()?, STANDARD.encode(body));
        let id = id(&self.log);
        let promised =
            format!(r#"{{"body":"{encoded}","integratedTime":{time},"logID":"{}","logIndex":0}}"#, hex(&id));
        let root = STANDARD.encode(sha256(&[&[0][..], body].concat()));
        let head = format!("{LOG}\n1\n{root}\n");
        let note = STANDARD.encode([&id[..4], &self.log.sign(head.as_bytes())?].concat());
        Ok(json!({
            "logIndex": "0", "logId": { "keyId": STANDARD.encode(id) },
            "kindVersion": { "kind": "dsse", "version": "0.0.1" },
            "integratedTime": time.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": STANDARD.encode(self.log.sign(promised.as_bytes())?) },
            "inclusionProof": {
                "logIndex": "0", "rootHash": root, "treeSize": "1", "hashes": [],
                "checkpoint": { "envelope": format!("{head}\n\u{2014} {LOG} {note}\n") },
            },
            "canonicalizedBody": encoded,
        }))
    }
}

/// Type of what cosign signs.
const TYPE: &str = "application/vnd.in-toto+json";

/// What cosign states about a manifest; a key that nobody will ask for again makes the library write it.
fn statement(subject: &Subject) -> Result<Vec<u8>> {
    let password = "p".to_owned().into();
    let key = SigningKey::from_pem(&kompox_signature::generate(&password)?.private_pem, Some(&password))?;
    let Evidence::Bundle(bundle) = key.sign_bundle(subject)? else { anyhow::bail!("a bundle is needed") };
    let bundle: Value = serde_json::from_slice(&bundle)?;
    let payload = bundle.pointer("/dsseEnvelope/payload").and_then(Value::as_str).context("no payload")?;
    Ok(STANDARD.decode(payload)?)
}

/// DSSE's encoding of what is signed.
fn encoded(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {TYPE} {} ", TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// The first element of DER: whole, and what is inside.
fn content(der: &[u8]) -> Result<(&[u8], &[u8])> {
    let first = *der.get(1).context("no DER")?;
    let digits = usize::from(first.saturating_sub(0x80));
    let start = 2 + digits;
    let length = match digits {
        0 => usize::from(first),
        _ => der.get(2..start).context("no DER")?.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
    };
    let whole = der.get(..start + length).context("no DER")?;
    Ok((whole, whole.get(start..).context("no DER")?))
}

/// With its length in two bytes in front.
fn prefixed(bytes: &[u8]) -> Result<Vec<u8>> {
    Ok([&u16::try_from(bytes.len())?.to_be_bytes()[..], bytes].concat())
}

fn id(key: &KeyPair) -> [u8; 32] {
    sha256(&key.subject_public_key_info())
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs())
}
