use super::*;

fn addresses(servers: &[ConnectionInfo]) -> Vec<String> {
    servers.iter().map(|info| info.addr().to_string()).collect()
}

#[test]
fn one_host_is_a_single_server() {
    for text in [
        "redis://localhost:6379/0",
        "rediss://user:pa,ss@host/3",
        "redis+unix:///run/redis,too.sock",
    ] {
        assert!(
            matches!(Address::parse(text, None), Ok(Address::Single(_))),
            "{text}"
        );
    }
}

#[test]
fn several_hosts_are_a_cluster_with_shared_credentials() {
    let parsed = Address::parse("redis://me:p%40ss@a:7001,b:7002,c/0", None).unwrap();
    let Address::Cluster(seeds) = parsed else {
        panic!("{parsed:?}");
    };
    assert_eq!(addresses(&seeds), ["a:7001", "b:7002", "c:6379"]);
    for seed in &seeds {
        assert_eq!(seed.redis_settings().username(), Some("me"));
        assert_eq!(seed.redis_settings().password(), Some("p@ss"));
    }
    let single = Address::parse("rediss+cluster://a:7001", None).unwrap();
    assert!(
        matches!(&single, Address::Cluster(seeds)
            if matches!(seeds[0].addr(), ConnectionAddr::TcpTls { .. })),
        "{single:?}"
    );
}

#[test]
fn a_sentinel_address_has_a_master_name_and_its_own_password() {
    let text = "redis+sentinel://:secret@s1,s2:5000/main/2?sentinel_password=other";
    let parsed = Address::parse(text, None).unwrap();
    let Address::Sentinels {
        sentinels,
        master,
        server,
    } = parsed
    else {
        panic!("{parsed:?}");
    };
    assert_eq!(addresses(&sentinels), ["s1:26379", "s2:5000"]);
    assert_eq!(sentinels[0].redis_settings().password(), Some("other"));
    assert_eq!(master, "main");
    assert_eq!(server.redis_settings().db(), 2);
    let found = connection_info_for(&server, "10.0.0.7", 6380);
    assert_eq!(found.addr().to_string(), "10.0.0.7:6380");
    assert_eq!(found.redis_settings().password(), Some("secret"));
}

#[test]
fn an_invalid_address_is_refused_and_not_repeated() {
    for text in [
        "secret",
        "http://secret@host",
        "redis://secret@a,secret@b",
        "redis://:secret@a,b/1",
        "redis://:secret@a,,b",
        "redis://:secret@a:x,b",
        "redis+sentinel://:secret@a",
        "redis+sentinel://:secret@a/main?password=secret",
        "redis+other://:secret@a",
        "redis://:secret@a,b?protocol=resp3",
        "redis+sentinel://:secret@a/main?sentinel_password=secret&protocol=resp3",
    ] {
        let refused = Address::parse(text, None).expect_err(text).to_string();
        assert!(!refused.contains("secret"), "{refused}");
        assert!(refused.contains("redis+sentinel://"), "{refused}");
    }
}
