//! Decodes bytes of any charset to text.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// The HTML standard requires `<meta charset>` within this many bytes.
const META_PRESCAN_BYTES: usize = 1024;
/// The number of bytes that the detector examines.
const DETECTOR_SAMPLE_BYTES: usize = 64 * 1024;

/// Decodes a page. The charset is that of the byte order mark, else of the Content-Type header,
/// else of the page's own `<meta>`, else it is detected. Malformed sequences become U+FFFD.
#[must_use]
pub fn decode(bytes: &[u8], content_type: Option<&str>) -> String {
    let encoding = content_type
        .and_then(charset_parameter)
        .or_else(|| declared_charset(bytes))
        .unwrap_or_else(|| detect_charset(bytes));
    // `decode` checks the byte order mark first.
    let (text, _, _) = encoding.decode(bytes);
    text.into_owned()
}

fn charset_parameter(content_type: &str) -> Option<&'static Encoding> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("charset") {
            return None;
        }
        Encoding::for_label(value.trim().trim_matches(['"', '\'']).as_bytes())
    })
}

fn declared_charset(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..META_PRESCAN_BYTES).unwrap_or(bytes);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let mut rest = head.as_str();
    let is_xml = rest.starts_with("<?xml");
    while let Some((before, after)) = rest.split_once(if is_xml { "encoding" } else { "charset" }) {
        rest = after;
        let is_meta = is_xml
            || before
                .rfind("<meta")
                .is_some_and(|at| before.get(at..).is_some_and(|tag| !tag.contains('>')));
        let Some(value) = after.trim_start().strip_prefix('=').filter(|_| is_meta) else {
            continue;
        };
        let label: String = value
            .trim_start()
            .trim_start_matches(['"', '\''])
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.'))
            .collect();
        // A page whose meta reads as ASCII is not UTF-16, whatever it declares.
        return Encoding::for_label(label.as_bytes()).map(|encoding| {
            if encoding == UTF_16BE || encoding == UTF_16LE {
                UTF_8
            } else {
                encoding
            }
        });
    }
    None
}

fn detect_charset(bytes: &[u8]) -> &'static Encoding {
    if std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let sample = bytes.get(..DETECTOR_SAMPLE_BYTES).unwrap_or(bytes);
    detector.feed(sample, true);
    detector.guess(None, Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use super::decode;
    use encoding_rs::{SHIFT_JIS, WINDOWS_1251};

    #[test]
    fn byte_order_mark_wins_over_the_header() {
        assert_eq!(
            decode(
                b"\xef\xbb\xbfna\xc3\xafve",
                Some("text/html; charset=iso-8859-1")
            ),
            "naïve"
        );
        assert_eq!(
            decode(b"\xff\xfeh\0i\0", Some("text/plain; charset=utf-8")),
            "hi"
        );
    }

    #[test]
    fn header_wins_over_the_page() {
        let page = b"<meta charset=utf-8>caf\xe9";
        assert!(decode(page, Some("text/html; Charset=\"windows-1252\"")).ends_with("café"));
    }

    #[test]
    fn page_declares_its_charset() {
        let (body, _, _) = SHIFT_JIS.encode("日本語の文書");
        for meta in [
            "<meta charset='shift_jis'>",
            "<META http-equiv=Content-Type content=\"text/html; charset=Shift_JIS\">",
        ] {
            let page = [meta.as_bytes(), &body].concat();
            assert!(
                decode(&page, Some("text/html")).ends_with("日本語の文書"),
                "{meta}"
            );
        }
    }

    #[test]
    fn undeclared_charset_is_detected() {
        let russian = "Это обычный русский текст без объявленной кодировки, достаточно длинный для распознавания.";
        let (bytes, _, _) = WINDOWS_1251.encode(russian);
        assert_eq!(decode(&bytes, None), russian);
        assert_eq!(decode(b"caf\xe9 d\xe9j\xe0 vu", None), "café déjà vu");
        assert_eq!(decode("schön".as_bytes(), Some("text/html")), "schön");
    }

    #[test]
    fn unknown_labels_and_malformed_bytes_are_tolerated() {
        assert_eq!(decode(b"ok", Some("text/html; charset=klingon")), "ok");
        assert_eq!(
            decode(b"a\xffb", Some("text/html; charset=utf-8")),
            "a\u{fffd}b"
        );
    }
}
