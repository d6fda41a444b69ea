//! Decodes JSON in all encodings that the replaced service accepted: UTF-8, and UTF-16 and UTF-32
//! in both byte orders, with or without a byte order mark. Windows programs write them.

use std::{borrow::Cow, char::decode_utf16};

/// The text of a body.
///
/// Without a byte order mark, the zeros in the first four bytes identify the encoding, because JSON
/// begins with two ASCII characters (RFC 4627, section 3).
///
/// # Errors
/// The name of the detected encoding, if the bytes are invalid in it.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, &'static str> {
    let (encoding, text) = detect(bytes);
    let decoded = match encoding {
        Encoding::Utf8 => {
            return std::str::from_utf8(text)
                .map(Cow::from)
                .map_err(|_no_text| "UTF-8");
        }
        Encoding::Utf16(unit) => utf16(text, unit).ok_or("UTF-16"),
        Encoding::Utf32(unit) => utf32(text, unit).ok_or("UTF-32"),
    };
    decoded.map(Cow::from)
}

#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Utf16(fn([u8; 2]) -> u16),
    Utf32(fn([u8; 4]) -> u32),
}

/// The encoding, and the bytes after the byte order mark.
fn detect(bytes: &[u8]) -> (Encoding, &[u8]) {
    // Longer marks first: that of UTF-32 begins with that of UTF-16.
    match bytes {
        [0, 0, 0xfe, 0xff, text @ ..] => (Encoding::Utf32(u32::from_be_bytes), text),
        [0xff, 0xfe, 0, 0, text @ ..] => (Encoding::Utf32(u32::from_le_bytes), text),
        [0xfe, 0xff, text @ ..] => (Encoding::Utf16(u16::from_be_bytes), text),
        [0xff, 0xfe, text @ ..] => (Encoding::Utf16(u16::from_le_bytes), text),
        [0xef, 0xbb, 0xbf, text @ ..] => (Encoding::Utf8, text),
        [0, 0, _, _, ..] => (Encoding::Utf32(u32::from_be_bytes), bytes),
        [0, _, _, _, ..] | [0, _] => (Encoding::Utf16(u16::from_be_bytes), bytes),
        [_, 0, 0, 0, ..] => (Encoding::Utf32(u32::from_le_bytes), bytes),
        [_, 0, _, _, ..] | [_, 0] => (Encoding::Utf16(u16::from_le_bytes), bytes),
        _ => (Encoding::Utf8, bytes),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (units, []) = bytes.as_chunks() else {
        return None;
    };
    let units = units.iter().map(|bytes| unit(*bytes));
    decode_utf16(units).collect::<Result<_, _>>().ok()
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Option<String> {
    let (units, []) = bytes.as_chunks() else {
        return None;
    };
    units
        .iter()
        .map(|bytes| char::from_u32(unit(*bytes)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Encode = fn(&str) -> Vec<u8>;

    fn units16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    fn units32(text: &str, bytes: fn(u32) -> [u8; 4]) -> Vec<u8> {
        text.chars().flat_map(|c| bytes(c.into())).collect()
    }

    const ENCODINGS: [Encode; 5] = [
        |text| text.as_bytes().to_vec(),
        |text| units16(text, u16::to_le_bytes),
        |text| units16(text, u16::to_be_bytes),
        |text| units32(text, u32::to_le_bytes),
        |text| units32(text, u32::to_be_bytes),
    ];

    proptest! {
        #[test]
        fn json_is_read_in_every_encoding_with_and_without_a_mark(query in any::<String>()) {
            let text = serde_json::json!({ "query": query }).to_string();
            for (at, encode) in ENCODINGS.iter().enumerate() {
                for mark in ["", "\u{feff}"] {
                    let bytes = encode(&format!("{mark}{text}"));
                    prop_assert_eq!(decode(&bytes).unwrap(), text.as_str(), "{} {:?}", at, mark);
                }
            }
        }

        #[test]
        fn any_bytes_are_decoded_without_a_panic(bytes in any::<Vec<u8>>()) {
            let _text_or_fault = decode(&bytes);
        }
    }

    #[test]
    fn the_shortest_documents_are_decoded() {
        for text in ["1", "{}", "[]", "", "\"ä\""] {
            for encode in ENCODINGS {
                assert_eq!(decode(&encode(text)).unwrap(), text, "{:?}", encode(text));
            }
        }
    }

    #[test]
    fn invalid_bytes_are_reported_with_their_encoding() {
        let lone: Vec<u8> = [0x7b, 0xd83d, 0x7d]
            .iter()
            .flat_map(|unit: &u16| unit.to_le_bytes())
            .collect();
        for (bytes, encoding) in [
            (b"{\"\xff\"}".to_vec(), "UTF-8"),
            (lone, "UTF-16"),
            (units16("{}", u16::to_le_bytes)[..3].to_vec(), "UTF-8"),
            (units16("{ }", u16::to_le_bytes)[..5].to_vec(), "UTF-16"),
            (units32("{}", u32::to_be_bytes)[..7].to_vec(), "UTF-32"),
            (vec![0, 0, 0xfe, 0xff, 0, 0x11, 0, 0], "UTF-32"),
        ] {
            let fault = decode(&bytes);
            // Three bytes are too few to detect UTF-16, as in the old service; they decode as
            // UTF-8, which is no JSON.
            match bytes.len() {
                3 => assert!(fault.is_ok()),
                _ => assert_eq!(fault.unwrap_err(), encoding, "{bytes:?}"),
            }
        }
    }
}
