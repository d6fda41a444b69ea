//! Parses one document. Runs in a parser process; the size of its result is bounded for any
//! document.

use super::job::{Format, Origin, ParseError, ParseJob, ParsedDocument};
use crate::{
    pipeline::FetchError,
    web::{
        charset,
        extract::{self, TextLimits},
        fetch::block_page,
        pdf,
    },
};

/// Bytes of text that are kept of a file; the largest file of a corpus has as many.
const FILE_LIMITS: TextLimits = TextLimits {
    text: 10 * 1024 * 1024,
    block: 1024 * 1024,
};

pub(super) fn parse(job: &ParseJob) -> Result<ParsedDocument, ParseError> {
    let limits = match job.origin {
        Origin::Page { .. } => TextLimits::PAGE,
        Origin::File => FILE_LIMITS,
    };
    let mut parsed = if job.format == Format::Pdf || job.bytes.starts_with(pdf::MAGIC) {
        as_pdf(&job.bytes)?
    } else {
        as_text(job)?
    };
    parsed.document = extract::readable(parsed.document, limits);
    Ok(parsed)
}

fn as_pdf(bytes: &[u8]) -> Result<ParsedDocument, ParseError> {
    match pdf::read_pdf(bytes, pdf::PdfLimits::default()) {
        Ok(document) => Ok(ParsedDocument {
            document,
            canonical: None,
        }),
        Err(FetchError::NoContent(reason)) => Err(ParseError::NoContent(reason)),
        Err(_) => Err(ParseError::Crashed),
    }
}

fn as_text(job: &ParseJob) -> Result<ParsedDocument, ParseError> {
    let text = charset::decode(&job.bytes, job.content_type.as_deref());
    let base = match &job.origin {
        Origin::Page { url, .. } => Some(url),
        Origin::File => None,
    };
    let (document, canonical) = match job.format {
        Format::Html => extract::page(&text, base),
        Format::Markdown => (extract::markdown(&text), None),
        // `Format::Pdf` does not reach this: `parse` sends it to `as_pdf`.
        Format::Text | Format::Pdf => (extract::plain_text(&text), None),
    };
    if let Origin::Page {
        url,
        was_redirected,
    } = &job.origin
        && let Some(reason) = block_page::block_reason(&document, &text, url, *was_redirected)
    {
        return Err(ParseError::NoContent(reason.into()));
    }
    Ok(ParsedDocument {
        document,
        canonical,
    })
}
