//! A stream that is cut anywhere and resumed on another API equals the whole, byte for byte. CUTS
//! is the number of random cuts (`make cuts`: 10,000).

use futures_util::{StreamExt, stream};
use privachat_tests::event_stream::answer_text;
use privachat_tests::resuming_reader::{ConnectionEnd, ResumingReader, assert_whole};
use privachat_tests::upstream::model::{self, Script};
use privachat_tests::upstream::searxng;
use privachat_tests::{Api, Stack, Upstream, binaries};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use std::time::{Duration, Instant};

const SEED: u64 = 5;
/// The beginning of a stream.
const RETRY: &str = "retry: 1000\n";
/// Connections at the same time.
const AT_ONCE: usize = 8;

/// Two APIs, and a search whose answer takes a while and has letters of two to four bytes.
struct Pair {
    stack: Stack,
    other: Api,
    _doubles: [Upstream; 2],
}

impl Pair {
    async fn start() -> Self {
        let sentence = "Python — a “high-level” language, größer als 言語 and 🐍 [1], runs. ";
        let script = Script::says(sentence.repeat(30).trim()).slowly(Duration::from_millis(4));
        let model = model::chat(script);
        let web = searxng::finding(searxng::about_python());
        let stack = Stack::builder(binaries!())
            .with_searxng(&web)
            .env("LLM_BASE_URL", model.url_for("/v1"))
            .env("LLM_MODEL", "double")
            .start()
            .await;
        let other = stack.start_api().await;
        Self {
            stack,
            other,
            _doubles: [model, web],
        }
    }

    async fn ask(&self) -> String {
        let question = json!({"query": "What is Python?", "mode": "speed", "cache": false});
        self.stack.client().enqueue(question).await
    }

    async fn whole(&self, id: &str) -> ResumingReader {
        let mut reader = ResumingReader::default();
        let ended = reader.read(self.stack.client(), id, usize::MAX).await;
        assert_eq!(ended, ConnectionEnd::Complete);
        reader
    }

    /// Cut after `most` bytes on one API, resumed on the other.
    async fn cut_and_resumed(&self, id: &str, most: usize) -> ResumingReader {
        let mut reader = ResumingReader::default();
        reader.read(self.stack.client(), id, most).await;
        if !reader.is_over() {
            let rest = reader.read(self.other.client(), id, usize::MAX).await;
            assert_eq!(rest, ConnectionEnd::Complete, "cut after {most} bytes");
        }
        reader
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_cut_at_any_event_or_byte_and_resumed_on_the_other_api_is_whole() {
    let pair = Pair::start().await;
    let id = pair.ask().await;
    let whole = pair.whole(&id).await;
    let events = whole.events();
    assert_whole(&events);
    let texts = events.iter().filter(|event| event.kind == "text").count();
    assert!(texts > 10, "{texts} events with text");
    let end = &events.last().unwrap().data["result"];
    assert_eq!(*end, pair.stack.client().status(&id).await.expect(200));

    let mut places = vec![0];
    places.extend(ends_of_blocks(&whole.whole));
    let at_events = places.len();
    let cuts = std::env::var("CUTS").map_or(500, |cuts| cuts.parse().expect("CUTS: a number"));
    let mut random = StdRng::seed_from_u64(SEED);
    let size = RETRY.len() + whole.whole.len();
    places.extend((0..cuts).map(|_| random.random_range(0..=size)));

    let began = Instant::now();
    let (pair, id, whole) = (&pair, &id, &whole.whole);
    stream::iter(places)
        .for_each_concurrent(AT_ONCE, |place| async move {
            let reader = pair.cut_and_resumed(id, place).await;
            assert!(reader.whole == *whole, "cut after {place} bytes");
        })
        .await;
    println!(
        "{at_events} cuts at events and {cuts} at random bytes of {size}, {} events: {:.1} s",
        events.len(),
        began.elapsed().as_secs_f64()
    );
}

/// Where the body of a stream can be cut between events.
fn ends_of_blocks(whole: &[u8]) -> Vec<usize> {
    let pairs = whole.windows(2).enumerate();
    let ends = pairs.filter(|(_, pair)| *pair == b"\n\n");
    ends.map(|(place, _)| RETRY.len() + place + 2).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_search_is_received_whole_over_connections_that_keep_breaking() {
    let pair = Pair::start().await;
    let id = pair.ask().await;
    let (stack, other) = (pair.stack.client(), pair.other.client());
    let readers: Vec<ResumingReader> = stream::iter(0..20)
        .map(|seed| {
            let id = &id;
            async move {
                let mut random = StdRng::seed_from_u64(seed);
                let mut reader = ResumingReader::default();
                while !reader.is_over() {
                    // An event that is cut is sent again; one that is larger than every cut would
                    // never arrive.
                    let most = match random.random_range(0..10) {
                        0 => usize::MAX,
                        _ => random.random_range(1..3000),
                    };
                    let client = [stack, other][random.random_range(0..2)];
                    reader.read(client, id, most).await;
                }
                reader
            }
        })
        .buffer_unordered(20)
        .collect()
        .await;
    let whole = pair.whole(&id).await;
    assert_whole(&whole.events());
    let mut connections = 0;
    for reader in &readers {
        assert!(reader.whole == whole.whole);
        connections += reader.connections;
    }
    assert!(connections > 100, "{connections} connections of 20 readers");
}

#[tokio::test]
async fn the_text_of_a_stream_is_the_answer_before_its_claims_were_checked() {
    let pair = Pair::start().await;
    let id = pair.ask().await;
    let events = pair.whole(&id).await.events();
    let answer = events.last().unwrap().data["result"]["answer"].clone();
    let bare = |text: &str| text.replace(" [unverified]", "");
    assert_eq!(bare(&answer_text(&events)), bare(answer.as_str().unwrap()));
}
