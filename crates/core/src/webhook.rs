//! Signs callbacks by the Standard Webhooks scheme (standardwebhooks.com, 1.0.0): HMAC-SHA256 over
//! `id.timestamp.body`, so that a receiver can verify the sender and the time of a message.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::{fmt, ops::RangeInclusive, str::FromStr};

const KEY_PREFIX: &str = "whsec_";
/// Bytes of a key, by the specification.
const KEY_LENGTH: RangeInclusive<usize> = 24..=64;

/// The signing keys: one, or the new and the old one during a rotation.
#[derive(Clone)]
pub struct SigningKeys(Vec<Hmac<Sha256>>);

/// The text is not a list of signing keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not whsec_ and the base64 of 24 to 64 bytes")]
pub struct InvalidSigningKey;

impl FromStr for SigningKeys {
    type Err = InvalidSigningKey;

    /// Parses `whsec_<base64>`, or several of them separated by commas.
    fn from_str(text: &str) -> Result<Self, InvalidSigningKey> {
        text.split(',')
            .map(parse_key)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn parse_key(text: &str) -> Result<Hmac<Sha256>, InvalidSigningKey> {
    let encoded = text
        .trim()
        .strip_prefix(KEY_PREFIX)
        .ok_or(InvalidSigningKey)?;
    let bytes = STANDARD
        .decode(encoded)
        .map_err(|_error| InvalidSigningKey)?;
    if !KEY_LENGTH.contains(&bytes.len()) {
        return Err(InvalidSigningKey);
    }
    hmac(&bytes)
}

fn hmac(bytes: &[u8]) -> Result<Hmac<Sha256>, InvalidSigningKey> {
    Hmac::new_from_slice(bytes).map_err(|_length| InvalidSigningKey)
}

impl SigningKeys {
    /// The `webhook-signature` header of a message, with one signature for each key. `timestamp` is
    /// the time of the delivery attempt in Unix seconds; `id` must not contain a full stop.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let head = format!("{id}.{timestamp}.");
        let signature = |key: &Hmac<Sha256>| {
            let mut mac = key.clone();
            mac.update(head.as_bytes());
            mac.update(body);
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        };
        let signatures: Vec<String> = self.0.iter().map(signature).collect();
        signatures.join(" ")
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector of the specification's libraries.
    const KEY: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIMESTAMP: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn specification_key() -> Hmac<Sha256> {
        hmac(&STANDARD.decode(KEY).unwrap()).unwrap()
    }

    #[test]
    fn the_test_vector_of_the_specification_matches() {
        let keys = SigningKeys(vec![specification_key()]);
        assert_eq!(keys.sign(ID, TIMESTAMP, BODY), SIGNATURE);
    }

    #[test]
    fn a_message_has_one_signature_for_each_key() {
        let new: SigningKeys = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
            .parse()
            .unwrap();
        let both = SigningKeys([new.0, vec![specification_key()]].concat());
        let signatures = both.sign(ID, TIMESTAMP, BODY);
        let (first, second) = signatures.split_once(' ').unwrap();
        assert!(first.starts_with("v1,") && first != SIGNATURE);
        assert_eq!(second, SIGNATURE);
    }

    #[test]
    fn a_key_without_prefix_or_of_wrong_length_is_rejected() {
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        let short = format!("whsec_{}", STANDARD.encode([7; 23]));
        for text in [
            "",
            "whsec_",
            "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=",
            "whsec_a b",
            &long,
            &short,
        ] {
            assert!(text.parse::<SigningKeys>().is_err(), "{text}");
        }
    }

    #[test]
    fn keys_never_print() {
        assert_eq!(
            format!("{:?}", SigningKeys(vec![specification_key()])),
            "***"
        );
    }
}
