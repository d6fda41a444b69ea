//! The language editions of Wikipedia.

/// The codes of the larger editions. A fixed list, because the code becomes part of a host name and
/// not every language code has a Wikipedia.
const CODES: [&str; 62] = [
    "af", "ar", "az", "be", "bg", "bn", "bs", "ca", "cs", "cy", "da", "de", "el", "en", "eo", "es",
    "et", "eu", "fa", "fi", "fr", "gl", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "ka",
    "kk", "ko", "la", "lt", "lv", "mk", "ml", "mr", "ms", "nl", "nn", "no", "pl", "pt", "ro", "ru",
    "sh", "sk", "sl", "sq", "sr", "sv", "ta", "te", "th", "tr", "uk", "ur", "vi", "zh",
];

/// The API address of the edition in `language`; of the English one if there is none.
pub(super) fn api_url(language: Option<&str>) -> String {
    let code = language
        .map(|code| if code == "nb" { "no" } else { code })
        .filter(|code| CODES.contains(code))
        .unwrap_or("en");
    format!("https://{code}.wikipedia.org/w/api.php")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edition_follows_the_language() {
        for (language, host) in [
            (Some("de"), "de"),
            (Some("nb"), "no"),
            (Some("xx"), "en"),
            (Some("evil.example/"), "en"),
            (None, "en"),
        ] {
            assert_eq!(
                api_url(language),
                format!("https://{host}.wikipedia.org/w/api.php")
            );
        }
    }
}
