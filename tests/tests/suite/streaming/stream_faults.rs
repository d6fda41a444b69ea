//! A listener misses no event when an API, a worker or Redis dies.

use privachat_tests::event_stream::{StreamEvent, answer_text};
use privachat_tests::fixtures::LEASE;
use privachat_tests::redis::Options;
use privachat_tests::resuming_reader::{ConnectionEnd, ResumingReader, assert_whole};
use privachat_tests::upstream::model::{self, Script};
use privachat_tests::upstream::searxng;
use privachat_tests::{Client, RedisServer, Stack, Upstream, binaries};
use serde_json::json;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

/// An answer that takes at least two seconds to write.
struct Scenario {
    stack: Stack,
    _doubles: [Upstream; 2],
}

impl Scenario {
    async fn on(redis: Options) -> Self {
        let claim = "Python is a high-level, general-purpose programming language";
        let sentence = format!("{claim} [1]. ");
        let script = Script::says(sentence.repeat(25).trim()).slowly(Duration::from_millis(12));
        let model = model::chat(script);
        let web = searxng::finding(vec![searxng::Result::new(
            "Python",
            "http://docs.example/python",
            &format!("{claim}."),
        )]);
        let stack = Stack::builder(binaries!())
            .on_redis(RedisServer::with(redis).await)
            .with_searxng(&web)
            .env("LLM_BASE_URL", model.url_for("/v1"))
            .env("LLM_MODEL", "double")
            .env("JOB_LEASE_SECONDS", LEASE)
            .start()
            .await;
        Self {
            stack,
            _doubles: [model, web],
        }
    }

    async fn start() -> Self {
        Self::on(Options::default()).await
    }

    /// Starts a search and waits until part of the answer is written.
    async fn ask(&self) -> String {
        let question =
            json!({"query": "What is Python?", "mode": "speed", "timeout": 60, "cache": false});
        let client = self.stack.client();
        let id = client.enqueue(question).await;
        client.events(&id, "").await.until("text").await;
        id
    }

    /// The events for a client that connects after the end.
    async fn afterwards(&self, client: &Client, id: &str) -> ResumingReader {
        let mut reader = ResumingReader::default();
        assert_eq!(
            reader.read(client, id, usize::MAX).await,
            ConnectionEnd::Complete
        );
        reader
    }
}

/// Waits until more of the answer is written.
async fn wait_for_more_text(client: &Client, id: &str) {
    let mut stream = client.events(id, "").await;
    for _ in 0..8 {
        stream.until("text").await;
    }
}

/// The streamed text without retracted parts equals the answer, except for the check's marks.
fn assert_text_is_answer(events: &[StreamEvent]) {
    assert_whole(events);
    let end = events.last().unwrap();
    assert_eq!(end.kind, "completed", "{end:?}");
    let answer = end.data["result"]["answer"].as_str().unwrap();
    let bare = |text: &str| text.replace(" [unverified]", "");
    assert_eq!(bare(&answer_text(events)), bare(answer));
}

fn count(events: &[StreamEvent], kind: &str) -> usize {
    events.iter().filter(|event| event.kind == kind).count()
}

#[tokio::test]
async fn a_search_posted_to_one_api_can_be_followed_on_another() {
    let scenario = Scenario::start().await;
    let other = scenario.stack.start_api().await;
    let id = scenario.ask().await;
    let mut listener = ResumingReader::default();
    let ended = listener.read(other.client(), &id, usize::MAX).await;
    assert_eq!(ended, ConnectionEnd::Complete);
    assert_text_is_answer(&listener.events());
    let here = scenario.afterwards(scenario.stack.client(), &id).await;
    assert!(listener.whole == here.whole);
}

#[tokio::test]
async fn a_stopping_api_ends_its_streams_and_another_continues_them() {
    let mut scenario = Scenario::start().await;
    let other = scenario.stack.start_api().await;
    let id = scenario.ask().await;
    let first = scenario.stack.client().clone();
    let mut listener = ResumingReader::default();
    let api = scenario.stack.api.process();
    let (ended, code) = tokio::join!(listener.read(&first, &id, usize::MAX), async {
        wait_for_more_text(other.client(), &id).await;
        api.stop(TIMEOUT).await
    });
    assert_eq!((ended, code), (ConnectionEnd::Complete, 0));
    assert!(count(&listener.events(), "text") > 0, "it had begun");
    assert!(!listener.is_over(), "the search is running");
    listener.finish(&[other.client()], &id).await;
    assert_text_is_answer(&listener.events());
    assert!(listener.whole == scenario.afterwards(other.client(), &id).await.whole);
}

#[tokio::test]
async fn the_streams_of_a_killed_api_continue_on_another() {
    let mut scenario = Scenario::start().await;
    let other = scenario.stack.start_api().await;
    let id = scenario.ask().await;
    let first = scenario.stack.client().clone();
    let mut listener = ResumingReader::default();
    let api = scenario.stack.api.process();
    let (ended, ()) = tokio::join!(listener.read(&first, &id, usize::MAX), async {
        wait_for_more_text(other.client(), &id).await;
        api.kill();
    });
    assert_eq!(ended, ConnectionEnd::Cut);
    assert!(count(&listener.events(), "text") > 0, "it had begun");
    listener.finish(&[&first, other.client()], &id).await;
    assert_text_is_answer(&listener.events());
    assert!(listener.whole == scenario.afterwards(other.client(), &id).await.whole);
}

#[tokio::test]
async fn the_text_of_a_killed_worker_is_retracted_and_the_next_sends_the_whole() {
    let mut scenario = Scenario::start().await;
    let id = scenario.ask().await;
    let client = scenario.stack.client().clone();
    let mut listener = client.events(&id, "").await;
    let mut events = listener.until("text").await;
    scenario.stack.workers[0].process().kill();
    scenario.stack.add_worker();
    events.extend(listener.rest().await);
    assert_text_is_answer(&events);
    assert_eq!((count(&events, "retry"), count(&events, "started")), (1, 2));
    let retry = events
        .iter()
        .position(|event| event.kind == "retry")
        .unwrap();
    assert!(!answer_text(&events[..retry]).is_empty(), "there was text");
    assert_eq!(answer_text(&events[..=retry]), "");
    assert_eq!(events.last().unwrap().data["result"]["attempt"], 2);
}

#[tokio::test]
async fn a_restart_of_redis_loses_no_letter_of_a_stream() {
    let options = Options {
        aof: true,
        // With its default settings it may lose the last second.
        arguments: ["--appendfsync", "always"].map(String::from).into(),
        ..Options::default()
    };
    let mut scenario = Scenario::on(options).await;
    let id = scenario.ask().await;
    let client = scenario.stack.client().clone();
    let mut listener = ResumingReader::default();
    let (redis, from) = (&mut scenario.stack.redis, [&client]);
    tokio::join!(listener.finish(&from, &id), async {
        redis.kill();
        tokio::time::sleep(Duration::from_millis(500)).await;
        redis.restart().await;
    });
    let events = listener.events();
    assert_text_is_answer(&events);
    assert_eq!(count(&events, "started"), 1, "the attempt went on");
    assert!(listener.whole == scenario.afterwards(&client, &id).await.whole);
}

#[tokio::test]
async fn a_redis_that_loses_its_last_second_still_delivers_the_end() {
    let options = Options {
        aof: true,
        ..Options::default()
    };
    let mut scenario = Scenario::on(options).await;
    let id = scenario.ask().await;
    let client = scenario.stack.client().clone();
    let mut listener = ResumingReader::default();
    let (redis, from) = (&mut scenario.stack.redis, [&client]);
    tokio::join!(listener.finish(&from, &id), redis.restart());
    let events = listener.events();
    assert_whole(&events);
    let end = events.last().unwrap();
    assert_eq!(end.data["result"], client.status(&id).await.expect(200));
    assert_eq!(end.kind, "completed");
}
