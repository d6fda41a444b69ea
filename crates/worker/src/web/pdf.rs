//! Extracts the text of PDF files. Files are untrusted, so unpacked size, pages, text and time are
//! limited. lopdf can overflow the stack on nested objects, so this runs in a parser process
//! ([`crate::parser`]).

mod layout;
mod page;
#[cfg(test)]
mod tests;

use crate::pipeline::{Block, Document, FetchError};
use lopdf::LoadOptions;
use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

/// The first bytes of every PDF file.
pub const MAGIC: &[u8] = b"%PDF-";

const UNREADABLE: FetchError = FetchError::NoContent(Cow::Borrowed("a PDF that cannot be parsed"));
const ENCRYPTED: FetchError = FetchError::NoContent(Cow::Borrowed("an encrypted PDF"));
const NO_TEXT: FetchError = FetchError::NoContent(Cow::Borrowed("a PDF without text"));

/// The limits for reading one file.
#[derive(Debug, Clone, Copy)]
pub struct PdfLimits {
    /// The number of pages read, from the first on.
    pub max_pages: usize,
    /// The unpacked size of the file's structure, and of each page, in bytes.
    pub max_unpacked_bytes: usize,
    /// The text of the whole file, in bytes.
    pub max_text_bytes: usize,
    /// The time for the pages, checked between the operations of a page. Loading the file's
    /// structure is not interrupted; it takes time linear in the size of the file and its unpacked
    /// streams.
    pub max_time: Duration,
}

impl Default for PdfLimits {
    fn default() -> Self {
        Self {
            max_pages: 500,
            max_unpacked_bytes: 32 * 1024 * 1024,
            max_text_bytes: 2 * 1024 * 1024,
            max_time: Duration::from_secs(5),
        }
    }
}

/// Reads the text of a PDF file. Blocks of page n have the anchor `page=n`, which PDF viewers
/// understand. Text beyond a limit is dropped. Deeply nested objects need megabytes of stack.
///
/// # Errors
/// [`FetchError::NoContent`] when the file is malformed, encrypted or has no text (such as a scan).
pub fn read_pdf(bytes: &[u8], limits: PdfLimits) -> Result<Document, FetchError> {
    let until = Instant::now() + limits.max_time;
    let options = LoadOptions::with_max_decompressed_size(unpacked_limit_per_stream(
        bytes,
        limits.max_unpacked_bytes,
    ));
    let Ok(file) = lopdf::Document::load_mem_with_options(bytes, options) else {
        return Err(UNREADABLE);
    };
    if file.is_encrypted() {
        return Err(ENCRYPTED);
    }
    let mut blocks: Vec<Block> = Vec::new();
    let mut left = limits.max_text_bytes;
    for (number, id) in (1..=limits.max_pages).zip(file.page_iter()) {
        if left == 0 || Instant::now() >= until {
            break;
        }
        let text = page::page_text(&file, id, limits.max_unpacked_bytes, left, until);
        left = left.saturating_sub(text.len().max(1));
        blocks.extend(layout::blocks(&text, number));
    }
    if blocks.is_empty() {
        return Err(NO_TEXT);
    }
    let title = info_text(&file, b"Title").unwrap_or_else(|| layout::title(&blocks));
    Ok(Document {
        title,
        blocks,
        ..Document::default()
    })
}

/// The unpacked size allowed for each object stream, so that all together stay within `total`. They
/// are unpacked one by one while the file is loaded.
fn unpacked_limit_per_stream(bytes: &[u8], total: usize) -> usize {
    const NAME: &[u8] = b"ObjStm";
    let names = decode_name_escapes(bytes);
    let count = names.windows(NAME.len()).filter(|it| *it == NAME).count();
    total / count.max(1)
}

/// Decodes hex escapes of names: `#4f` is `O`.
fn decode_name_escapes(bytes: &[u8]) -> Vec<u8> {
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = digit(at + 1).zip(digit(at + 2));
        match escaped.map(|(high, low)| u8::try_from(high * 16 + low)) {
            Some(Ok(meant)) if *byte == b'#' => {
                plain.push(meant);
                at += 3;
            }
            _ => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    plain
}

/// An entry of the file's information dictionary, if it has more than two letters.
fn info_text(file: &lopdf::Document, name: &[u8]) -> Option<String> {
    const MAX_INFO_CHARS: usize = 300;
    let information = file.trailer.get_deref(b"Info", file).ok()?.as_dict().ok()?;
    let value = information.get_deref(name, file).ok()?;
    let text = lopdf::decode_text_string(value).ok()?;
    let text: String = layout::collapse(&text)
        .chars()
        .take(MAX_INFO_CHARS)
        .collect();
    (text.chars().filter(|c| c.is_alphabetic()).count() > 2).then_some(text)
}
