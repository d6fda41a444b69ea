//! The lifetime of an event stream, without Redis; the black-box tests cover the rest.

use super::*;
use privachat_core::connection::Redis;
use tokio::task::yield_now;

fn feeds() -> Arc<EventStreams> {
    let redis = Redis::open("redis+unix:///nowhere/redis.sock").unwrap();
    EventStreams::new(Jobs::new(redis), Notifier::default(), Handle::current())
}

fn watched(feeds: &EventStreams) -> usize {
    feeds.streams.lock().unwrap().len()
}

async fn followers_end(before: usize) {
    while Handle::current().metrics().num_alive_tasks() > before {
        yield_now().await;
    }
}

#[tokio::test]
async fn a_stream_lives_as_long_as_its_subscribers() {
    let feeds = feeds();
    let before = Handle::current().metrics().num_alive_tasks();
    let id = Uuid::new_v4();
    let first = feeds.subscribe(id, EventId::START);
    let second = feeds.subscribe(id, EventId::START);
    assert_eq!(watched(&feeds), 1);
    assert_eq!(Handle::current().metrics().num_alive_tasks(), before + 1);
    drop(first);
    assert_eq!(watched(&feeds), 1);
    drop(second);
    assert_eq!(watched(&feeds), 0);
    followers_end(before).await;
}

#[tokio::test]
async fn a_subscriber_after_the_last_drop_starts_a_new_stream() {
    let feeds = feeds();
    let before = Handle::current().metrics().num_alive_tasks();
    let id = Uuid::new_v4();
    drop(feeds.subscribe(id, EventId::START));
    let again = feeds.subscribe(id, EventId::START);
    assert_eq!(watched(&feeds), 1);
    followers_end(before + 1).await;
    drop(again);
    assert_eq!(watched(&feeds), 0);
    followers_end(before).await;
}

#[tokio::test]
async fn each_search_has_one_reader_for_all_subscribers() {
    let feeds = feeds();
    let before = Handle::current().metrics().num_alive_tasks();
    let ids = [Uuid::new_v4(), Uuid::new_v4()];
    let listeners: Vec<Subscriber> = (0..100)
        .map(|number| feeds.subscribe(ids[number % 2], EventId::START))
        .collect();
    assert_eq!(watched(&feeds), 2);
    assert_eq!(Handle::current().metrics().num_alive_tasks(), before + 2);
    drop(listeners);
    assert_eq!(watched(&feeds), 0);
    followers_end(before).await;
}
