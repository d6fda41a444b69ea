use super::*;
use proptest::prelude::*;

fn hosts(entries: &[&str]) -> AllowedHosts {
    let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
    AllowedHosts::parse(&entries).unwrap()
}

#[test]
fn loopback_names_and_ip_addresses_are_accepted() {
    let hosts = hosts(&[]);
    for host in [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "app.localhost",
        "127.0.0.1",
        "192.168.1.20",
        "8.8.8.8",
        "[::1]",
        "[2001:db8::1]",
    ] {
        for port in ["", ":8001", ":"] {
            assert!(hosts.allows(&format!("{host}{port}")), "{host}{port}");
        }
    }
}

#[test]
fn names_that_look_like_loopback_or_an_address_are_rejected() {
    let hosts = hosts(&[]);
    for host in [
        "evil.example",
        "localhost.evil.example",
        "notlocalhost",
        ".localhost",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "evil.example:127.0.0.1",
        "[::1].evil.example",
        "[evil.example]",
        "[::1",
        "::1]",
        "localhost:8001:evil",
        "localhost:evil.example",
        "localhost ",
        "",
        ":8001",
    ] {
        assert!(!hosts.allows(host), "{host:?}");
    }
}

#[test]
fn configured_names_and_the_listen_address_are_accepted() {
    let hosts = hosts(&["Search.Example.com", "*.lan", "bücher.example", "10.0.0.1"]);
    let hosts = hosts
        .with_listen_host("nas")
        .with_listen_host("0.0.0.0")
        .with_listen_host("::");
    for host in [
        "search.example.com",
        "SEARCH.example.COM.:443",
        "a.lan",
        "a.b.lan",
        "xn--bcher-kva.example",
        "nas:8001",
    ] {
        assert!(hosts.allows(host), "{host}");
    }
    for host in [
        "example.com",
        "x.search.example.com",
        "lan",
        "evillan",
        "nas.example",
    ] {
        assert!(!hosts.allows(host), "{host}");
    }
    assert!(self::hosts(&["*"]).allows("evil.example"));
}

#[test]
fn a_malformed_entry_is_reported_by_its_position() {
    for entry in [
        "https://a.example",
        "a.example:443",
        "a.example/b",
        "*a",
        "a.*",
        "a b",
        "*.",
    ] {
        let entries = ["ok.example".to_owned(), entry.to_owned()];
        let error = AllowedHosts::parse(&entries).unwrap_err();
        assert!(error.starts_with("entry 2 must be"), "{entry}: {error}");
    }
}

proptest! {
    /// Text before or after a foreign name never makes it acceptable.
    #[test]
    fn a_decorated_foreign_name_is_rejected(
        before in "[a-z0-9.@:\\[\\]%-]{0,12}",
        behind in "(:[0-9]{0,5}|\\.|)",
    ) {
        let host = format!("{before}.evil.example{behind}");
        prop_assert!(!hosts(&["search.example"]).allows(&host), "{}", host);
    }

    #[test]
    fn every_form_of_an_ip_address_is_accepted(v4: [u8; 4], v6: [u8; 16], port: u16) {
        let hosts = hosts(&[]);
        let (v4, v6) = (std::net::Ipv4Addr::from(v4), Ipv6Addr::from(v6));
        let addresses = [format!("{v4}"), format!("{v4}:{port}"), format!("[{v6}]"), format!("[{v6}]:{port}")];
        for address in addresses {
            prop_assert!(hosts.allows(&address), "{}", address);
        }
    }
}
