//! By default accepted searches are on disk; weaker settings are reported.

use privachat_tests::process::isolated;
use privachat_tests::redis::{Options, RedisServer};
use privachat_tests::scrape::scrape;
use privachat_tests::{Stack, binaries, project_files};
use redis::AsyncCommands;
use serde_json::json;

async fn server(aof: bool, arguments: &[&str]) -> RedisServer {
    RedisServer::with(Options {
        aof,
        tcp: true,
        arguments: arguments.iter().map(|it| (*it).to_owned()).collect(),
    })
    .await
}

/// A Redis that does not reveal its configuration, like managed ones.
async fn managed() -> (RedisServer, String) {
    let server = server(true, &[]).await;
    let () = redis::cmd("ACL")
        .arg(&["SETUSER", "tenant", "on", ">word", "~*", "&*"])
        .arg(&["+@all", "-config"])
        .query_async(&mut server.connection().await)
        .await
        .unwrap();
    let url = format!("redis://tenant:word@{}/0", server.address());
    (server, url)
}

fn check_config(redis_url: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = isolated(binaries!().worker)
        .current_dir(folder.path())
        .env("REDIS_URL", redis_url)
        .env("WIKIPEDIA_BASE_URL", "off")
        .arg("check-config")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The reports of `/readyz`, `/metrics`, the log and `check-config` about one server.
async fn assert_reported(
    server: RedisServer,
    url: &str,
    durability: &str,
    gauge: Option<f64>,
    warning: &str,
) {
    let shown = check_config(url);
    let mut stack = Stack::builder(binaries!())
        .workers(0)
        .on_redis(server)
        .env("REDIS_URL", url)
        .start()
        .await;
    let ready = stack.client().get("/readyz").await.expect(200);
    let reported = (&ready["status"], &ready["redis"], &ready["durability"]);
    assert_eq!(
        reported,
        (&json!("ready"), &json!("ok"), &json!(durability))
    );
    let seen = scrape(stack.client()).await;
    let measured = seen.samples.get("privachat_redis_durable").copied();
    assert_eq!(measured, gauge, "{durability}");
    let log = stack.api.process().output();
    if gauge == Some(0.0) {
        assert!(
            shown.contains(&format!("warn  redis       {warning}")),
            "{shown}"
        );
        let first = ready["warnings"][0].as_str().unwrap();
        assert!(first.starts_with(warning), "{first}");
        assert!(log.contains(warning), "{log}");
    } else {
        assert!(!shown.contains("warn  redis"), "{shown}");
        assert!(ready.get("warnings").is_none(), "{ready}");
        assert!(!log.contains("WARN"), "{log}");
    }
    let is_unknown = shown.contains("does not tell how it keeps what it accepts");
    assert_eq!(is_unknown, durability == "unknown", "{shown}");
}

#[tokio::test]
async fn a_redis_with_weak_durability_is_reported_and_used() {
    let synced = server(true, &[]).await;
    let url = synced.url();
    assert_reported(synced, &url, "durable", Some(1.0), "").await;
    for policy in ["everysec", "no"] {
        let later = server(true, &["--appendfsync", policy]).await;
        let url = later.url();
        let warning = "appendfsync is not always";
        assert_reported(later, &url, "delayed", Some(0.0), warning).await;
    }
    let off = server(false, &[]).await;
    let url = off.url();
    assert_reported(off, &url, "off", Some(0.0), "appendonly is off").await;
}

#[tokio::test]
async fn hidden_settings_of_a_managed_redis_are_unknown_and_no_warning() {
    let (server, url) = managed().await;
    assert_reported(server, &url, "unknown", None, "").await;
}

/// The value of an option, in a script or in the list of a compose file.
fn option(text: &str, name: &str) -> String {
    let (_, behind) = text.split_once(name).unwrap_or_else(|| panic!("no {name}"));
    let mut words = behind.split(|c: char| c.is_whitespace() || c == '"' || c == '-');
    words.find(|word| !word.is_empty()).unwrap().to_owned()
}

#[tokio::test]
async fn make_run_compose_and_the_tests_write_accepted_searches_to_disk_first() {
    for file in ["scripts/services.sh", "docker-compose.yml"] {
        let text = project_files::file(file).text;
        let set = ["--appendonly", "--appendfsync"].map(|name| option(&text, name));
        assert_eq!(set, ["yes", "always"], "{file}");
    }
    let mut server = RedisServer::with_aof().await;
    let mut connection = server.connection().await;
    let policy: Vec<String> = redis::cmd("CONFIG")
        .arg(&["GET", "appendfsync"])
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(policy, ["appendfsync", "always"]);
    // And so it survives the death of the process.
    let () = connection.set("accepted", 1).await.unwrap();
    server.kill();
    server.restart().await;
    let kept: Option<u8> = server.connection().await.get("accepted").await.unwrap();
    assert_eq!(kept, Some(1));
}
