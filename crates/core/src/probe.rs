//! Asks a process on this machine whether it is ready: for the `healthcheck` commands.

use std::{net::IpAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Less than the 5 s that containers' health checks usually get.
const PATIENCE: Duration = Duration::from_secs(4);
/// More than any answer of `/readyz` has.
const LONGEST: u64 = 16 * 1024;

/// Asks `/readyz` at the address that a process listens on; every address means this machine.
///
/// # Errors
/// What is wrong, in a line.
pub async fn ready(host: &str, port: u16) -> Result<(), String> {
    let host = match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) if address.is_unspecified() => "127.0.0.1",
        Ok(IpAddr::V6(address)) if address.is_unspecified() => "::1",
        _ => host,
    };
    let answer = match timeout(PATIENCE, ask(host, port)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(format!("port {port} of {host} does not answer: {error}")),
        Err(_elapsed) => {
            let seconds = PATIENCE.as_secs();
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
        None => Err(format!(
            "what listens on port {port} of {host} speaks no HTTP"
        )),
    }
}

async fn ask(host: &str, port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((host, port)).await?;
    // HTTP/1.0, so that the body comes in one piece and the connection ends behind it.
    let request = "GET /readyz HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
