//! The proxies of the environment: used for remote engines and models, never for local ones or for
//! pages, and named in errors.

use std::process::Output;

use privachat_tests::process::isolated;
use privachat_tests::upstream::{Reply, searxng, site};
use privachat_tests::{Upstream, binaries};

const SEARCH: [&str; 4] = ["search", "--provider", "searxng", "asyncio queue"];

fn run(settings: &[(&str, &str)], arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    isolated(binaries!().worker)
        .current_dir(folder.path())
        .env("WIKIPEDIA_BASE_URL", "off")
        .envs(settings.iter().copied())
        .args(arguments)
        .output()
        .unwrap()
}

fn printed(output: &Output) -> String {
    let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    text.concat()
}

#[test]
fn local_servers_are_called_without_a_proxy() {
    let proxy = Upstream::always(Reply::html("no"));
    let engine = Upstream::always(searxng::sample("mixed-one-dead.json"));
    let by_name = engine.url().replace("127.0.0.1", "localhost");
    for base in [engine.url(), by_name] {
        for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
            let settings = [
                ("SEARXNG_BASE_URL", base.as_str()),
                (variable, &proxy.url()),
            ];
            let output = run(&settings, &SEARCH);
            assert_eq!(
                output.status.code(),
                Some(0),
                "{base} {variable}: {}",
                printed(&output)
            );
        }
    }
    assert_eq!(engine.calls(), 6);
    assert_eq!(proxy.calls(), 0, "{:?}", proxy.requests());
}

#[test]
fn a_remote_engine_is_called_through_the_proxy_and_errors_name_it() {
    let proxy = Upstream::always(searxng::sample("mixed-one-dead.json"));
    let elsewhere = ("SEARXNG_BASE_URL", "http://search.example");
    let address = proxy.url();
    let settings = [elsewhere, ("HTTP_PROXY", address.as_str())];
    let output = run(&settings, &SEARCH);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    assert_eq!(proxy.calls(), 1);

    for status in [502, 403, 407] {
        let proxy = Upstream::always(Reply::new(status, "text/plain", "no"));
        let address = proxy.url();
        let text = printed(&run(&[elsewhere, ("HTTP_PROXY", &address)], &SEARCH));
        assert!(
            text.contains(&format!("HTTP {status}, through the proxy")),
            "{text}"
        );
        assert!(
            text.contains("HTTP_PROXY") && !text.contains(&address),
            "{text}"
        );
    }
    // No double listens on this address.
    let nowhere = "http://127.9.9.9:1";
    let text = printed(&run(&[elsewhere, ("HTTP_PROXY", nowhere)], &SEARCH));
    assert!(
        text.contains("connection refused, through the proxy"),
        "{text}"
    );

    let apart = [settings[0], settings[1], ("NO_PROXY", "search.example")];
    let text = printed(&run(&apart, &SEARCH));
    assert!(
        text.contains("searxng is not available") && !text.contains("PROXY"),
        "{text}"
    );
}

#[test]
fn errors_of_a_remote_model_name_the_proxy_too() {
    let proxy = Upstream::always(Reply::new(503, "text/plain", "no"));
    let settings = [
        ("LLM_BASE_URL", "http://model.example/v1"),
        ("LLM_MODEL", "m"),
        ("EMBEDDING_BASE_URL", "http://vectors.example/v1"),
        ("EMBEDDING_MODEL", "m"),
        ("HTTP_PROXY", &proxy.url()),
    ];
    let text = printed(&run(&settings, &["check-config"]));
    assert_eq!(
        text.matches("HTTP 503, through the proxy").count(),
        2,
        "{text}"
    );
}

#[test]
fn pages_are_read_without_a_proxy() {
    let proxy = Upstream::always(Reply::html("no"));
    let fact = "asyncio.gather runs awaitable objects concurrently and returns their results.";
    let site = site::serving([("/page", site::article("A page", &[fact]))]);
    let host = site.url().replace("http://", "");
    let settings = [
        ("FETCH_ALLOW_HOSTS", host.as_str()),
        ("HTTP_PROXY", &proxy.url()),
    ];
    let output = run(&settings, &["read", &site.url_for("/page")]);
    assert!(printed(&output).contains(fact), "{}", printed(&output));
    assert_eq!(proxy.calls(), 0);
}
