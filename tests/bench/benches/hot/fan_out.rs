//! One event to many listeners, through the API's HTTP.

use bytes::Bytes;
use criterion::Criterion;
use privachat_tests::event_listeners::{
    append_text_events, raise_limit, request_events, wait_for_first_event,
};
use privachat_tests::fixtures::question;
use privachat_tests::{Binaries, Stack};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use uuid::Uuid;

const LISTENERS: usize = 100;

/// From the write of one event until every listener has received it.
pub(crate) fn fan_out(criterion: &mut Criterion) {
    let this = std::env::current_exe().expect("the path of this program");
    let api = this.with_file_name("../privachat-api");
    if !api.exists() {
        eprintln!("no privachat-api beside this program: the fan-out is left out");
        return;
    }
    let api: &'static str = api.display().to_string().leak();
    raise_limit();
    let runtime = Runtime::new().expect("a runtime");
    let stack = Stack::builder(Binaries { api, worker: api }).workers(0);
    let stack = runtime.block_on(stack.start());
    let id = runtime.block_on(stack.client().enqueue(question()));
    let mut listeners = runtime.block_on(listen(&stack, &id));
    criterion.bench_function("SSE: an event to 100 listeners", |bencher| {
        bencher.iter(|| {
            let text = Uuid::new_v4().to_string();
            runtime.block_on(async {
                append_text_events(&stack, &id, std::slice::from_ref(&text)).await;
                for listener in &mut listeners {
                    until(listener, text.as_bytes()).await;
                }
            });
        });
    });
}

async fn listen(stack: &Stack, id: &str) -> Vec<TcpStream> {
    let mut listeners = Vec::new();
    for _ in 0..LISTENERS {
        let mut listener = request_events(stack.client(), id, false).await;
        wait_for_first_event(&mut listener).await;
        listeners.push(listener);
    }
    listeners
}

async fn until(listener: &mut TcpStream, text: &[u8]) {
    let (mut all, mut part) = (Vec::new(), [0; 4096]);
    while !all.windows(text.len()).any(|window| window == text) {
        let length = listener.read(&mut part).await.expect("an event");
        assert_ne!(length, 0, "closed: {:?}", Bytes::from(all));
        all.extend_from_slice(&part[..length]);
    }
}
