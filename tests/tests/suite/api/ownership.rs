//! The owner of a search: a key sees its own searches, an operator's key sees all.

use privachat_core::connection::Redis;
use privachat_core::jobs::Jobs;
use privachat_tests::fixtures::{self, question, wait_until_idle};
use privachat_tests::upstream::searxng;
use privachat_tests::{Client, HttpResponse, Stack, Upstream, binaries, captured_bodies};
use redis::AsyncCommands;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const ALICE: &str = "planted-key-of-alice-1";
const BOB: &str = "planted-key-of-bob-22";
const ROOT: &str = "planted-key-of-root-3";

/// Every operation that takes the id of a search.
const EVERYWHERE: [(Method, &str); 7] = [
    (Method::GET, "/api/v1/search/status/{id}"),
    (Method::GET, "/api/v1/search/{id}/events"),
    (Method::GET, "/api/v1/search/{id}/ws"),
    (Method::GET, "/api/v1/sessions/{id}"),
    (Method::POST, "/api/v1/search/{id}/retry"),
    (Method::DELETE, "/api/v1/search/{id}"),
    (Method::DELETE, "/api/v1/sessions/{id}"),
];

/// With two users and an operator; a key is required.
async fn start(web: &Upstream, workers: usize) -> Stack {
    Stack::builder(binaries!())
        .workers(workers)
        .with_searxng(web)
        .api_env("API_KEYS", format!("alice:{ALICE}, bob:{BOB}"))
        .api_env("API_ADMIN_KEYS", format!("root:{ROOT}"))
        .start()
        .await
}

fn web() -> Upstream {
    searxng::finding(fixtures::gather_results())
}

async fn ask(client: &Client, method: &Method, path: &str) -> HttpResponse {
    let request = client.request(method.clone(), path);
    if !path.ends_with("/ws") {
        return client.send(request).await;
    }
    let upgrade = request
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "x3JJHMbDL1EzLkh9GBhXDw==");
    client.send(upgrade).await
}

/// The answer without the parts that depend on time and request.
fn comparable(answer: &HttpResponse, id: &str) -> (u16, Vec<(String, String)>, String) {
    let passing = ["date", "x-request-id"];
    let headers = answer.headers.iter().map(|(name, value)| {
        let value = value.to_str().unwrap().to_owned();
        (name.to_string(), value)
    });
    let lasting = headers.filter(|(name, _)| !passing.contains(&name.as_str()));
    let mut lasting: Vec<_> = lasting.collect();
    lasting.sort_unstable();
    (answer.status, lasting, answer.text.replace(id, "{id}"))
}

/// For this client the search does not exist.
async fn is_unknown_to(client: &Client, id: &str) {
    let nobodys = Uuid::new_v4().to_string();
    for (method, path) in EVERYWHERE {
        let of_it = ask(client, &method, &path.replace("{id}", id)).await;
        let of_none = ask(client, &method, &path.replace("{id}", &nobodys)).await;
        assert_eq!(of_it.status, 404, "{method} {path}: {}", of_it.text);
        assert_eq!(
            comparable(&of_it, id),
            comparable(&of_none, &nobodys),
            "{method} {path}"
        );
    }
}

async fn listed(client: &Client, query: &str) -> Vec<String> {
    let page = client
        .get(&format!("/api/v1/sessions{query}"))
        .await
        .expect(200);
    let sessions = page["sessions"].as_array().unwrap().iter();
    let ids = sessions.map(|session| session["id"].as_str().unwrap().to_owned());
    ids.collect()
}

async fn post_once(client: &Client, key: &str) -> HttpResponse {
    let mut search = question();
    search["async_mode"] = json!(true);
    let request = client
        .request(Method::POST, "/api/v1/search")
        .header("idempotency-key", key)
        .json(&search);
    client.send(request).await
}

fn id_of(answer: &HttpResponse) -> String {
    let id = answer.expect(200)["session_id"].clone();
    id.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_search_of_another_key_is_unknown_from_its_post_to_the_end_of_its_record() {
    let web = web();
    let mut stack = start(&web, 0).await;
    let [alice, bob, root] = [ALICE, BOB, ROOT].map(|key| stack.client().with_key(key));
    let id = alice.enqueue(question()).await;
    is_unknown_to(&bob, &id).await;
    for sees in [&alice, &root] {
        assert_eq!(sees.status(&id).await.expect(200)["status"], "pending");
    }

    stack.add_worker();
    alice.wait_completed(&id).await;
    is_unknown_to(&bob, &id).await;
    wait_until_idle(&stack).await;
    is_unknown_to(&bob, &id).await;
    for sees in [&alice, &root] {
        let events = sees.events(&id, "").await.rest().await;
        assert_eq!(events.last().unwrap().kind, "completed");
        assert_eq!(sees.socket(&id, "").await.rest().await, events);
    }

    let path = format!("/api/v1/sessions/{id}");
    let mut redis = stack.redis.connection().await;
    let control = format!("{{search_job:{id}}}:ctl");
    for gone in [control, format!("search_job:{id}")] {
        let _: () = redis.del(&gone).await.unwrap();
        is_unknown_to(&bob, &id).await;
        for sees in [&alice, &root] {
            assert_eq!(sees.get(&path).await.expect(200)["id"], id, "{gone}");
        }
    }
    assert_eq!(alice.delete(&path).await.status, 204);
    is_unknown_to(&alice, &id).await;
}

#[tokio::test]
async fn the_list_has_the_searches_of_the_key_or_all_for_an_operator() {
    let web = web();
    let stack = start(&web, 1).await;
    let [alice, bob, root] = [ALICE, BOB, ROOT].map(|key| stack.client().with_key(key));
    let mut ids = Vec::new();
    for client in [&alice, &bob, &root, &alice] {
        let id = client.enqueue(question()).await;
        client.wait_completed(&id).await;
        ids.push(id);
    }
    wait_until_idle(&stack).await;
    let of = |places: &[usize]| -> Vec<String> {
        let ids = places.iter().map(|&place| ids[place].clone());
        ids.collect()
    };
    assert_eq!(listed(&alice, "").await, of(&[3, 0]));
    assert_eq!(listed(&alice, "?owner=bob").await, of(&[3, 0]));
    assert_eq!(listed(&alice, "?limit=1").await, of(&[3]));
    assert_eq!(listed(&bob, "?q=gather").await, of(&[1]));
    assert_eq!(listed(&root, "").await, of(&[3, 2, 1, 0]));
    assert_eq!(listed(&root, "?owner=alice").await, of(&[3, 0]));
    assert!(listed(&root, "?owner=nobody").await.is_empty());
}

#[tokio::test]
async fn a_key_cancels_and_retries_its_own_searches_and_a_retry_keeps_its_owner() {
    let web = web();
    let stack = start(&web, 0).await;
    let [alice, bob, root] = [ALICE, BOB, ROOT].map(|key| stack.client().with_key(key));
    let id = alice.enqueue(question()).await;
    let cancelled = alice.delete(&format!("/api/v1/search/{id}")).await;
    assert_eq!(cancelled.expect(200)["cancelled"], true);
    for by in [&alice, &root] {
        let path = format!("/api/v1/search/{id}/retry");
        let again = id_of(&ask(by, &Method::POST, &path).await);
        assert_eq!(alice.status(&again).await.status, 200);
        is_unknown_to(&bob, &again).await;
    }
    let of_bob = bob.enqueue(question()).await;
    let path = format!("/api/v1/search/{of_bob}");
    assert_eq!(root.delete(&path).await.expect(200)["cancelled"], true);
    let path = format!("/api/v1/sessions/{of_bob}");
    assert_eq!(root.delete(&path).await.status, 204);
}

#[tokio::test]
async fn a_search_without_an_owner_is_for_operators() {
    let web = web();
    let stack = start(&web, 0).await;
    let [alice, root] = [ALICE, ROOT].map(|key| stack.client().with_key(key));
    let jobs = Jobs::new(Redis::open(&stack.redis.url()).unwrap());
    let without_keys = Uuid::new_v4();
    jobs.enqueue(&fixtures::job(without_keys)).await.unwrap();
    let of_the_old_service = Uuid::new_v4();
    let result = captured_bodies::text("old-service/sync-post.json");
    let record = format!(r#"{{"status": "completed", "result": {result}, "error": null}}"#);
    let mut redis = stack.redis.connection().await;
    let key = format!("search_job:{of_the_old_service}");
    let _: () = redis.set(key, record).await.unwrap();
    for id in [without_keys, of_the_old_service] {
        let id = id.to_string();
        is_unknown_to(&alice, &id).await;
        root.status(&id).await.expect(200);
        root.get(&format!("/api/v1/sessions/{id}"))
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn one_idempotency_key_of_two_owners_names_two_searches() {
    let web = web();
    let stack = start(&web, 0).await;
    let [alice, bob] = [ALICE, BOB].map(|key| stack.client().with_key(key));
    let of_alice = post_once(&alice, "the key").await;
    let of_bob = post_once(&bob, "the key").await;
    assert_ne!(id_of(&of_alice), id_of(&of_bob));
    assert_eq!(of_bob.header("idempotent-replayed"), None);
    let again = post_once(&alice, "the key").await;
    assert_eq!(id_of(&again), id_of(&of_alice));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    is_unknown_to(&bob, &id_of(&of_alice)).await;
}

#[tokio::test]
async fn without_api_keys_an_idempotency_key_gives_the_same_id_as_in_older_versions() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let id = id_of(&post_once(stack.client(), "the key").await);
    // Clients repeat a POST across an upgrade.
    let namespace = Uuid::from_u128(0x9a1f_6a0e_63b4_4c57_a5c5_0d4a_b1b9_58f3);
    assert_eq!(id, Uuid::new_v5(&namespace, b"the key").to_string());
}

async fn queue_answers(client: &Client) -> Vec<(u16, Value)> {
    let mut answers = Vec::new();
    // The last is another form of the first: a guard that compares addresses would miss it.
    for path in ["/api/v1/queue", "/api/v1/queue/events", "/api/v1/%71ueue"] {
        let request = client.request(Method::GET, path);
        let mut response = request.send().await.unwrap();
        let first = response.chunk().await.unwrap().unwrap();
        let error =
            serde_json::from_slice(&first).map_or(Value::Null, |body: Value| body["error"].clone());
        answers.push((response.status().as_u16(), error));
    }
    answers
}

fn three_times(status: u16, error: Value) -> Vec<(u16, Value)> {
    vec![(status, error); 3]
}

#[tokio::test]
async fn the_queue_is_for_operators_only() {
    let users = ("API_KEYS", format!("alice:{ALICE}"));
    let admins = ("API_ADMIN_KEYS", format!("root:{ROOT}"));
    for (settings, of_nobody, of_alice, of_root) in [
        (vec![], 200, 200, 200),
        (vec![&users], 401, 403, 401),
        (vec![&admins], 401, 401, 200),
        (vec![&users, &admins], 401, 403, 200),
    ] {
        let mut builder = Stack::builder(binaries!()).workers(0);
        for (name, value) in &settings {
            builder = builder.api_env(name, value);
        }
        let stack = builder.start().await;
        let client = stack.client();
        for (client, status) in [
            (client.clone(), of_nobody),
            (client.with_key(ALICE), of_alice),
            (client.with_key(ROOT), of_root),
        ] {
            let error = match status {
                200 => Value::Null,
                401 => json!("unauthorized"),
                _ => json!("forbidden"),
            };
            let answers = queue_answers(&client).await;
            assert_eq!(
                answers,
                three_times(status, error),
                "{settings:?} {client:?}"
            );
        }
        assert_eq!(client.get("/queue").await.status, 200, "the page is open");
    }
}

#[tokio::test]
async fn with_operator_keys_only_everyone_searches_and_sees_all() {
    let web = web();
    let stack = Stack::builder(binaries!())
        .with_searxng(&web)
        .api_env("API_ADMIN_KEYS", format!("root:{ROOT}"))
        .start()
        .await;
    let anybody = stack.client();
    let root = anybody.with_key(ROOT);
    let of_root = root.enqueue(question()).await;
    anybody.wait_completed(&of_root).await;
    let of_anybody = anybody.enqueue(question()).await;
    root.wait_completed(&of_anybody).await;
    wait_until_idle(&stack).await;
    for sees in [anybody, &root, &anybody.with_key("no-key-of-this-service")] {
        assert_eq!(listed(sees, "").await, [&*of_anybody, &*of_root]);
    }
    let path = format!("/api/v1/sessions/{of_root}");
    assert_eq!(anybody.delete(&path).await.status, 204);
}

#[tokio::test]
async fn during_a_database_outage_ids_of_other_keys_are_still_unknown() {
    let web = web();
    let stack = Stack::builder(binaries!())
        .with_searxng(&web)
        .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
        .api_env("API_KEYS", format!("alice:{ALICE}, bob:{BOB}"))
        .start()
        .await;
    let [alice, bob] = [ALICE, BOB].map(|key| stack.client().with_key(key));
    let id = alice.enqueue(question()).await;
    alice.wait_completed(&id).await;
    let nobodys = Uuid::new_v4().to_string();
    for method in [Method::GET, Method::DELETE] {
        let path = |id: &str| format!("/api/v1/sessions/{id}");
        let of_it = ask(&bob, &method, &path(&id)).await;
        let of_none = ask(&bob, &method, &path(&nobodys)).await;
        assert_eq!(of_it.status, 503, "{}", of_it.text);
        assert_eq!(
            comparable(&of_it, &id),
            comparable(&of_none, &nobodys),
            "{method}"
        );
    }
    let own = alice.get(&format!("/api/v1/sessions/{id}")).await;
    assert_eq!(own.expect(200)["status"], "completed");
}
