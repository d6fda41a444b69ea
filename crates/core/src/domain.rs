//! Domains of URLs: the name of a site, its registrable domain, [`DomainList`], and hosts in ASCII
//! as URLs have them.

use std::borrow::Cow;
use url::{Host, Url};

/// The short name of the site of `url`: the label before the public suffix ("bbc" for
/// `www.bbc.co.uk`, "wikipedia" for `en.wikipedia.org`). Without such a label (IP addresses,
/// `localhost`, a bare suffix) the whole host; "file" for local documents; empty without a host.
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
        Some(Host::Domain(host)) => registrable_label(host).to_owned(),
    }
}

/// The registrable domain of `url` ("bbc.co.uk"), which pages of one publisher share. The whole
/// host if the public suffix list has no entry for it.
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

/// Domains from a setting. `example.com` covers the domain and its subdomains, `*.example.com` only
/// the subdomains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DomainList(Vec<DomainRule>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct DomainRule {
    domain: String,
    subdomains_only: bool,
}

impl DomainList {
    /// Parses the entries. Case, surrounding space and a trailing dot are ignored; an international
    /// name may be in Unicode or in ASCII.
    #[must_use]
    pub fn new(rules: &[String]) -> Self {
        let rules = rules
            .iter()
            .map(|rule| rule.trim())
            .filter(|rule| !rule.is_empty());
        let rules = rules.map(|rule| {
            let parent = rule.strip_prefix("*.");
            DomainRule {
                domain: ascii_host(parent.unwrap_or(rule)),
                subdomains_only: parent.is_some(),
            }
        });
        Self(rules.filter(|rule| !rule.domain.is_empty()).collect())
    }

    /// Whether the host of `url` is in one of the domains; `false` for a URL without a host.
    #[must_use]
    pub fn covers(&self, url: &Url) -> bool {
        let Some(host) = host_name(url) else {
            return false;
        };
        self.0.iter().any(|rule| {
            is_subdomain(&host, &rule.domain) || (!rule.subdomains_only && host == rule.domain)
        })
    }
}

/// The host of `url` in lower case, without a trailing dot.
#[must_use]
pub fn host_name(url: &Url) -> Option<String> {
    let host = url.host_str()?.trim_end_matches('.');
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// Normalises a host from a setting: lower case, no trailing dot, an international name in ASCII
/// ("xn--mller-kva.de" for "Müller.de").
#[must_use]
pub fn ascii_host(host: &str) -> String {
    let host = host.trim().trim_end_matches('.');
    Host::parse(host).map_or_else(|_| host.to_ascii_lowercase(), |host| host.to_string())
}

/// Normalises the host of `host` or `host:port` as [`ascii_host`] does.
#[must_use]
pub fn ascii_host_and_port(place: &str) -> String {
    let place = place.trim();
    match place.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            format!("{}:{port}", ascii_host(host))
        }
        _ => ascii_host(place),
    }
}

/// Converts the hosts of a server address (`scheme://user:password@host1:1,host2:2/path`) to ASCII.
/// Everything else, and an address that already is ASCII, stays unchanged.
#[must_use]
pub fn with_ascii_hosts(address: &str) -> Cow<'_, str> {
    let unchanged = Cow::Borrowed(address);
    let Some((scheme, rest)) = address.split_once("://") else {
        return unchanged;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let Some((authority, after)) = rest.split_at_checked(end) else {
        return unchanged;
    };
    let start = authority.rfind('@').map_or(0, |at| at + 1);
    let Some((credentials, hosts)) = authority.split_at_checked(start) else {
        return unchanged;
    };
    // sqlite:// is followed by a path, not by a host.
    if hosts.is_ascii() || scheme == "sqlite" {
        return unchanged;
    }
    let hosts: Vec<String> = hosts.split(',').map(ascii_host_and_port).collect();
    Cow::Owned(format!(
        "{scheme}://{credentials}{}{after}",
        hosts.join(",")
    ))
}

/// Whether the host of `url` is a loopback name or address. Nothing is resolved.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
        // A connection to the unspecified address reaches this machine, too.
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => {
            let mapped = address.to_ipv4_mapped();
            address.is_loopback()
                || address.is_unspecified()
                || mapped.is_some_and(|address| address.is_loopback())
        }
        None => false,
    }
}

fn is_subdomain(host: &str, parent: &str) -> bool {
    host.strip_suffix(parent)
        .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

fn registrable_label(host: &str) -> &str {
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
    fn a_site_is_named_by_the_label_before_its_public_suffix() {
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
    fn a_host_without_a_public_suffix_is_its_own_name() {
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
    fn a_domain_covers_its_subdomains_and_a_wildcard_only_those() {
        let rules = ["Example.com", "*.wild.test", ""].map(str::to_owned);
        let list = DomainList::new(&rules);
        let covers = |url: &str| list.covers(&Url::parse(url).unwrap());
        for url in [
            "http://example.com/",
            "https://EXAMPLE.com:8443/x",
            "http://a.b.example.com/",
            "http://example.com./",
            "http://a.wild.test/",
        ] {
            assert!(covers(url), "{url}");
        }
        for url in [
            "http://notexample.com/",
            "http://wild.test/",
            "http://example.com.org/",
            "file:///srv/example.com/a.html",
        ] {
            assert!(!covers(url), "{url}");
        }
    }

    #[test]
    fn unicode_and_ascii_names_are_equal() {
        for (written, address) in [
            ("müller.de", "http://xn--mller-kva.de/"),
            ("MÜLLER.de.", "http://www.müller.de/"),
            ("xn--mller-kva.de", "http://müller.de/x"),
            ("*.例え.テスト", "http://a.xn--r8jz45g.xn--zckzah/"),
            ("bücher.example", "http://B%C3%BCcher.example/"),
        ] {
            let list = DomainList::new(&[written.to_owned()]);
            assert!(list.covers(&Url::parse(address).unwrap()), "{written}");
        }
        let list = DomainList::new(&["müller.de".to_owned()]);
        assert!(!list.covers(&Url::parse("http://muller.de/").unwrap()));
        for (place, ascii) in [
            ("Müller.local:8080", "xn--mller-kva.local:8080"),
            ("[::1]:80", "[::1]:80"),
            ("[::1]", "[::1]"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("Docs.Internal", "docs.internal"),
        ] {
            assert_eq!(ascii_host_and_port(place), ascii);
        }
    }

    #[test]
    fn only_the_hosts_of_a_server_address_become_ascii() {
        for (address, ascii) in [
            (
                "redis://ü:ö@müller.de:1,bücher.de/ä",
                "redis://ü:ö@xn--mller-kva.de:1,xn--bcher-kva.de/ä",
            ),
            (
                "postgres://müller.de/db?x=ä",
                "postgres://xn--mller-kva.de/db?x=ä",
            ),
            ("redis://Host:6379/0", "redis://Host:6379/0"),
            ("redis+unix:///ä/redis.sock", "redis+unix:///ä/redis.sock"),
            ("sqlite://dätä/h.db", "sqlite://dätä/h.db"),
            ("nonsense ä", "nonsense ä"),
        ] {
            assert_eq!(with_ascii_hosts(address), ascii);
        }
    }

    #[test]
    fn every_form_of_loopback_is_recognised() {
        let loopback = |url: &str| is_loopback(&Url::parse(url).unwrap());
        for url in [
            "http://localhost:1/",
            "http://LOCALHOST./",
            "http://search.localhost/",
            "http://127.0.0.1/",
            "http://127.8.7.6:8080/",
            "http://2130706433/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://0.0.0.0:8080/",
        ] {
            assert!(loopback(url), "{url}");
        }
        for url in [
            "http://localhost.example/",
            "http://notlocalhost/",
            "http://128.0.0.1/",
            "http://10.0.0.1/",
            "http://[::2]/",
            "http://127.0.0.1.example/",
        ] {
            assert!(!loopback(url), "{url}");
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
