//! Requests as bytes, for what no client library sends.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Client;

/// Longer than any answer of a test takes.
const TIMEOUT: Duration = Duration::from_secs(60);

impl Client {
    /// A connection to the API that has sent nothing yet.
    pub async fn connection(&self) -> TcpStream {
        let address = self.base().trim_start_matches("http://");
        TcpStream::connect(address).await.expect("a connection")
    }

    /// Everything that is answered to these bytes until the server ends the connection.
    pub async fn exchange(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connection().await;
        stream.write_all(request.as_ref()).await.expect("sent");
        let mut answer = Vec::new();
        let read = timeout(TIMEOUT, stream.read_to_end(&mut answer)).await;
        // A server that does not read on may reset the connection behind its answer.
        let _cut = read.expect("an end within 60 s");
        String::from_utf8_lossy(&answer).into_owned()
    }
}
