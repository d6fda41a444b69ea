//! Requests as bytes, for what no client library sends.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Client;

/// Longer than any answer of a test takes.
const TIMEOUT: Duration = Duration::from_secs(60);

impl Client {
    /// A new connection to the API.
    pub async fn connection(&self) -> TcpStream {
        let address = self.base().trim_start_matches("http://");
        TcpStream::connect(address).await.expect("a connection")
    }

    /// Sends these bytes; returns everything that the server sends until it closes the connection.
    pub async fn exchange(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connection().await;
        stream.write_all(request.as_ref()).await.expect("sent");
        let mut answer = Vec::new();
        let read = timeout(TIMEOUT, stream.read_to_end(&mut answer)).await;
        // A server that stops reading may reset the connection after its answer.
        let _cut = read.expect("an end within 60 s");
        String::from_utf8_lossy(&answer).into_owned()
    }
}
