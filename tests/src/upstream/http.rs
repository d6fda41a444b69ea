//! Reads one HTTP/1.1 request: the part of the protocol that well-behaved clients use.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Url;
use serde_json::Value;

/// A received request.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Decoded.
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null when it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// How often an idle connection checks whether its double still exists.
const IDLE_TICK: Duration = Duration::from_millis(50);

/// Waits for the first byte of a request; false when there will be none.
pub(crate) fn has_request(connection: &TcpStream, stopped: impl Fn() -> bool) -> bool {
    let _ = connection.set_read_timeout(Some(IDLE_TICK));
    let has_byte = loop {
        match connection.peek(&mut [0]) {
            Ok(bytes) => break bytes > 0,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if stopped() {
                    break false;
                }
            }
            Err(_) => break false,
        }
    };
    let _ = connection.set_read_timeout(None);
    has_byte && !stopped()
}

/// None when the peer hangs up first or does not speak HTTP.
pub(crate) fn read(connection: &mut TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(connection);
    let start = line(&mut reader)?;
    let mut words = start.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let url = Url::parse("http://double").ok()?.join(target).ok()?;

    let mut headers = Vec::new();
    loop {
        let header = line(&mut reader)?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':')?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let query = url.query_pairs().into_owned().collect();
    let mut request = Request {
        method,
        path: url.path().to_owned(),
        query,
        headers,
        body: Vec::new(),
    };
    request.body = body(&mut reader, &request)?;
    Some(request)
}

fn body(reader: &mut impl BufRead, request: &Request) -> Option<Vec<u8>> {
    if request.header("transfer-encoding") == Some("chunked") {
        return chunks(reader);
    }
    let length = request
        .header("content-length")
        .map_or(Some(0), |length| length.parse().ok())?;
    exactly(reader, length)
}

fn chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let length = usize::from_str_radix(&line(reader)?, 16).ok()?;
        whole.extend(exactly(reader, length)?);
        line(reader)?;
        if length == 0 {
            return Some(whole);
        }
    }
}

fn exactly(reader: &mut impl Read, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    Some(line.trim_end_matches(['\r', '\n']).to_owned())
}
