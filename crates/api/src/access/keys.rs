//! The keys of API_KEYS.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Shorter ones can be guessed.
const SHORTEST: usize = 16;

/// Who a key belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    /// For logs.
    pub(crate) name: String,
}

/// Keys as SHA-256 digests: the keys themselves are not kept.
#[derive(Clone, Default)]
pub(crate) struct Keys(Vec<([u8; 32], Owner)>);

impl Keys {
    /// Reads entries of the form `key` or `name:key`.
    ///
    /// # Errors
    /// What is wrong, without the key.
    pub(crate) fn parse(entries: &[String]) -> Result<Self, String> {
        let mut keys: Vec<([u8; 32], Owner)> = Vec::new();
        for (place, entry) in (1..).zip(entries) {
            let (name, key) = match entry.split_once(':') {
                Some((name, key)) => (name.trim().to_owned(), key.trim()),
                None => (format!("key{place}"), entry.as_str()),
            };
            if name.is_empty() || keys.iter().any(|(_, known)| known.name == name) {
                return Err(format!(
                    "entry {place} needs a name of its own before the colon"
                ));
            }
            if key.len() < SHORTEST || !key.bytes().all(is_of_a_key) {
                return Err(format!(
                    "entry {place} must be a key, or name:key, of at least {SHORTEST} letters, digits and \
                     -._~+/= (openssl rand -hex 24 makes one)"
                ));
            }
            keys.push((Sha256::digest(key).into(), Owner { name }));
        }
        Ok(Self(keys))
    }

    /// Whether anybody may use the service.
    pub(crate) fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose key this is. Takes the same time whether it is one or not.
    pub(crate) fn owner(&self, key: &[u8]) -> Option<&Owner> {
        let digest: [u8; 32] = Sha256::digest(key).into();
        self.0.iter().fold(None, |found, (known, owner)| {
            let is_it: bool = known.ct_eq(&digest).into();
            if is_it { Some(owner) } else { found }
        })
    }
}

/// The characters of a bearer token (RFC 6750), which a cookie can hold as they are.
fn is_of_a_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0123456789abcdef";
    const OTHER: &str = "fedcba9876543210";

    fn keys(entries: &[&str]) -> Result<Keys, String> {
        let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
        Keys::parse(&entries)
    }

    #[test]
    fn a_key_is_known_by_its_name_and_no_other_is() {
        let keys = keys(&[ONE, &format!("alice:{OTHER}")]).unwrap();
        assert!(!keys.is_open());
        assert_eq!(keys.owner(ONE.as_bytes()).unwrap().name, "key1");
        assert_eq!(keys.owner(OTHER.as_bytes()).unwrap().name, "alice");
        assert_eq!(keys.owner(b"0123456789abcdeF"), None);
        assert_eq!(keys.owner(b""), None);
    }

    #[test]
    fn faulty_entries_are_refused_without_being_shown() {
        for entries in [
            vec!["short"],
            vec!["alice:short"],
            vec![":0123456789abcdef"],
            vec!["a:0123456789abcdef", "a:fedcba9876543210"],
            vec!["with space 0123456789abcdef"],
            vec!["0123456789abcdef%41"],
        ] {
            let complaint = keys(&entries).err().unwrap();
            assert!(
                !complaint.contains("short") && !complaint.contains(ONE),
                "{complaint}"
            );
        }
    }

    #[test]
    fn without_keys_the_service_is_open() {
        assert!(keys(&[]).unwrap().is_open());
    }
}
