//! Frames on a pipe: the length in four little-endian bytes, then the bytes.

use std::io::{self, ErrorKind, Read, Write};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes of a document. The largest file of a corpus has 10 MiB.
pub(super) const MAX_DOCUMENT: usize = 16 * 1024 * 1024;
/// Bytes of a job without its document.
pub(super) const MAX_HEADER: usize = 64 * 1024;
/// Bytes of a result. `parse` stays below it for any document.
pub(super) const MAX_RESULT: usize = 24 * 1024 * 1024;

pub(super) fn read(from: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut bytes = vec![0; checked(length, most)?];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn write(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(&length_of(bytes)?)?;
    to.write_all(bytes)?;
    to.flush()
}

pub(super) async fn receive(
    from: &mut (impl AsyncRead + Unpin),
    most: usize,
) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length).await?;
    let mut bytes = vec![0; checked(length, most)?];
    from.read_exact(&mut bytes).await?;
    Ok(bytes)
}

pub(super) async fn send(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    to.write_all(&length_of(bytes)?).await?;
    to.write_all(bytes).await
}

fn checked(length: [u8; 4], most: usize) -> io::Result<usize> {
    usize::try_from(u32::from_le_bytes(length))
        .ok()
        .filter(|length| *length <= most)
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "a frame over its limit"))
}

fn length_of(bytes: &[u8]) -> io::Result<[u8; 4]> {
    u32::try_from(bytes.len())
        .map(u32::to_le_bytes)
        .map_err(io::Error::other)
}
