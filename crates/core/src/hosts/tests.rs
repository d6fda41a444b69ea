use super::*;
use proptest::prelude::*;

fn hosts(entries: &[&str]) -> AllowedHosts {
    let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
    AllowedHosts::parse(&entries).unwrap()
}

#[test]
fn names_that_no_stranger_can_have_are_answered() {
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
            assert!(hosts.allow(&format!("{host}{port}")), "{host}{port}");
        }
    }
}

#[test]
fn names_that_only_look_like_these_are_not() {
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
        assert!(!hosts.allow(host), "{host:?}");
    }
}

#[test]
fn the_operator_names_more_and_the_name_that_is_listened_at_counts() {
    let hosts = hosts(&["Search.Example.com", "*.lan", "bücher.example", "10.0.0.1"]);
    let hosts = hosts.and("nas").and("0.0.0.0").and("::");
    for host in [
        "search.example.com",
        "SEARCH.example.COM.:443",
        "a.lan",
        "a.b.lan",
        "xn--bcher-kva.example",
        "nas:8001",
    ] {
        assert!(hosts.allow(host), "{host}");
    }
    for host in [
        "example.com",
        "x.search.example.com",
        "lan",
        "evillan",
        "nas.example",
    ] {
        assert!(!hosts.allow(host), "{host}");
    }
    assert!(self::hosts(&["*"]).allow("evil.example"));
}

#[test]
fn an_entry_that_is_no_name_is_named_by_its_place() {
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
        let complaint = AllowedHosts::parse(&entries).unwrap_err();
        assert!(
            complaint.starts_with("entry 2 must be"),
            "{entry}: {complaint}"
        );
    }
}

proptest! {
    /// Whatever is written before or behind it, a name of a stranger is none of ours.
    #[test]
    fn no_decoration_makes_a_strangers_name_ours(
        before in "[a-z0-9.@:\\[\\]%-]{0,12}",
        behind in "(:[0-9]{0,5}|\\.|)",
    ) {
        let host = format!("{before}.evil.example{behind}");
        prop_assert!(!hosts(&["search.example"]).allow(&host), "{}", host);
    }

    #[test]
    fn every_address_is_answered_however_it_is_written(v4: [u8; 4], v6: [u8; 16], port: u16) {
        let hosts = hosts(&[]);
        let (v4, v6) = (std::net::Ipv4Addr::from(v4), Ipv6Addr::from(v6));
        let addresses = [format!("{v4}"), format!("{v4}:{port}"), format!("[{v6}]"), format!("[{v6}]:{port}")];
        for address in addresses {
            prop_assert!(hosts.allow(&address), "{}", address);
        }
    }
}
