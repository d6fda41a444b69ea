//! Canonical URLs, so that a page found under two URLs counts as one source. Only for comparison:
//! the URL that was found is the one shown and fetched.

use url::Url;

/// Query parameters that track the visitor and do not change the page.
const TRACKING_PARAMETERS: [&str; 38] = [
    "gclid",
    "gclsrc",
    "dclid",
    "wbraid",
    "gbraid",
    "fbclid",
    "msclkid",
    "yclid",
    "twclid",
    "ttclid",
    "igshid",
    "igsh",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "hsctatracking",
    "mkt_tok",
    "oly_anon_id",
    "oly_enc_id",
    "rb_clickid",
    "s_cid",
    "vero_id",
    "vero_conv",
    "wickedid",
    "epik",
    "srsltid",
    "spm",
    "scm",
    "ref_src",
    "ref_url",
    "cmpid",
    "ncid",
    "sc_campaign",
    "s_kwcid",
];
const TRACKING_PREFIXES: [&str; 5] = ["utm_", "pk_", "piwik_", "mtm_", "matomo_"];

/// The canonical form of `address`: https, without `www.`, default port, user, fragment, trailing
/// slash and tracking parameters, the other parameters sorted. URLs that are not http(s) only lose
/// their fragment; text that is no URL is only trimmed.
#[must_use]
pub fn canonical_url(address: &str) -> String {
    let trimmed = address.trim();
    let Ok(mut url) = Url::parse(trimmed) else {
        return trimmed.to_owned();
    };
    if !matches!(url.scheme(), "http" | "https") {
        url.set_fragment(None);
        return url.into();
    }
    let Some(host) = url.host_str() else {
        return trimmed.to_owned();
    };
    // "0.." is a name, but "0" is another spelling of 0.0.0.0. No resolver accepts two dots.
    if host.ends_with("..") {
        return trimmed.to_owned();
    }
    let host = without_www(host.trim_end_matches('.'));
    if host.is_empty() {
        return trimmed.to_owned();
    }
    let port = match url.port() {
        // http and https count as the same, so both default ports are dropped.
        None | Some(80 | 443) => String::new(),
        Some(port) => format!(":{port}"),
    };
    let path = canonical_path(url.path());
    let query = canonical_query(&url);
    format!("https://{host}{port}{path}{query}")
}

fn without_www(host: &str) -> &str {
    match host.strip_prefix("www.") {
        Some(rest) if rest.contains('.') => without_www(rest),
        _ => host,
    }
}

fn canonical_path(path: &str) -> String {
    let segments: Vec<String> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(normalize_escapes)
        .collect();
    let mut joined = String::new();
    for segment in &segments {
        joined.push('/');
        joined.push_str(segment);
    }
    joined
}

/// Decodes escapes that are not needed; writes the others in upper case.
fn normalize_escapes(segment: &str) -> String {
    let mut normal = String::with_capacity(segment.len());
    let mut rest = segment;
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        let digits = after
            .get(..2)
            .filter(|d| d.chars().all(|c| c.is_ascii_hexdigit()));
        let Some(digits) = digits else {
            normal.push_str("%25");
            rest = after;
            continue;
        };
        match u8::from_str_radix(digits, 16).map(char::from) {
            Ok(c) if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '~') => normal.push(c),
            _ => {
                normal.push('%');
                normal.push_str(&digits.to_ascii_uppercase());
            }
        }
        rest = after.get(2..).unwrap_or_default();
    }
    normal.push_str(rest);
    normal
}

fn canonical_query(url: &Url) -> String {
    let mut kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, value)| !(is_tracking(name) || name.is_empty() && value.is_empty()))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    if kept.is_empty() {
        return String::new();
    }
    kept.sort();
    let encoded = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .finish();
    format!("?{encoded}")
}

fn is_tracking(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TRACKING_PARAMETERS.contains(&name.as_str())
        || TRACKING_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests;
