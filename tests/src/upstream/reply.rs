//! The replies of doubles: a head, then steps; a body is a sequence of bytes, pauses and faults.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;

/// How often a waiting reply checks whether its client is still connected.
const TICK: Duration = Duration::from_millis(10);

#[derive(Debug, Clone)]
pub enum Step {
    Send(Bytes),
    /// The same bytes this many times, for bodies too large to keep in memory.
    Repeat(Bytes, usize),
    Wait(Duration),
    /// Sends nothing more and keeps the connection open.
    Hang,
    /// Closes the connection in the middle of the body.
    Cut,
}

#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    delay: Duration,
    steps: Vec<Step>,
    /// Sends the steps only: no head, no framing.
    raw: bool,
    hangs_up: bool,
}

pub(crate) enum Sent {
    /// Complete; the connection takes another request.
    Whole,
    /// Complete; the connection closes.
    Last,
    Cut,
    Abandoned,
}

/// The client hung up, or the double is stopping.
struct Gone;

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self {
            status,
            headers,
            delay: Duration::ZERO,
            steps: vec![Step::Send(body.into())],
            raw: false,
            hangs_up: false,
        }
    }

    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, "application/json", body)
    }

    pub fn html(body: impl Into<Bytes>) -> Self {
        Self::new(200, "text/html; charset=utf-8", body)
    }

    pub fn redirect(to: &str) -> Self {
        Self::new(302, "text/plain", "").header("Location", to)
    }

    /// A body in steps, for streams.
    pub fn steps(status: u16, content_type: &str, steps: Vec<Step>) -> Self {
        Self {
            steps,
            ..Self::new(status, content_type, "")
        }
    }

    /// Reads the request and never answers.
    pub fn hang() -> Self {
        Self::raw(vec![Step::Hang])
    }

    /// Reads the request and hangs up.
    pub fn cut() -> Self {
        Self::raw(vec![Step::Cut])
    }

    /// Not HTTP.
    pub fn nonsense() -> Self {
        Self::raw(vec![Step::Send(Bytes::from_static(
            b"\x00\x01\x02 this is no HTTP\r\n\r\n",
        ))])
    }

    pub fn raw(steps: Vec<Step>) -> Self {
        Self {
            status: 0,
            headers: Vec::new(),
            delay: Duration::ZERO,
            steps,
            raw: true,
            hangs_up: true,
        }
    }

    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// Closes the connection after the last byte, without announcing it.
    pub fn then_hangs_up(mut self) -> Self {
        self.hangs_up = true;
        self
    }

    /// Waits before the first byte.
    pub fn late(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    pub(crate) fn send(
        &self,
        connection: &mut TcpStream,
        no_body: bool,
        stopped: impl Fn() -> bool,
    ) -> Sent {
        match self.try_send(connection, no_body, &stopped) {
            Ok(true) if self.hangs_up => {
                let _ = connection.shutdown(Shutdown::Write);
                Sent::Last
            }
            Ok(true) => Sent::Whole,
            Ok(false) => Sent::Cut,
            Err(Gone) => Sent::Abandoned,
        }
    }

    /// Sends the reply; an error when the client hung up.
    fn try_send(
        &self,
        connection: &mut TcpStream,
        no_body: bool,
        stopped: &dyn Fn() -> bool,
    ) -> Result<bool, Gone> {
        let no_body = no_body || matches!(self.status, 204 | 304);
        let _ = connection.set_nodelay(true);
        wait(connection, Some(self.delay), stopped)?;
        if !self.raw {
            self.send_head(connection)?;
        }
        for step in &self.steps {
            match step {
                Step::Send(_) | Step::Repeat(..) if no_body => {}
                Step::Send(bytes) => self.send_chunk(connection, bytes)?,
                Step::Repeat(bytes, times) => {
                    (0..*times).try_for_each(|_| self.send_chunk(connection, bytes))?
                }
                Step::Wait(pause) => wait(connection, Some(*pause), stopped)?,
                Step::Hang => wait(connection, None, stopped)?,
                Step::Cut => {
                    let _ = connection.shutdown(Shutdown::Both);
                    return Ok(false);
                }
            }
        }
        if !self.raw && !no_body {
            write(connection, b"0\r\n\r\n")?;
        }
        Ok(true)
    }

    fn send_head(&self, connection: &mut TcpStream) -> Result<(), Gone> {
        let mut head = format!(
            "HTTP/1.1 {} Double\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n",
            self.status
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        write(connection, head.as_bytes())
    }

    /// Chunked, so that a cut is noticed: a body that ends with its connection looks complete.
    fn send_chunk(&self, connection: &mut TcpStream, bytes: &[u8]) -> Result<(), Gone> {
        if self.raw {
            return write(connection, bytes);
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        write(connection, &chunk)
    }
}

fn write(connection: &mut TcpStream, bytes: &[u8]) -> Result<(), Gone> {
    connection.write_all(bytes).map_err(|_| Gone)
}

/// Waits for `pause`, or for ever; an error when the client hangs up.
fn wait(
    connection: &mut TcpStream,
    pause: Option<Duration>,
    stopped: &dyn Fn() -> bool,
) -> Result<(), Gone> {
    let until = pause.map(|pause| Instant::now() + pause);
    let _ = connection.set_read_timeout(Some(TICK));
    loop {
        let now = Instant::now();
        match until {
            Some(until) if until <= now => return Ok(()),
            Some(until) if until - now < TICK => thread::sleep(until - now),
            _ if stopped() => return Err(Gone),
            _ => match connection.read(&mut [0; 64]) {
                Ok(0) => return Err(Gone),
                Ok(_) => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return Err(Gone),
            },
        }
    }
}
