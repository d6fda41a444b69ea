use super::*;

/// Length of a job's stream, set in `crates/core/src/jobs/scripts/prelude.lua`.
const KEPT: usize = 8192;

fn text(delta: &str) -> Event {
    Event::Text {
        delta: delta.to_owned(),
    }
}

fn text_of(events: &[Event]) -> String {
    let deltas = events.iter().filter_map(|event| match event {
        Event::Text { delta } => Some(delta.as_str()),
        _ => None,
    });
    deltas.collect()
}

async fn all(mut batches: Coalescer) -> Vec<Event> {
    let mut all = Vec::new();
    while let Some(event) = batches.next_event().await {
        all.push(event);
    }
    all
}

/// The events of a text that grows every 5 ms for `time`.
async fn written_for(time: Duration) -> Vec<Event> {
    const BETWEEN: Duration = Duration::from_millis(5);
    let (sender, receiver) = mpsc::unbounded_channel();
    let writing = async move {
        for _ in 0..time.as_millis() / BETWEEN.as_millis() {
            tokio::time::sleep(BETWEEN).await;
            sender.send(text("word ")).unwrap();
        }
    };
    tokio::join!(writing, all(Coalescer::new(receiver))).1
}

#[tokio::test(start_paused = true)]
async fn the_stream_holds_three_attempts_of_the_longest_search() {
    let events = written_for(Duration::from_secs(300)).await;
    assert_eq!(text_of(&events), "word ".repeat(60_000));
    let attempt = events.len();
    assert!(3 * attempt < KEPT * 2 / 3, "{attempt} events an attempt");
}

#[tokio::test(start_paused = true)]
async fn the_text_of_a_usual_search_is_sent_every_50_ms() {
    let events = written_for(Duration::from_secs(10)).await;
    assert!((150..=200).contains(&events.len()), "{}", events.len());
}

#[tokio::test(start_paused = true)]
async fn events_between_texts_keep_their_order() {
    let (sender, receiver) = mpsc::unbounded_channel();
    for event in [text("a"), text("b"), Event::Discard {}, text("c")] {
        sender.send(event).unwrap();
    }
    drop(sender);
    let events = all(Coalescer::new(receiver)).await;
    assert_eq!(events, [text("ab"), Event::Discard {}, text("c")]);
}

#[tokio::test(start_paused = true)]
async fn ready_events_are_batched_and_a_text_starts_a_new_batch() {
    let (sender, receiver) = mpsc::unbounded_channel();
    let warning = |text: &str| Event::Warning {
        message: text.to_owned(),
    };
    let events = [
        warning("1"),
        warning("2"),
        text("a"),
        text("b"),
        warning("3"),
        warning("4"),
    ];
    for event in events {
        sender.send(event).unwrap();
    }
    let mut batches = Coalescer::new(receiver);
    assert_eq!(
        batches.next_batch().await,
        Some(vec![warning("1"), warning("2")])
    );
    let rest = vec![text("ab"), warning("3"), warning("4")];
    assert_eq!(batches.next_batch().await, Some(rest));
    for _ in 0..=MAX_EVENTS_PER_CALL {
        sender.send(warning("more")).unwrap();
    }
    drop(sender);
    let sizes =
        [batches.next_batch().await, batches.next_batch().await].map(|it| it.map(|it| it.len()));
    assert_eq!(sizes, [Some(MAX_EVENTS_PER_CALL), Some(1)]);
    assert_eq!(batches.next_batch().await, None);
}

#[test]
fn the_stream_length_is_that_of_the_script() {
    const SCRIPTS: &str = include_str!("../../../../core/src/jobs/scripts/prelude.lua");
    assert!(SCRIPTS.contains(&format!("'MAXLEN', '~', {KEPT},")));
}
