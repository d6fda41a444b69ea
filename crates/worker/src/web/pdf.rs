//! The text of PDF files, all pages of it. The files come from strangers: what they unpack to, how
//! many pages and how much text they give and how long that takes is bounded. The library goes down
//! with nested objects, so this runs where a crash is harmless ([`crate::parser`]).

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

/// How a PDF file begins.
pub const MAGIC: &[u8] = b"%PDF-";

const UNREADABLE: FetchError = FetchError::NoContent(Cow::Borrowed("a PDF that cannot be parsed"));
const LOCKED: FetchError = FetchError::NoContent(Cow::Borrowed("a PDF that wants a password"));
const NO_TEXT: FetchError = FetchError::NoContent(Cow::Borrowed("a PDF without text"));

/// What reading one file may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Pages that are read, from the first on.
    pub pages: usize,
    /// Bytes that the file's structure, and each page, may unpack to.
    pub unpacked: usize,
    /// Bytes of text of the whole file.
    pub text: usize,
    /// Time. Looked at between the operations of a page, not while the file's structure is loaded;
    /// that takes time linear in the bytes of the file and its unpacked streams.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pages: 500,
            unpacked: 32 * 1024 * 1024,
            text: 2 * 1024 * 1024,
            time: Duration::from_secs(5),
        }
    }
}

/// Reads the text of a PDF file. Blocks of page n have the anchor `page=n`, which viewers know.
/// What lies behind a limit is left out. Objects that are nested deeply take a stack of megabytes.
///
/// # Errors
/// `NoContent` when the file is broken, locked or has no text, as scans have none.
pub fn pdf(bytes: &[u8], limits: Limits) -> Result<Document, FetchError> {
    let until = Instant::now() + limits.time;
    let options = LoadOptions::with_max_decompressed_size(share(bytes, limits.unpacked));
    let Ok(file) = lopdf::Document::load_mem_with_options(bytes, options) else {
        return Err(UNREADABLE);
    };
    if file.is_encrypted() {
        return Err(LOCKED);
    }
    let mut blocks: Vec<Block> = Vec::new();
    let mut left = limits.text;
    for (number, id) in (1..=limits.pages).zip(file.page_iter()) {
        if left == 0 || Instant::now() >= until {
            break;
        }
        let text = page::text(&file, id, limits.unpacked, left, until);
        left = left.saturating_sub(text.len().max(1));
        blocks.extend(layout::blocks(&text, number));
    }
    if blocks.is_empty() {
        return Err(NO_TEXT);
    }
    let title = stated(&file, b"Title").unwrap_or_else(|| layout::title(&blocks));
    Ok(Document {
        title,
        blocks,
        ..Document::default()
    })
}

/// What each of the streams that hold the file's objects may unpack to, so that all of them together
/// keep to `total`: they are unpacked while the file is loaded, each on its own.
fn share(bytes: &[u8], total: usize) -> usize {
    const NAME: &[u8] = b"ObjStm";
    let names = unescaped(bytes);
    let count = names.windows(NAME.len()).filter(|it| *it == NAME).count();
    total / count.max(1)
}

/// `#4f` in a name stands for `O`.
fn unescaped(bytes: &[u8]) -> Vec<u8> {
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

/// An entry of the file's information, when it says something.
fn stated(file: &lopdf::Document, name: &[u8]) -> Option<String> {
    const LONGEST: usize = 300;
    let information = file.trailer.get_deref(b"Info", file).ok()?.as_dict().ok()?;
    let value = information.get_deref(name, file).ok()?;
    let text = lopdf::decode_text_string(value).ok()?;
    let text: String = layout::collapse(&text).chars().take(LONGEST).collect();
    (text.chars().filter(|c| c.is_alphabetic()).count() > 2).then_some(text)
}
