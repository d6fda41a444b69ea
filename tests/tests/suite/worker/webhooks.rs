//! `callback_url`: a signed POST reports the result of a search at least once.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use privachat_tests::fixtures::{
    question, searxng_hanging_first, wait_for_status, wait_until_idle,
};
use privachat_tests::upstream::{Reply, Request, searxng};
use privachat_tests::{RedisServer, Stack, Upstream, binaries, eventually};
use redis::AsyncCommands;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const SECRET: &str = "whsec_c2l4IHRpbWVzIG5pbmUgaXMgZm9ydHktdHdvLCBvciBub3Q=";
const CALLBACKS: &str = "{search}:callbacks";
const TIMEOUT: Duration = Duration::from_secs(20);

/// Accepts every webhook.
fn receiver() -> Upstream {
    Upstream::always(Reply::new(204, "text/plain", ""))
}

fn host(receiver: &Upstream) -> String {
    receiver.url().replace("http://", "")
}

/// HMAC-SHA256 as in RFC 2104, for keys of up to a block: independent of the code that signs.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let padded = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(pad, key)| *pad ^= key);
        block
    };
    let inner = Sha256::new()
        .chain_update(padded(0x36))
        .chain_update(message);
    let outer = Sha256::new()
        .chain_update(padded(0x5c))
        .chain_update(inner.finalize());
    outer.finalize().to_vec()
}

/// The body, with its signature and time checked.
fn verified(call: &Request) -> Value {
    let header = |name: &str| call.header(name).unwrap_or_else(|| panic!("no {name}"));
    let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
    let key = STANDARD
        .decode(SECRET.trim_start_matches("whsec_"))
        .unwrap();
    let signed = [id.as_bytes(), b".", at.as_bytes(), b".", &call.body].concat();
    let signature = format!("v1,{}", STANDARD.encode(hmac(&key, &signed)));
    assert_eq!(header("webhook-signature"), signature);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    assert!(now.abs_diff(at.parse().unwrap()) < 60, "sent at {at}");
    assert_eq!(call.method, "POST");
    assert_eq!(header("content-type"), "application/json");
    assert!(header("user-agent").starts_with("PrivaChatSearch/"));
    let body = call.json();
    assert_eq!(body["data"]["session_id"], id);
    body
}

fn asking(receiver: &Upstream, path: &str) -> Value {
    let mut request = question();
    request["query"] = "What is Python?".into();
    request["callback_url"] = receiver.url_for(path).into();
    request
}

/// A stack that may call these receivers although they are on this machine.
async fn stack(web: &Upstream, receivers: &[&Upstream], workers: usize) -> Stack {
    let allowed: Vec<String> = receivers.iter().map(|receiver| host(receiver)).collect();
    Stack::builder(binaries!())
        .workers(workers)
        .with_searxng(web)
        .env("WEBHOOK_SECRET", SECRET)
        .env("JOB_LEASE_SECONDS", 3)
        .env("FETCH_ALLOW_HOSTS", allowed.join(","))
        .start()
        .await
}

#[tokio::test]
async fn a_finished_search_sends_one_signed_webhook_with_the_status_response() {
    let (web, receiver) = (searxng::finding(searxng::about_python()), receiver());
    let mut stack = stack(&web, &[&receiver], 1).await;
    let id = stack
        .client()
        .enqueue(asking(&receiver, "/hook?token=t0ps3cret"))
        .await;
    receiver.wait_for_calls(1).await;
    let call = &receiver.requests()[0];
    assert_eq!(
        (call.path.as_str(), call.parameter("token")),
        ("/hook", Some("t0ps3cret"))
    );
    let body = verified(call);
    assert_eq!(body["type"], "search.completed");
    let status = stack.client().status(&id).await;
    assert_eq!(body["data"], status.expect(200));
    assert_eq!(body["timestamp"], body["data"]["completed_at"]);

    let answered = stack.client().post_search(asking(&receiver, "/sync")).await;
    receiver.wait_for_calls(2).await;
    assert_eq!(
        verified(&receiver.requests()[1])["data"],
        answered.expect(200)
    );

    wait_until_idle(&stack).await;
    assert_eq!(receiver.calls(), 2);
    assert!(!status.text.contains("t0ps3cret"));
    let worker = stack.workers[0].process().output();
    let log = format!("{worker}{}", stack.api.process().output());
    assert!(log.contains("callback delivered"));
    assert!(
        !log.contains("t0ps3cret") && !log.contains("/hook"),
        "{log}"
    );
}

#[tokio::test]
async fn a_search_without_a_callback_has_no_callback_entries() {
    let (web, _asked) = searxng_hanging_first(1);
    let stack = stack(&web, &[], 1).await;
    let id = stack.client().enqueue(question()).await;
    wait_for_status(&stack, &id, "processing", TIMEOUT).await;
    let mut redis = stack.redis.connection().await;
    assert!(!redis.exists::<_, bool>(CALLBACKS).await.unwrap());
    let control = format!("{{search_job:{id}}}:ctl");
    assert!(
        !redis
            .hexists::<_, _, bool>(control, "callback")
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_failed_webhook_is_sent_again_with_the_same_id() {
    let (web, receiver) = (searxng::finding(searxng::about_python()), receiver());
    receiver.next(Reply::json(500, "{}"));
    let stack = stack(&web, &[&receiver], 1).await;
    let id = stack.client().enqueue(asking(&receiver, "/")).await;
    receiver.wait_for_calls(2).await;
    let calls = receiver.requests();
    assert_eq!(verified(&calls[0]), verified(&calls[1]));
    assert_eq!(calls[0].body, calls[1].body);
    for call in &calls {
        assert_eq!(call.header("webhook-id"), Some(id.as_str()));
    }
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_receiver_that_answers_410_gets_no_more_webhooks() {
    let (web, receiver) = (searxng::finding(searxng::about_python()), receiver());
    receiver.next(Reply::json(410, "{}"));
    let stack = stack(&web, &[&receiver], 1).await;
    stack.client().enqueue(asking(&receiver, "/")).await;
    receiver.wait_for_calls(1).await;
    wait_until_idle(&stack).await;
    assert_eq!(receiver.calls(), 1);
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let (web, receiver, other) = (
        searxng::finding(searxng::about_python()),
        receiver(),
        receiver(),
    );
    receiver.next(Reply::redirect(&other.url()));
    let mut stack = stack(&web, &[&receiver, &other], 1).await;
    stack.client().enqueue(asking(&receiver, "/")).await;
    receiver.wait_for_calls(2).await;
    assert_eq!(other.calls(), 0);
    assert!(
        stack.workers[0]
            .process()
            .output()
            .contains("the receiver answered 302")
    );
}

#[tokio::test]
async fn a_private_address_that_is_not_allowed_is_not_called() {
    let (web, receiver) = (searxng::finding(searxng::about_python()), receiver());
    let mut stack = stack(&web, &[], 1).await;
    let by_name = receiver.url().replace("127.0.0.1", "localhost");
    let addresses = [
        receiver.url(),
        by_name,
        "http://169.254.169.254/latest".to_owned(),
    ];
    for address in &addresses {
        let mut request = question();
        request["callback_url"] = address.as_str().into();
        stack.client().enqueue(request).await;
    }
    eventually("all three are refused", TIMEOUT, async || {
        let log = stack.workers[0].process().output();
        (log.matches("a callback failed").count() >= 3).then_some(())
    })
    .await;
    let log = stack.workers[0].process().output();
    assert!(log.matches("a private address").count() >= 3, "{log}");
    assert_eq!(receiver.calls(), 0);
}

#[tokio::test]
async fn the_webhook_of_a_killed_worker_is_sent_by_another() {
    let (web, receiver) = (searxng::finding(searxng::about_python()), receiver());
    receiver.next(Reply::hang());
    let mut stack = stack(&web, &[&receiver], 1).await;
    let id = stack.client().enqueue(asking(&receiver, "/")).await;
    receiver.wait_for_calls(1).await;
    stack.workers[0].process().kill();
    stack.add_worker();
    // A lease of 30 s, and up to 5 s until the next check.
    eventually(
        "the webhook is sent again",
        Duration::from_secs(45),
        async || (receiver.calls() >= 2).then_some(()),
    )
    .await;
    let calls = receiver.requests();
    assert_eq!(verified(&calls[1])["data"]["session_id"], id);
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_hanging_receiver_delays_no_other_and_no_uncalled_receiver_counts_as_failed() {
    let web = searxng::finding(searxng::about_python());
    let (hanging, other) = (Upstream::always(Reply::hang()), receiver());
    // Two host names, because the limit is per host.
    let mut elsewhere = asking(&other, "/");
    elsewhere["callback_url"] = other.url().replace("127.0.0.1", "localhost").into();
    let by_name = host(&other).replace("127.0.0.1", "localhost");
    let mut stack = Stack::builder(binaries!())
        .workers(0)
        .with_searxng(&web)
        .env("WEBHOOK_SECRET", SECRET)
        .env("FETCH_ALLOW_HOSTS", format!("{},{by_name}", host(&hanging)))
        .start()
        .await;
    let end = async |request: Value| {
        let id = stack.client().enqueue(request).await;
        let path = format!("/api/v1/search/{id}");
        stack.client().delete(&path).await.expect(200);
    };
    for _ in 0..40 {
        end(asking(&hanging, "/")).await;
    }
    end(elsewhere).await;
    stack.add_worker();
    hanging.wait_for_calls(8).await;
    other.wait_for_calls(1).await;
    assert_eq!(hanging.calls(), 8);
    let log = eventually("the eight are given up", TIMEOUT, async || {
        let log = stack.workers[0].process().output();
        (log.matches("a callback failed").count() >= 8).then_some(log)
    })
    .await;
    assert_eq!(log.matches("a callback failed").count(), 8, "{log}");
}

#[tokio::test]
async fn cancelled_and_failed_searches_send_webhooks_too() {
    let (web, receiver) = (Upstream::always(Reply::json(400, "{}")), receiver());
    let mut stack = stack(&web, &[&receiver], 0).await;
    let cancelled = stack
        .client()
        .enqueue(asking(&receiver, "/cancelled"))
        .await;
    let path = format!("/api/v1/search/{cancelled}");
    stack.client().delete(&path).await.expect(200);
    let failed = stack.client().enqueue(asking(&receiver, "/failed")).await;
    stack.add_worker();
    receiver.wait_for_calls(2).await;
    for call in receiver.requests() {
        let body = verified(&call);
        assert_eq!(body["type"], "search.failed");
        let is_cancelled = call.path == "/cancelled";
        let id = if is_cancelled { &cancelled } else { &failed };
        assert_eq!(body["data"]["session_id"], id.as_str());
        assert_eq!(
            body["data"]["cancelled"].as_bool(),
            Some(is_cancelled),
            "{body}"
        );
        assert!(body["data"]["error_code"].is_string());
    }
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_restart_of_redis_before_the_webhook_loses_nothing() {
    let (web, receiver) = (searxng::finding(searxng::about_python()), receiver());
    let builder = Stack::builder(binaries!()).workers(0).with_searxng(&web);
    let mut stack = builder
        .on_redis(RedisServer::with_aof().await)
        .env("WEBHOOK_SECRET", SECRET)
        .env("FETCH_ALLOW_HOSTS", host(&receiver))
        .start()
        .await;
    let id = stack.client().enqueue(asking(&receiver, "/")).await;
    let path = format!("/api/v1/search/{id}");
    stack.client().delete(&path).await.expect(200);
    stack.redis.restart().await;
    stack.add_worker();
    receiver.wait_for_calls(1).await;
    assert_eq!(verified(&receiver.requests()[0])["data"]["cancelled"], true);
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_webhook_with_an_expired_record_is_removed() {
    let (web, receiver) = (searxng::finding(searxng::about_python()), receiver());
    let mut stack = stack(&web, &[&receiver], 0).await;
    let id = stack.client().enqueue(asking(&receiver, "/")).await;
    let path = format!("/api/v1/search/{id}");
    stack.client().delete(&path).await.expect(200);
    let mut redis = stack.redis.connection().await;
    let (record, rest) = (format!("search_job:{id}"), format!("{{search_job:{id}}}"));
    let keys = [record, format!("{rest}:ctl"), format!("{rest}:ev")];
    assert_eq!(redis.del::<_, u64>(&keys).await.unwrap(), 3);
    assert_eq!(redis.zcard::<_, u64>(CALLBACKS).await.unwrap(), 1);
    stack.add_worker();
    wait_until_idle(&stack).await;
    assert_eq!(receiver.calls(), 0);
    assert!(!redis.exists::<_, bool>(&keys).await.unwrap());
}

#[tokio::test]
async fn an_unusable_callback_address_is_refused_with_its_reason() {
    let (web, receiver) = (searxng::finding(searxng::about_python()), receiver());
    let stack = stack(&web, &[&receiver], 0).await;
    let long = format!("https://a.example/{}", "x".repeat(2048));
    let cases = [
        (json!(7), "string_type"),
        (json!(""), "url_parsing"),
        (json!("hooks/mine"), "url_parsing"),
        (json!("ftp://a.example/"), "url_scheme"),
        (json!("https://user:pw@a.example/"), "value_error"),
        (json!("https://a.example/#part"), "value_error"),
        (json!(long), "url_too_long"),
    ];
    for (address, kind) in cases {
        let mut request = question();
        request["callback_url"] = address.clone();
        let answer = stack.client().post_search(request).await;
        let fault = &answer.expect(422)["detail"][0];
        assert_eq!(fault["type"], kind, "{address}");
        assert_eq!(fault["loc"], json!(["body", "callback_url"]));
        assert!(!answer.text.contains("user:pw"));
    }
}

#[tokio::test]
async fn without_a_secret_a_callback_is_refused_with_the_missing_setting() {
    let web = searxng::finding(searxng::about_python());
    let stack = Stack::builder(binaries!())
        .workers(0)
        .with_searxng(&web)
        .start()
        .await;
    let mut request = question();
    request["callback_url"] = "https://a.example/".into();
    let answer = stack.client().post_search(request).await.expect(422);
    assert_eq!(answer["detail"][0]["loc"], json!(["body", "callback_url"]));
    assert_eq!(answer["detail"][0]["ctx"]["setting"], "WEBHOOK_SECRET");
}

#[tokio::test]
async fn a_repeat_with_another_callback_is_another_request() {
    let (web, receiver) = (searxng::finding(searxng::about_python()), receiver());
    let stack = stack(&web, &[&receiver], 1).await;
    let client = stack.client();
    let post = async |request: &Value| {
        let request = client
            .request(reqwest::Method::POST, "/api/v1/search")
            .header("Idempotency-Key", "one")
            .json(request);
        client.send(request).await.status
    };
    let first = asking(&receiver, "/one");
    assert_eq!([post(&first).await, post(&first).await], [200, 200]);
    assert_eq!(post(&asking(&receiver, "/two")).await, 409);
    receiver.wait_for_calls(1).await;
    assert_eq!(post(&first).await, 200);
    wait_until_idle(&stack).await;
    assert_eq!(receiver.calls(), 1);
}
