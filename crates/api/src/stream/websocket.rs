//! A WebSocket over actix: actix does the handshake and carries the bytes as the bodies of request
//! and response, tungstenite speaks the protocol. docs/adr/0009 says why not actix-ws.

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

/// Bytes that wait for the connection; a send waits when the buffer is full.
const SEND_BUFFER_BYTES: usize = 32 * 1024;
/// Bytes of a chunk of the response body.
const CHUNK_BYTES: usize = 8 * 1024;
/// Bytes of the read buffer; small, as commands are short and ten thousand sockets may be open.
const READ_BUFFER_BYTES: usize = 1024;

/// An open WebSocket.
pub(super) type WebSocket = WebSocketStream<Join<RequestBody, DuplexStream>>;
type RequestBody = StreamReader<LocalBoxStream<'static, io::Result<Bytes>>, Bytes>;

/// The response that opens a WebSocket, and the WebSocket. Refuses a message of more than `longest`
/// bytes, in one frame or in several, before it is buffered.
///
/// # Errors
/// `HandshakeError` when the request is no WebSocket handshake.
pub(super) async fn accept(
    request: &HttpRequest,
    payload: Payload,
    longest: usize,
) -> Result<(HttpResponse, WebSocket), HandshakeError> {
    let answer = handshake(request.head())?.finish();
    let (ours, theirs) = duplex(SEND_BUFFER_BYTES);
    let is_open = CancellationToken::new();
    let closed = is_open.clone().cancelled_owned();
    let body = BodyStream::new(response_chunks(theirs, is_open.drop_guard()));
    let answer = answer.set_body(body.boxed());
    // When the connection is lost, actix drops the response body at once but never ends the request
    // body.
    let received = payload.map_err(io::Error::other).take_until(closed);
    let wire = join(StreamReader::new(received.boxed_local()), ours);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_frame_size(Some(longest))
        .max_message_size(Some(longest));
    let wire = WebSocketStream::from_raw_socket(wire, Role::Server, Some(config)).await;
    Ok((answer.into(), wire))
}

/// The written bytes in chunks, until the writer is dropped.
fn response_chunks(
    mut written: DuplexStream,
    open: DropGuard,
) -> impl Stream<Item = io::Result<Bytes>> {
    stream::poll_fn(move |context| {
        let _as_long_as_there_is_a_connection = &open;
        let mut space = [0; CHUNK_BYTES];
        let mut piece = ReadBuf::new(&mut space);
        ready!(Pin::new(&mut written).poll_read(context, &mut piece))?;
        let piece = piece.filled();
        let piece = (!piece.is_empty()).then(|| Ok(Bytes::copy_from_slice(piece)));
        piece.into()
    })
}
