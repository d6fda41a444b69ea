//! The short name of a site, as citations show it.

use url::{Host, Url};

/// The name that stands for the site of `url`: the label before the public suffix ("bbc" for
/// `www.bbc.co.uk`, "wikipedia" for `en.wikipedia.org`), the whole host where there is no such
/// label (addresses, `localhost`, a bare suffix), "file" for local documents, and an empty text
/// when `url` names no place at all.
#[must_use]
pub fn registrable_name(url: &str) -> String {
    let Ok(url) = Url::parse(url) else {
        return String::new();
    };
    if url.scheme() == "file" {
        return "file".to_owned();
    }
    match url.host() {
        None => String::new(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(Host::Domain(host)) => label(host).to_owned(),
    }
}

/// The registrable domain of `url` ("bbc.co.uk"): what two pages of one publisher share. The whole
/// host where the public suffix list knows none.
#[must_use]
pub fn registrable_domain(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.trim_end_matches('.').to_lowercase();
    if host.is_empty() {
        return None;
    }
    let domain = psl::domain_str(&host).map(str::to_owned);
    Some(domain.unwrap_or(host))
}

fn label(host: &str) -> &str {
    let host = host.trim_end_matches('.');
    let Some(domain) = psl::domain_str(host) else {
        return host;
    };
    domain.split('.').next().unwrap_or(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_by_the_label_before_its_public_suffix() {
        for (url, name) in [
            ("https://en.wikipedia.org/wiki/Rust", "wikipedia"),
            ("https://www.bbc.co.uk/news", "bbc"),
            ("https://docs.python.org/3/", "python"),
            ("https://user.github.io/page", "user"),
            ("http://EXAMPLE.com.:8080/", "example"),
        ] {
            assert_eq!(registrable_name(url), name, "{url}");
        }
    }

    #[test]
    fn a_place_without_a_public_suffix_is_named_as_it_is() {
        for (url, name) in [
            ("http://192.0.2.7/a", "192.0.2.7"),
            ("http://[2001:db8::1]/a", "2001:db8::1"),
            ("http://localhost:9000/x", "localhost"),
            ("file:///srv/docs/a.html", "file"),
            ("not an address", ""),
        ] {
            assert_eq!(registrable_name(url), name, "{url}");
        }
    }

    #[test]
    fn pages_of_one_publisher_share_a_registrable_domain() {
        assert_eq!(
            registrable_domain("https://news.bbc.co.uk/1"),
            registrable_domain("https://www.bbc.co.uk/2")
        );
        assert_eq!(registrable_domain("file:///srv/a.html"), None);
    }
}
