//! Checks whether a process on this machine is ready, for the `healthcheck` commands.

use std::{net::IpAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Shorter than the 5 s that container health checks usually allow.
const PROBE_TIMEOUT: Duration = Duration::from_secs(4);
/// Bytes; every answer of `/readyz` is shorter.
const MAX_RESPONSE_BYTES: u64 = 16 * 1024;

/// Requests `/readyz` from the process that listens on `host` and `port`. An unspecified address
/// (`0.0.0.0`, `::`) stands for the loopback address.
///
/// # Errors
/// One line for a person: no connection, no answer in time, no HTTP, or not ready.
pub async fn check_ready(host: &str, port: u16) -> Result<(), String> {
    let host = match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) if address.is_unspecified() => "127.0.0.1",
        Ok(IpAddr::V6(address)) if address.is_unspecified() => "::1",
        _ => host,
    };
    let answer = match timeout(PROBE_TIMEOUT, get_readyz(host, port)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(format!("port {port} of {host} does not answer: {error}")),
        Err(_elapsed) => {
            let seconds = PROBE_TIMEOUT.as_secs();
            return Err(format!(
                "port {port} of {host} gave no answer in {seconds} s"
            ));
        }
    };
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split(' ').nth(1) {
        Some("200") => Ok(()),
        Some(status) => {
            let line = body.split_whitespace().collect::<Vec<_>>().join(" ");
            Err(format!("not ready: {status} {line}"))
        }
        None => Err(format!("port {port} of {host} does not speak HTTP")),
    }
}

async fn get_readyz(host: &str, port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((host, port)).await?;
    // With HTTP/1.0 the body is not chunked and the connection closes after it.
    let request = "GET /readyz HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream
        .take(MAX_RESPONSE_BYTES)
        .read_to_end(&mut answer)
        .await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
