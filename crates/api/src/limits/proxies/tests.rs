use super::*;
use actix_web::test::TestRequest;

fn proxies(entries: &[&str]) -> TrustedProxies {
    let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
    TrustedProxies::parse(&entries).unwrap()
}

fn client(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
    let mut request =
        TestRequest::default().peer_addr(SocketAddr::new(peer.parse().unwrap(), 4711));
    for line in forwarded {
        request = request.append_header(("x-forwarded-for", *line));
    }
    let client = proxies(trusted).client_address(&request.to_http_request());
    client.unwrap().to_string()
}

#[test]
fn an_untrusted_peer_cannot_forward_an_address() {
    for trusted in [&[][..], &["10.0.0.0/8", "fd00::/8"]] {
        assert_eq!(client(trusted, "192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
    }
}

#[test]
fn the_client_is_the_last_address_that_is_not_a_trusted_proxy() {
    let inside = &["10.0.0.0/8", "192.0.2.7"][..];
    for (peer, forwarded, expected) in [
        ("10.1.2.3", vec![], "10.1.2.3"),
        ("10.1.2.3", vec!["203.0.113.9"], "203.0.113.9"),
        ("192.0.2.7", vec!["203.0.113.9"], "203.0.113.9"),
        // The client forges an entry.
        ("10.1.2.3", vec!["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", vec!["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", vec!["10.9.9.9, 203.0.113.9"], "203.0.113.9"),
        // Two proxies in a chain.
        ("10.1.2.3", vec!["203.0.113.9, 192.0.2.7"], "203.0.113.9"),
        (
            "10.1.2.3",
            vec!["1.1.1.1", " 203.0.113.9 ,10.4.4.4"],
            "203.0.113.9",
        ),
        // The client is in the network of the proxies.
        ("10.1.2.3", vec!["10.5.5.5"], "10.5.5.5"),
        ("10.1.2.3", vec!["10.5.5.5, 10.6.6.6"], "10.5.5.5"),
    ] {
        assert_eq!(client(inside, peer, &forwarded), expected, "{forwarded:?}");
    }
}

#[test]
fn an_invalid_entry_ends_the_path_and_ports_are_ignored() {
    let inside = &["10.0.0.0/8", "fd00::/8"][..];
    for (forwarded, expected) in [
        ("unknown", "10.1.2.3"),
        ("", "10.1.2.3"),
        ("203.0.113.9, _hidden", "10.1.2.3"),
        ("1.1.1.1, nonsense, 10.7.7.7", "10.7.7.7"),
        ("203.0.113.9:50123", "203.0.113.9"),
        ("[2001:db8::5]:50123", "2001:db8::5"),
        ("[2001:db8::5]", "2001:db8::5"),
        ("2001:db8::5", "2001:db8::5"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
    ] {
        assert_eq!(
            client(inside, "10.1.2.3", &[forwarded]),
            expected,
            "{forwarded}"
        );
    }
}

#[test]
fn an_ipv4_mapped_ipv6_address_equals_the_ipv4_address() {
    let forwarded = &["203.0.113.9"];
    let peer = "::ffff:10.1.2.3";
    assert_eq!(client(&["10.0.0.0/8"], peer, forwarded), "203.0.113.9");
    assert_eq!(
        client(&["::ffff:10.1.2.3"], "10.1.2.3", forwarded),
        "203.0.113.9"
    );
    assert_eq!(client(&["::1"], "::1", forwarded), "203.0.113.9");
}

#[test]
fn tls_is_what_the_last_entry_of_a_trusted_proxy_says() {
    let says = |peer: &str, value: &str| {
        let request = TestRequest::default()
            .peer_addr(SocketAddr::new(peer.parse().unwrap(), 4711))
            .insert_header(("x-forwarded-proto", value));
        proxies(&["10.0.0.0/8"]).is_https(&request.to_http_request())
    };
    assert!(says("10.1.2.3", "https"));
    assert!(says("10.1.2.3", "http, HTTPS"));
    assert!(!says("10.1.2.3", "https, http"));
    assert!(!says("10.1.2.3", "http"));
    assert!(!says("192.0.2.1", "https"));
}

#[test]
fn rate_limits_count_ipv4_addresses_and_ipv6_64_networks() {
    let network =
        |address: &str| TrustedProxies::rate_limit_network(address.parse().unwrap()).to_string();
    assert_eq!(network("203.0.113.9"), "203.0.113.9");
    assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    assert_eq!(network("2001:db8:1:2::"), network("2001:db8:1:2:ffff::1"));
    assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
}

#[test]
fn an_invalid_entry_is_reported_by_its_position() {
    for wrong in ["http://proxy", "10.0.0.0/33", "10.0.0", "10.0.0.1:80"] {
        let entries = ["proxy.example".to_owned(), wrong.to_owned()];
        assert_eq!(TrustedProxies::parse(&entries).err(), Some(2), "{wrong}");
    }
}
