//! Determines the format of a response.

use super::client::FetchResponse;
use crate::{parser::Format, pipeline::FetchError, web::pdf};

/// Decides by Content-Type; a response without one counts as HTML until its bytes are checked.
pub(super) fn document_format(response: &FetchResponse) -> Result<Format, FetchError> {
    let header = response.content_type().unwrap_or_default();
    let essence = header.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    let path = response.url.path().to_ascii_lowercase();
    let is_markdown_file = path.ends_with(".md") || path.ends_with(".markdown");
    let is_pdf_file = path.ends_with(".pdf");
    match essence.as_str() {
        "text/html" | "application/xhtml+xml" | "" => Ok(Format::Html),
        "text/markdown" | "text/x-markdown" => Ok(Format::Markdown),
        "text/plain" if is_markdown_file => Ok(Format::Markdown),
        "text/plain" => Ok(Format::Text),
        "application/pdf" | "application/x-pdf" => Ok(Format::Pdf),
        "application/octet-stream" | "binary/octet-stream" if is_pdf_file => Ok(Format::Pdf),
        _ => Err(FetchError::UnsupportedType(sanitize_type(&essence))),
    }
}

/// The header may hold anything; keeps only characters that a media type can have.
fn sanitize_type(essence: &str) -> String {
    essence
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '+' | '.' | '-'))
        .take(60)
        .collect()
}

/// Whether bytes are neither text nor a PDF, by the first kilobyte.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    const MAGIC: [&[u8]; 7] = [
        b"PK\x03\x04",
        b"\x89PNG",
        b"GIF8",
        b"\xff\xd8\xff",
        b"\x1f\x8b",
        b"\x7fELF",
        b"Rar!",
    ];
    if bytes.starts_with(pdf::MAGIC) {
        return false;
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return false;
    }
    let head = bytes.get(..SNIFF_BYTES).unwrap_or(bytes);
    let is_control = |byte: &&u8| matches!(**byte, 0..=8 | 14..=26 | 28..=31);
    MAGIC.iter().any(|magic| bytes.starts_with(magic))
        || head.contains(&0)
        || head.iter().filter(is_control).count() * 50 > head.len()
}

/// The number of bytes that tell binary data from text.
pub(super) const SNIFF_BYTES: usize = 1024;
