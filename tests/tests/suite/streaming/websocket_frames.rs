//! WebSocket frames cost no memory, whatever size they announce: a frame is rejected by its header.

use std::time::Duration;

use privachat_tests::event_listeners::{request_events, wait_for_first_event};
use privachat_tests::fixtures::question;
use privachat_tests::{Client, Stack, binaries};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// The largest message that is allowed, in bytes.
const MAX_MESSAGE_BYTES: u64 = 4096;
/// Sent after a rejected frame, as long as the server reads.
const GIGABYTE: usize = 1 << 30;
/// Sent in allowed frames; MEGABYTES sets another number.
const MEGABYTES_SENT: usize = 24;
/// Kilobytes by which the process may grow.
const MAX_GROWTH_KB: u64 = 16_000;
const TIMEOUT: Duration = Duration::from_secs(100);

const TEXT: u8 = 0x81;
const BEGIN: u8 = 0x01;
const CONTINUE: u8 = 0x00;
const END: u8 = 0x80;
const BINARY: u8 = 0x82;
const PING: u8 = 0x89;

/// The encoding of a length.
#[derive(Debug, Clone, Copy)]
enum Form {
    Short,
    Sixteen,
    SixtyFour,
}

/// The head of a masked frame; its mask changes nothing.
fn head(first: u8, form: Form, length: u64) -> Vec<u8> {
    let mut head = vec![first];
    match form {
        Form::Short => head.push(0x80 | u8::try_from(length).unwrap()),
        Form::Sixteen => {
            head.push(0x80 | 126);
            head.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        Form::SixtyFour => {
            head.push(0x80 | 127);
            head.extend(length.to_be_bytes());
        }
    }
    head.extend([0; 4]);
    head
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u64;
    let form = if length < 126 {
        Form::Short
    } else {
        Form::Sixteen
    };
    let mut frame = head(first, form, length);
    frame.extend(payload);
    frame
}

/// The close code of the server, if it sends one.
async fn close_code(mut from: impl AsyncRead + Unpin) -> Option<u16> {
    loop {
        let mut head = [0; 2];
        from.read_exact(&mut head).await.ok()?;
        let length = match head[1] {
            126 => u64::from(from.read_u16().await.ok()?),
            127 => from.read_u64().await.ok()?,
            short => u64::from(short),
        };
        let mut payload = Vec::new();
        let mut rest = (&mut from).take(length);
        rest.read_to_end(&mut payload).await.ok()?;
        if head[0] == 0x88 {
            return Some(u16::from_be_bytes([*payload.first()?, *payload.get(1)?]));
        }
    }
}

/// Sends `piece` repeatedly until `most` bytes are sent or the server stops reading.
async fn send_repeatedly(mut to: impl AsyncWrite + Unpin, piece: &[u8], most: usize) -> usize {
    let mut sent = 0;
    while sent < most && to.write_all(piece).await.is_ok() {
        sent += piece.len();
    }
    sent
}

/// The peak memory of a process, in kilobytes.
fn peak_memory_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.expect("VmHWM").parse().unwrap()
}

struct ApiUnderTest {
    stack: Stack,
    id: String,
    peak: u64,
}

impl ApiUnderTest {
    /// An API whose WebSocket has been used once: the first allocations do not count as growth.
    async fn start() -> Self {
        let mut stack = Stack::builder(binaries!()).workers(0).start().await;
        let id = stack.client().enqueue(question()).await;
        wait_for_first_event(&mut request_events(stack.client(), &id, true).await).await;
        let peak = peak_memory_kb(stack.api.process().id());
        Self { stack, id, peak }
    }

    fn client(&self) -> &Client {
        self.stack.client()
    }

    fn assert_flat(&mut self, what: &str) {
        let now = peak_memory_kb(self.stack.api.process().id());
        let grown = now.saturating_sub(self.peak);
        println!("{what}: {grown} kB");
        assert!(
            grown < MAX_GROWTH_KB,
            "{what}: {} kB before, {now} kB now",
            self.peak
        );
    }

    /// The server's close code after `start` and up to a gigabyte.
    async fn refusal(&self, start: &[u8]) -> Option<u16> {
        let mut stream = request_events(self.client(), &self.id, true).await;
        wait_for_first_event(&mut stream).await;
        let (from, mut to) = stream.into_split();
        to.write_all(start).await.expect("an open socket");
        let piece = vec![0; 1 << 18];
        let closing =
            async { tokio::join!(close_code(from), send_repeatedly(to, &piece, GIGABYTE)).0 };
        timeout(TIMEOUT, closing)
            .await
            .expect("an end within 100 s")
    }
}

#[tokio::test]
async fn a_message_that_is_too_long_is_refused_by_its_announced_length() {
    let mut api = ApiUnderTest::start().await;
    let parts = [
        frame(BEGIN, &[b'x'; 4000]),
        frame(CONTINUE, &[b'x'; 90]),
        head(CONTINUE, Form::Short, 7),
    ];
    let mut too_long = vec![("in parts".to_owned(), parts.concat())];
    for (form, lengths) in [
        (Form::Sixteen, vec![MAX_MESSAGE_BYTES + 1, 65_535]),
        (
            Form::SixtyFour,
            vec![
                MAX_MESSAGE_BYTES + 1,
                1 << 30,
                1 << 40,
                1 << 62,
                1 << 63,
                u64::MAX,
            ],
        ),
    ] {
        for length in lengths {
            for first in [TEXT, BINARY, BEGIN] {
                let what = format!("{length} as {form:?} behind {first:#x}");
                too_long.push((what, head(first, form, length)));
            }
        }
    }
    for (what, start) in too_long {
        assert_eq!(api.refusal(&start).await, Some(1009), "{what}");
        api.assert_flat(&what);
    }
}

#[tokio::test]
async fn protocol_violations_close_the_websocket() {
    let mut api = ApiUnderTest::start().await;
    let unmasked = [&[TEXT, 2][..], b"{}"].concat();
    let twice = [frame(BEGIN, b"a"), frame(TEXT, b"b")].concat();
    for (what, start, code) in [
        ("without a mask", unmasked, 1002),
        ("an unknown kind", frame(0x83, b"x"), 1002),
        ("an unknown kind of control", frame(0x8b, b"x"), 1002),
        ("reserved bits", frame(0xf1, b"x"), 1002),
        ("a part of nothing", frame(END, b"x"), 1002),
        ("a beginning in a message", twice, 1002),
        ("a ping in parts", frame(0x09, b"x"), 1002),
        ("a ping of 126 bytes", frame(PING, &[b'x'; 126]), 1002),
        ("no text", frame(TEXT, b"\xff\xfe"), 1007),
    ] {
        assert_eq!(api.refusal(&start).await, Some(code), "{what}");
    }
    api.assert_flat("all of them");
}

#[tokio::test]
async fn endless_allowed_frames_are_not_kept_in_memory() {
    let mut api = ApiUnderTest::start().await;
    let message = frame(TEXT, &[b'x'; 4096]);
    let parts = [
        frame(BEGIN, &[b'x'; 2000]),
        frame(CONTINUE, b""),
        frame(END, &[b'x'; 2000]),
    ]
    .concat();
    let megabytes = std::env::var("MEGABYTES").map_or(MEGABYTES_SENT, |it| it.parse().unwrap());
    // Fewer tiny frames: the time depends on the number of frames.
    let (many, few) = (megabytes << 20, megabytes << 16);
    for (what, start, piece, most) in [
        ("messages", vec![], message.repeat(50), many),
        ("messages in parts", vec![], parts.repeat(50), many),
        (
            "pings",
            vec![],
            frame(PING, &[b'x'; 125]).repeat(2_000),
            many,
        ),
        (
            "parts without a byte",
            frame(BEGIN, b"x"),
            frame(CONTINUE, b"").repeat(5_000),
            few,
        ),
        ("small pieces", vec![], frame(PING, b"small"), few),
    ] {
        let mut stream = request_events(api.client(), &api.id, true).await;
        wait_for_first_event(&mut stream).await;
        let (from, mut to) = stream.into_split();
        to.write_all(&start).await.expect("an open socket");
        let talk = async {
            let sent = send_repeatedly(&mut to, &piece, most).await;
            assert!(sent >= most, "{what}: closed after {sent} bytes");
            // A continuation without a beginning, or a beginning inside a message, ends the
            // connection.
            to.write_all(&frame(0x83, b"end"))
                .await
                .expect("an open socket");
        };
        let closing = async { tokio::join!(close_code(from), talk).0 };
        let code = timeout(TIMEOUT * 6, closing).await.expect("an end");
        assert_eq!(code, Some(1002), "{what}");
        api.assert_flat(what);
    }
}

#[tokio::test]
async fn a_peer_that_pings_without_reading_is_disconnected_and_its_pongs_do_not_pile_up() {
    let mut api = ApiUnderTest::start().await;
    let mut stream = request_events(api.client(), &api.id, true).await;
    wait_for_first_event(&mut stream).await;
    // More than the buffers of both kernels hold, both ways.
    let most = 128 << 20;
    let pings = frame(PING, &[b'x'; 125]).repeat(2_000);
    let pouring = send_repeatedly(&mut stream, &pings, most);
    let sent = timeout(TIMEOUT, pouring).await.expect("an end");
    assert!(sent < most, "all of it was read");
    api.assert_flat("pongs");
}
