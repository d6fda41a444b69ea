//! Captured bodies of real servers, for tests.

use std::path::Path;

/// The bytes of `fixtures/<name>`.
pub(crate) fn bytes(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The JSON body of a capture that also holds the response head or a timing line.
pub(crate) fn json(name: &str) -> Vec<u8> {
    let all = bytes(name);
    let start = all.iter().position(|byte| *byte == b'{').unwrap();
    let end = all.iter().rposition(|byte| *byte == b'}').unwrap();
    all.get(start..=end).unwrap().to_vec()
}

/// An address that refuses connections for as long as this lives: the port stays bound and is not
/// listened on. A released port may soon belong to another test's server.
pub(crate) struct RefusingAddress(tokio::net::TcpSocket);

impl RefusingAddress {
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.0.local_addr().unwrap()
    }
}

pub(crate) fn refusing_address() -> RefusingAddress {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    RefusingAddress(socket)
}
