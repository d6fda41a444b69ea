//! Escapes invisible characters in output: readers do not see them, but a terminal obeys them.

use crate::cleaning::is_invisible;
use std::{borrow::Cow, fmt::Write as _};

/// Escapes every invisible character as JSON does: a terminal shows it without effect, and JSON
/// keeps its meaning.
pub(super) fn escape_invisible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_invisible) {
        return Cow::Borrowed(text);
    }
    let mut encoded = String::with_capacity(text.len() + 32);
    for c in text.chars() {
        if is_invisible(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String does not fail.
                let _ = write!(encoded, "\\u{unit:04x}");
            }
        } else {
            encoded.push(c);
        }
    }
    Cow::Owned(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cleaning::tests::unwanted;
    use proptest::prelude::*;

    #[test]
    fn every_unwanted_character_is_escaped() {
        for c in unwanted() {
            let shown = escape_invisible(&format!("a{c}b")).into_owned();
            assert!(!shown.contains(is_invisible), "{c:?}");
            assert!(shown.starts_with("a\\u") && shown.ends_with('b'), "{shown}");
        }
        assert_eq!(escape_invisible("one\n\ttwo"), "one\n\ttwo");
    }

    proptest! {
        #[test]
        fn escaped_json_keeps_its_meaning(text in any::<String>(), hidden in any::<prop::sample::Index>()) {
            let unwanted: Vec<char> = unwanted().collect();
            let value = serde_json::json!({"text": format!("{text}{}", hidden.get(&unwanted))});
            let json = serde_json::to_string_pretty(&value).unwrap();
            let shown = escape_invisible(&json);
            prop_assert!(!shown.contains(is_invisible));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        }
    }
}
