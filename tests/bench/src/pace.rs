//! Requests at a fixed rate, each at its time whether or not the one before is answered. A request
//! that starts late because others were slow counts from its due time, so that a stalling server
//! cannot hide it (no coordinated omission).
//!
//! Uses blocking threads with one connection each: they wake within a tenth of a millisecond, which
//! the timers of an async runtime do not.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 16;
const TIMEOUT: Duration = Duration::from_secs(30);

/// One request and its answer.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) due: Instant,
    pub(crate) sent: Instant,
    pub(crate) answered: Instant,
    pub(crate) body: String,
}

/// POSTs `body` to `http://<host>:<port><path>` so many times, `rate` a second. Panics at any
/// answer but 200.
pub(crate) async fn post(
    base: &str,
    path: &str,
    body: &str,
    rate: f64,
    count: usize,
) -> Vec<Exchange> {
    let address = base.trim_start_matches("http://").to_owned();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let sending = tokio::task::spawn_blocking(move || send(&address, &request, rate, count));
    sending.await.expect("every request is answered")
}

fn send(address: &str, request: &str, rate: f64, count: usize) -> Vec<Exchange> {
    let connections: Vec<TcpStream> = (0..CONNECTIONS).map(|_| connect(address)).collect();
    let start = Instant::now() + Duration::from_millis(100);
    thread::scope(|scope| {
        let senders: Vec<_> = connections
            .into_iter()
            .enumerate()
            .map(|(first, connection)| {
                let times = (first..count).step_by(CONNECTIONS);
                let times = times.map(move |at| start + Duration::from_secs_f64(at as f64 / rate));
                scope.spawn(move || one_by_one(connection, request, times))
            })
            .collect();
        let exchanges = senders.into_iter().map(|it| it.join().expect("a sender"));
        exchanges.flatten().collect()
    })
}

fn connect(address: &str) -> TcpStream {
    let connection = TcpStream::connect(address).expect("a connection to the server");
    connection.set_nodelay(true).expect("no delay");
    connection
        .set_read_timeout(Some(TIMEOUT))
        .expect("a time limit");
    connection
}

fn one_by_one(
    mut connection: TcpStream,
    request: &str,
    times: impl Iterator<Item = Instant>,
) -> Vec<Exchange> {
    times
        .map(|due| {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let sent = Instant::now();
            connection
                .write_all(request.as_bytes())
                .expect("a request that goes out");
            let body = answer(&mut connection);
            Exchange {
                due,
                sent,
                answered: Instant::now(),
                body,
            }
        })
        .collect()
}

/// The body of one answer that says how long it is.
fn answer(connection: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut part = [0; 16 * 1024];
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            assert!(head.starts_with("HTTP/1.1 200"), "{text}");
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse::<usize>().expect("a length"))
            });
            if body.len() >= length.expect("an answer of a known length") {
                return body.to_owned();
            }
        }
        let read = connection.read(&mut part).expect("an answer in time");
        assert_ne!(read, 0, "the server closed the connection: {text}");
        all.extend_from_slice(&part[..read]);
    }
}
