//! Many listeners, idle listeners, and listeners that do not read.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use privachat_tests::event_listeners::{
    append_text_events, count_event_reads, established_connections, raise_limit, request_events,
    resident_kib, wait_for_first_event,
};
use privachat_tests::event_stream::EventStream;
use privachat_tests::fixtures::question;
use privachat_tests::{Stack, binaries, eventually};

#[tokio::test]
async fn a_thousand_listeners_receive_everything_from_one_read_of_redis() {
    let _alone = crate::alone().await;
    raise_limit();
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let client = stack.client();
    let id = client.enqueue(question()).await;
    let mut streams: Vec<EventStream> = join_all((0..500).map(|_| client.events(&id, ""))).await;
    let mut sockets = join_all((0..500).map(|_| client.socket(&id, ""))).await;
    join_all(streams.iter_mut().map(EventStream::next)).await;
    join_all(sockets.iter_mut().map(|socket| socket.next())).await;

    let (before, started) = (count_event_reads(&stack).await, Instant::now());
    for number in 0..20 {
        append_text_events(&stack, &id, &[format!("word {number} ")]).await;
    }
    client
        .delete(&format!("/api/v1/search/{id}"))
        .await
        .expect(200);
    let streamed = join_all(streams.iter_mut().map(EventStream::rest)).await;
    let socketed = join_all(sockets.iter_mut().map(|socket| socket.rest())).await;
    assert_eq!(streamed[0].len(), 21, "{:?}", streamed[0]);
    assert_eq!(streamed[0][20].kind, "failed");
    for heard in streamed.iter().chain(&socketed) {
        assert_eq!(heard, &streamed[0]);
    }
    // One per doorbell, and the periodic check.
    let most = 21 + 2 + started.elapsed().as_secs() / 5;
    let read = count_event_reads(&stack).await - before;
    assert!(read <= most, "read {read} times, not {most}");
}

#[tokio::test]
async fn idle_listeners_cost_at_most_24_kib_each() {
    const LISTENERS: usize = 500;
    let _alone = crate::alone().await;
    raise_limit();
    let mut stack = Stack::builder(binaries!()).workers(0).start().await;
    let process = stack.api.process().id();
    let client = stack.client();
    let id = client.enqueue(question()).await;
    let mut held = Vec::new();
    for socket in [false, true] {
        wait_for_first_event(&mut request_events(client, &id, socket).await).await;
        let before = resident_kib(process);
        for _ in 0..LISTENERS {
            let mut stream = request_events(client, &id, socket).await;
            wait_for_first_event(&mut stream).await;
            held.push(stream);
        }
        let each = (resident_kib(process) - before) / LISTENERS as u64;
        println!("{each} KiB for each (WebSocket: {socket})");
        assert!(each <= 24, "{each} KiB for each (WebSocket: {socket})");
    }
}

#[tokio::test]
async fn a_listener_that_does_not_read_is_dropped_and_others_are_not() {
    let _alone = crate::alone().await;
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let client = stack.client();
    let id = client.enqueue(question()).await;
    // More than the buffers of both kernels hold.
    let megabyte = "x".repeat(1 << 20);
    append_text_events(&stack, &id, &vec![megabyte; 24]).await;

    let _stuck = [
        request_events(client, &id, false).await,
        request_events(client, &id, true).await,
    ];
    let mut reading = client.events(&id, "").await;
    for _ in 0..25 {
        reading
            .next()
            .await
            .expect("every event for the reading listener");
    }
    let before = established_connections(client);
    let started = Instant::now();
    eventually("the two are dropped", Duration::from_secs(60), async || {
        (established_connections(client) + 2 <= before).then_some(())
    })
    .await;
    println!("dropped after {:?}", started.elapsed());
    client
        .delete(&format!("/api/v1/search/{id}"))
        .await
        .expect(200);
    assert_eq!(
        reading.rest().await.len(),
        1,
        "the reading listener gets the end"
    );
}
