//! Signs a manifest in both forms and writes what cosign needs to attach them:
//! `sign KEY PASSWORD REPOSITORY MANIFEST-DIGEST DIRECTORY`. `tests/fixtures/make/check.sh` shows it to cosign.

use kompox_signature::{Evidence, SIGNATURE_ANNOTATION, SigningKey, Subject, generate};
use std::{error::Error, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [key, password, repository, digest, directory] = arguments.as_slice() else {
        return Err("usage: sign KEY PASSWORD REPOSITORY MANIFEST-DIGEST DIRECTORY".into());
    };
    sign(key, password, &Subject::new(repository, digest)?, Path::new(directory))
}

#[expect(clippy::disallowed_methods, reason = "the files are those of this program, not of the library")]
fn sign(key: &str, password: &str, subject: &Subject, directory: &Path) -> Result<(), Box<dyn Error>> {
    use secrecy::{ExposeSecret as _, SecretString};
    let (path, password) = (Path::new(key), SecretString::from(password));
    if !path.exists() {
        let pair = generate(&password)?;
        std::fs::write(path, pair.private_pem.expose_secret())?;
        std::fs::write(path.with_extension("pub"), pair.public_pem)?;
    }
    let key = SigningKey::from_pem(&std::fs::read_to_string(path)?.into(), Some(&password))?;
    for evidence in [key.sign_simple(subject)?, key.sign_bundle(subject)?] {
        match evidence {
            Evidence::SimpleSigning { payload, annotations } => {
                std::fs::write(directory.join("payload.json"), payload)?;
                let signature = annotations.get(SIGNATURE_ANNOTATION).map_or("", String::as_str);
                std::fs::write(directory.join("signature"), signature)?;
            }
            Evidence::Bundle(json) => std::fs::write(directory.join("bundle.json"), json)?,
        }
    }
    Ok(())
}
