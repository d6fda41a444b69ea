//! HTTP/1.1 as a proxy handles it: it reads heads and streams bodies through.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt,
};

/// The start line and the headers.
pub(super) struct Head {
    lines: Vec<String>,
}

/// How the length of a body is known.
#[derive(Clone, Copy)]
pub(super) enum Body {
    Bytes(u64),
    Chunks,
    UntilClosed,
}

impl Head {
    /// None when the peer hung up before it sent a head.
    pub(super) async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<Self>> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if from.read_line(&mut line).await? == 0 {
                return match lines.is_empty() {
                    true => Ok(None),
                    false => Err(ErrorKind::UnexpectedEof.into()),
                };
            }
            let line = line.trim_end();
            if line.is_empty() {
                return Ok(Some(Self { lines }));
            }
            lines.push(line.to_owned());
        }
    }

    pub(super) async fn write(&self, to: &mut (impl AsyncWrite + Unpin)) -> Result<()> {
        let text = format!("{}\r\n\r\n", self.lines.join("\r\n"));
        to.write_all(text.as_bytes()).await
    }

    pub(super) fn status(&self) -> Result<u16> {
        let status = self.lines.first().and_then(|line| line.split(' ').nth(1));
        let status = status.and_then(|status| status.parse().ok());
        status.ok_or_else(|| Error::new(ErrorKind::InvalidData, "no status"))
    }

    pub(super) fn body_of_request(&self) -> Body {
        self.declared().unwrap_or(Body::Bytes(0))
    }

    pub(super) fn body_of_answer(&self) -> Result<Body> {
        if matches!(self.status()?, 204 | 304) {
            return Ok(Body::Bytes(0));
        }
        Ok(self.declared().unwrap_or(Body::UntilClosed))
    }

    /// Removes the hop-by-hop header `Connection`; returns whether it said `close`.
    pub(super) fn take_close(&mut self) -> bool {
        let closes = self
            .header("connection")
            .is_some_and(|value| value == "close");
        self.lines
            .retain(|line| named(line, "connection").is_none());
        closes
    }

    fn declared(&self) -> Option<Body> {
        if self.header("transfer-encoding") == Some("chunked") {
            return Some(Body::Chunks);
        }
        let length = self.header("content-length")?;
        Some(Body::Bytes(length.parse().expect("a length")))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.lines.iter().skip(1).find_map(|line| named(line, name))
    }
}

/// The value of a header line with this name.
fn named<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (is, value) = line.split_once(':')?;
    is.eq_ignore_ascii_case(name).then(|| value.trim())
}

impl Body {
    /// Streams the body through; an error when it ends too early.
    pub(super) async fn copy(
        self,
        from: &mut (impl AsyncBufRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<()> {
        match self {
            Self::Bytes(length) => exactly(length, from, to).await,
            Self::UntilClosed => tokio::io::copy_buf(from, to).await.map(drop),
            Self::Chunks => chunks(from, to).await,
        }
    }
}

async fn exactly(
    length: u64,
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
) -> Result<()> {
    let mut part = vec![0; usize::try_from(length).expect("a length for memory")];
    from.read_exact(&mut part).await?;
    to.write_all(&part).await
}

async fn chunks(
    from: &mut (impl AsyncBufRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
) -> Result<()> {
    loop {
        let mut size = String::new();
        from.read_line(&mut size).await?;
        let bytes = u64::from_str_radix(size.trim_end(), 16)
            .map_err(|_| Error::new(ErrorKind::UnexpectedEof, "no size of a chunk"))?;
        to.write_all(size.as_bytes()).await?;
        // With the line break after the chunk.
        exactly(bytes + 2, from, to).await?;
        if bytes == 0 {
            return Ok(());
        }
    }
}
