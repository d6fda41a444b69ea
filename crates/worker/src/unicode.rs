//! Decodes UTF-16 and UTF-32, for formats whose text begins with ASCII: JSON and robots.txt.

use encoding_rs::{UTF_16BE, UTF_16LE};

/// The text of `bytes` if they are UTF-16 or UTF-32, detected by the byte order mark or else by the
/// zeros of the first ASCII characters (RFC 4627, 3). Malformed characters become U+FFFD.
#[must_use]
pub fn decode_wide(bytes: &[u8]) -> Option<String> {
    let head: [u8; 4] = bytes.get(..4).and_then(|head| head.try_into().ok())?;
    match head {
        [0xff, 0xfe, 0, 0] | [1..=0xff, 0, 0, 0] => Some(utf_32(bytes, u32::from_le_bytes)),
        [0, 0, 0xfe, 0xff] | [0, 0, 0, 1..=0xff] => Some(utf_32(bytes, u32::from_be_bytes)),
        [0xff, 0xfe, ..] | [1..=0xff, 0, 1..=0xff, 0] => {
            Some(UTF_16LE.decode(bytes).0.into_owned())
        }
        [0xfe, 0xff, ..] | [0, 1..=0xff, 0, 1..=0xff] => {
            Some(UTF_16BE.decode(bytes).0.into_owned())
        }
        _ => None,
    }
}

fn utf_32(bytes: &[u8], number: fn([u8; 4]) -> u32) -> String {
    let (units, _rest) = bytes.as_chunks::<4>();
    let chars = units
        .iter()
        .map(|unit| char::from_u32(number(*unit)).unwrap_or(char::REPLACEMENT_CHARACTER));
    chars.skip_while(|c| *c == '\u{feff}').collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `text` in each of the four encodings.
    fn encoded(text: &str) -> [Vec<u8>; 4] {
        let units = || text.encode_utf16();
        let chars = || text.chars().map(u32::from);
        [
            units().flat_map(u16::to_le_bytes).collect(),
            units().flat_map(u16::to_be_bytes).collect(),
            chars().flat_map(u32::to_le_bytes).collect(),
            chars().flat_map(u32::to_be_bytes).collect(),
        ]
    }

    proptest! {
        #[test]
        fn each_encoding_is_recognised_with_a_mark_and_without(
            head in "[ -~]{4}", rest in "\\PC{0,40}",
        ) {
            let text = head + &rest;
            for bytes in encoded(&text).iter().chain(&encoded(&format!("\u{feff}{text}"))) {
                prop_assert_eq!(decode_wide(bytes), Some(text.clone()));
            }
            prop_assert_eq!(decode_wide(text.as_bytes()), None);
        }

        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = decode_wide(&bytes);
        }
    }

    #[test]
    fn zeros_in_utf_8_are_not_detected_as_another_encoding() {
        for text in ["\0User-agent: *", "U\0ser-agent: *", "{\"a\0\": 1}", "{}"] {
            assert_eq!(decode_wide(text.as_bytes()), None, "{text:?}");
        }
    }
}
