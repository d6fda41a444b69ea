//! The keys of API_KEYS and API_ADMIN_KEYS.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Characters; shorter keys can be guessed.
const MIN_KEY_LENGTH: usize = 16;

/// The owner of a key, who also owns the searches that it submits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyOwner {
    /// Unique over both lists.
    pub(crate) name: String,
    /// Whether the key is in API_ADMIN_KEYS.
    pub(crate) is_admin: bool,
}

/// SHA-256 digests of the keys with their owners; the keys themselves are not kept.
#[derive(Clone, Default)]
pub(crate) struct ApiKeys(Vec<([u8; 32], KeyOwner)>);

impl ApiKeys {
    /// Adds the keys of a setting: entries of the form `key` or `name:key`.
    ///
    /// # Errors
    /// A message with the position of the first malformed or repeated entry, without its key.
    pub(crate) fn add(&mut self, entries: &[String], is_admin: bool) -> Result<(), String> {
        for (place, entry) in (1..).zip(entries) {
            let (name, key) = match entry.split_once(':') {
                Some((name, key)) => (Some(name.trim()), key.trim()),
                None => (None, entry.as_str()),
            };
            if key.len() < MIN_KEY_LENGTH || !key.bytes().all(is_key_character) {
                return Err(format!(
                    "entry {place} must be a key, or name:key, of at least {MIN_KEY_LENGTH} letters, digits and \
                     -._~+/= (openssl rand -hex 24 makes one)"
                ));
            }
            let digest = Sha256::digest(key).into();
            if self.0.iter().any(|(known, _)| *known == digest) {
                return Err(format!(
                    "entry {place} repeats a key of this list or of the other one"
                ));
            }
            let name = name.map_or_else(|| generated_name(&digest), str::to_owned);
            let is_text = !name.is_empty() && !name.contains(char::is_control);
            if !is_text || self.0.iter().any(|(_, known)| known.name == name) {
                return Err(format!(
                    "entry {place} needs a name before the colon that no other entry of both lists has"
                ));
            }
            self.0.push((digest, KeyOwner { name, is_admin }));
        }
        Ok(())
    }

    /// Whether no key is set: then all requests are allowed, as from an operator.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether searches need no key: API_KEYS is empty.
    pub(crate) fn allows_anonymous_search(&self) -> bool {
        self.0.iter().all(|(_, owner)| owner.is_admin)
    }

    /// Whether API_ADMIN_KEYS has a key.
    pub(crate) fn has_admin_key(&self) -> bool {
        self.0.iter().any(|(_, owner)| owner.is_admin)
    }

    /// The owner of `key`. Takes the same time for known and unknown keys.
    pub(crate) fn find_owner(&self, key: &[u8]) -> Option<&KeyOwner> {
        let digest: [u8; 32] = Sha256::digest(key).into();
        self.0.iter().fold(None, |found, (known, owner)| {
            let is_it: bool = known.ct_eq(&digest).into();
            if is_it { Some(owner) } else { found }
        })
    }
}

/// The name of a key that has none in the setting. Derived from the key and not from its position:
/// in another order each key would own the searches of another.
fn generated_name(digest: &[u8; 32]) -> String {
    // Hashed twice: the name is shown and must not reveal bytes of the digest.
    let again = Sha256::digest(digest);
    let start = again.iter().take(4);
    start.fold("key-".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

/// The characters of a bearer token (RFC 6750); a cookie needs no escapes for them.
fn is_key_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0123456789abcdef";
    const OTHER: &str = "fedcba9876543210";

    fn both(users: &[&str], admins: &[&str]) -> Result<ApiKeys, String> {
        let list = |entries: &[&str]| -> Vec<String> {
            entries.iter().map(|&entry| entry.to_owned()).collect()
        };
        let mut keys = ApiKeys::default();
        keys.add(&list(users), false)?;
        keys.add(&list(admins), true)?;
        Ok(keys)
    }

    #[test]
    fn a_key_has_its_owner_and_unknown_keys_have_none() {
        let keys = both(&[&format!("alice:{ONE}")], &[&format!("root:{OTHER}")]).unwrap();
        assert!(!keys.is_empty());
        let alice = keys.find_owner(ONE.as_bytes()).unwrap();
        assert_eq!((alice.name.as_str(), alice.is_admin), ("alice", false));
        let root = keys.find_owner(OTHER.as_bytes()).unwrap();
        assert_eq!((root.name.as_str(), root.is_admin), ("root", true));
        assert_eq!(keys.find_owner(b"0123456789abcdeF"), None);
        assert_eq!(keys.find_owner(b""), None);
    }

    #[test]
    fn a_generated_name_does_not_depend_on_the_position() {
        let name = |keys: &ApiKeys| keys.find_owner(ONE.as_bytes()).unwrap().name.clone();
        let first = name(&both(&[ONE, OTHER], &[]).unwrap());
        let second = name(&both(&[OTHER, ONE], &[]).unwrap());
        assert_eq!(first, second);
        assert_eq!(first.len(), "key-".len() + 8);
    }

    #[test]
    fn malformed_entries_are_refused_and_not_shown() {
        for entries in [
            vec!["short"],
            vec!["alice:short"],
            vec![":0123456789abcdef"],
            vec!["a\0b:0123456789abcdef"],
            vec!["a:0123456789abcdef", "a:fedcba9876543210"],
            vec!["with space 0123456789abcdef"],
            vec!["0123456789abcdef%41"],
        ] {
            let complaint = both(&entries, &[]).err().unwrap();
            assert!(
                !complaint.contains("short") && !complaint.contains(ONE),
                "{complaint}"
            );
        }
    }

    #[test]
    fn keys_and_names_are_unique_over_both_lists() {
        let (a, b) = (format!("a:{ONE}"), format!("b:{ONE}"));
        let other = format!("a:{OTHER}");
        for (users, admins) in [
            (vec![a.as_str(), &b], vec![]),
            (vec![a.as_str()], vec![b.as_str()]),
            (vec![ONE], vec![ONE]),
            (vec![a.as_str()], vec![other.as_str()]),
        ] {
            assert!(both(&users, &admins).is_err(), "{users:?} {admins:?}");
        }
    }

    #[test]
    fn searches_need_no_key_when_only_admin_keys_are_set() {
        let none = both(&[], &[]).unwrap();
        assert!(none.is_empty() && none.allows_anonymous_search() && !none.has_admin_key());
        let admins = both(&[], &[ONE]).unwrap();
        assert!(!admins.is_empty() && admins.allows_anonymous_search() && admins.has_admin_key());
        let users = both(&[ONE], &[]).unwrap();
        assert!(!users.is_empty() && !users.allows_anonymous_search() && !users.has_admin_key());
        assert!(!both(&[ONE], &[OTHER]).unwrap().allows_anonymous_search());
    }
}
