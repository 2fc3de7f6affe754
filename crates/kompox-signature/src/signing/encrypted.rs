//! The encrypted file of a cosign private key: scrypt and NaCl's secretbox, described by JSON inside the PEM.
//!
//! The format is that of go-securesystemslib's package `encrypted`. Only the cost parameters that it writes
//! are taken: others would let a file ask for any amount of memory.

use super::SigningError;
use crate::subject::shown;
use aws_lc_rs::rand;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use crypto_secretbox::{Nonce, XSalsa20Poly1305, aead::Aead as _, aead::KeyInit as _};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};

/// PEM label that cosign writes.
pub(super) const TAG: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";

/// PEM label that cosign wrote before 2.0.
pub(super) const OLD_TAG: &str = "ENCRYPTED COSIGN PRIVATE KEY";

/// Cost of a new file, as cosign sets it: 64 MiB of memory, about 100 ms.
const COST: Cost = Cost { n: 1 << 16, r: 8, p: 1 };

const KDF: &str = "scrypt";
const CIPHER: &str = "nacl/secretbox";
const SALT: usize = 32;
const NONCE: usize = 24;
const KEY: usize = 32;

#[derive(Deserialize, Serialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize, Serialize)]
struct Kdf {
    name: String,
    params: Cost,
    salt: String,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
struct Cost {
    #[serde(rename = "N")]
    n: u32,
    r: u32,
    p: u32,
}

#[derive(Deserialize, Serialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// Encrypts a private key into the PEM document of a new file.
pub(super) fn seal(pkcs8: &SecretSlice<u8>, password: &SecretString) -> Result<SecretString, SigningError> {
    let (mut salt, mut nonce) = ([0; SALT], [0; NONCE]);
    let filled = rand::fill(&mut salt).and_then(|()| rand::fill(&mut nonce));
    filled.map_err(|_| SigningError::Failed("draw random numbers"))?;
    let ciphertext = secretbox(password, &salt, COST)?
        .encrypt(&Nonce::from(nonce), pkcs8.expose_secret())
        .map_err(|_| SigningError::Failed("encrypt the private key"))?;
    let sealed = Sealed {
        kdf: Kdf { name: KDF.to_owned(), params: COST, salt: STANDARD.encode(salt) },
        cipher: Cipher { name: CIPHER.to_owned(), nonce: STANDARD.encode(nonce) },
        ciphertext: STANDARD.encode(ciphertext),
    };
    let json = serde_json::to_vec(&sealed).map_err(|_| SigningError::Failed("write the private key"))?;
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    Ok(pem::encode_config(&pem::Pem::new(TAG, json), config).into())
}

/// Decrypts the contents of the PEM document into PKCS #8.
pub(super) fn open(
    contents: &SecretSlice<u8>,
    password: &SecretString,
) -> Result<SecretSlice<u8>, SigningError> {
    let sealed: Sealed = serde_json::from_slice(contents.expose_secret())
        .map_err(|_| SigningError::Encryption("its description does not parse".to_owned()))?;
    for (name, known) in [(&sealed.kdf.name, KDF), (&sealed.cipher.name, CIPHER)] {
        if name != known {
            return Err(SigningError::Encryption(format!("it uses `{}`, not `{known}`", shown(name))));
        }
    }
    let nonce: [u8; NONCE] = decode(&sealed.cipher.nonce)?
        .try_into()
        .map_err(|_| SigningError::Encryption(format!("its nonce does not have {NONCE} bytes")))?;
    let (salt, ciphertext) = (decode(&sealed.kdf.salt)?, decode(&sealed.ciphertext)?);
    secretbox(password, &salt, sealed.kdf.params)?
        .decrypt(&Nonce::from(nonce), ciphertext.as_slice())
        .map(SecretSlice::from)
        .map_err(|_| SigningError::WrongPassword)
}

fn decode(base64: &str) -> Result<Vec<u8>, SigningError> {
    STANDARD.decode(base64).map_err(|_| SigningError::Encryption("a part of it is not base64".to_owned()))
}

/// The cipher whose key is stretched from the password.
fn secretbox(password: &SecretString, salt: &[u8], cost: Cost) -> Result<XSalsa20Poly1305, SigningError> {
    let params = cost.params()?;
    let mut key = [0; KEY];
    scrypt::scrypt(password.expose_secret().as_bytes(), salt, &params, &mut key)
        .map_err(|_| SigningError::Failed("stretch the password"))?;
    Ok(XSalsa20Poly1305::new(&key.into()))
}

impl Cost {
    /// The three costs that the format knows: 2¹⁵ (old), 2¹⁶ (cosign's), 2¹⁷ (the highest), with r 8 and p 1.
    fn params(self) -> Result<scrypt::Params, SigningError> {
        let log_n = match (self.n, self.r, self.p) {
            (0x8000, 8, 1) => 15,
            (0x1_0000, 8, 1) => 16,
            (0x2_0000, 8, 1) => 17,
            (n, r, p) => {
                return Err(SigningError::Encryption(format!(
                    "its cost of N={n}, r={r}, p={p} is not known"
                )));
            }
        };
        scrypt::Params::new(log_n, self.r, self.p).map_err(|_| SigningError::Failed("stretch the password"))
    }
}
