//! The bytes under a WebSocket: actix takes the handshake and carries both directions as the bodies of
//! one exchange, tungstenite speaks the protocol. Why not actix-ws: docs/adr/0009.

use actix_http::ws::{HandshakeError, handshake};
use actix_web::{
    HttpRequest, HttpResponse,
    body::{BodyStream, MessageBody},
    web::Payload,
};
use bytes::Bytes;
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, LocalBoxStream, Stream},
};
use std::{io, pin::Pin, task::ready};
use tokio::io::{AsyncRead, DuplexStream, Join, ReadBuf, duplex, join};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::protocol::{Role, WebSocketConfig},
};
use tokio_util::{
    io::StreamReader,
    sync::{CancellationToken, DropGuard},
};

/// Bytes that wait for the connection to take them; whoever sends more has to wait.
const UNSENT: usize = 32 * 1024;
/// Bytes that are handed to the connection at a time.
const PIECE: usize = 8 * 1024;
/// Bytes that are read at a time. What a client says is short, and ten thousand may listen.
const READ: usize = 1024;

/// The frames of an open connection.
pub(super) type Wire = WebSocketStream<Join<Received, DuplexStream>>;
type Received = StreamReader<LocalBoxStream<'static, io::Result<Bytes>>, Bytes>;

/// The answer that opens a WebSocket, and what is heard and said on it. A message that announces more
/// than `longest` bytes, in one frame or in parts, is refused before it is buffered.
///
/// # Errors
/// When the request asks for no WebSocket.
pub(super) async fn open(
    request: &HttpRequest,
    payload: Payload,
    longest: usize,
) -> Result<(HttpResponse, Wire), HandshakeError> {
    let answer = handshake(request.head())?.finish();
    let (ours, theirs) = duplex(UNSENT);
    let is_open = CancellationToken::new();
    let closed = is_open.clone().cancelled_owned();
    let body = BodyStream::new(sent(theirs, is_open.drop_guard()));
    let answer = answer.set_body(body.boxed());
    // actix ends the body of an answer at once when the connection is gone, and that of a request never.
    let received = payload.map_err(io::Error::other).take_until(closed);
    let wire = join(StreamReader::new(received.boxed_local()), ours);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ)
        .write_buffer_size(0)
        .max_frame_size(Some(longest))
        .max_message_size(Some(longest));
    let wire = WebSocketStream::from_raw_socket(wire, Role::Server, Some(config)).await;
    Ok((answer.into(), wire))
}

/// What was written, piece by piece, until the writer has gone.
fn sent(mut written: DuplexStream, open: DropGuard) -> impl Stream<Item = io::Result<Bytes>> {
    stream::poll_fn(move |context| {
        let _as_long_as_there_is_a_connection = &open;
        let mut space = [0; PIECE];
        let mut piece = ReadBuf::new(&mut space);
        ready!(Pin::new(&mut written).poll_read(context, &mut piece))?;
        let piece = piece.filled();
        let piece = (!piece.is_empty()).then(|| Ok(Bytes::copy_from_slice(piece)));
        piece.into()
    })
}
