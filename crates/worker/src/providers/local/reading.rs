//! From a file to its sections.

use super::{
    files::{self, Format},
    sections::{self, Section},
};
use crate::web::{charset, extract, pdf};
use std::{
    fs::File,
    io::Read,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

/// How much of a file is looked at to see whether it is text.
const SAMPLE_BYTES: usize = 8 * 1024;

/// Reads one file. A file that is no text, or that its parser chokes on, has no sections.
pub(super) fn read(path: &Path) -> std::io::Result<Vec<Section>> {
    let mut bytes = Vec::new();
    // The file may have grown since it was looked at.
    File::open(path)?
        .take(files::MAX_FILE_BYTES)
        .read_to_end(&mut bytes)?;
    let format = Format::of(path);
    if format != Some(Format::Pdf) && is_binary(&bytes) {
        return Ok(Vec::new());
    }
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    if format == Some(Format::Pdf) {
        let document = pdf::pdf(&bytes, pdf::Limits::default());
        return Ok(document.map_or_else(|_| Vec::new(), |it| sections::split(&it, &name)));
    }
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        let text = charset::decode(&bytes, None);
        let document = match format {
            Some(Format::Html) => extract::html(&text, None),
            Some(Format::Markdown) => extract::markdown(&text),
            _ => extract::plain_text(&text),
        };
        sections::split(&document, &name)
    }));
    Ok(parsed.unwrap_or_default())
}

fn is_binary(bytes: &[u8]) -> bool {
    let is_utf16 = bytes.starts_with(&[0xFE, 0xFF]) || bytes.starts_with(&[0xFF, 0xFE]);
    !is_utf16 && bytes.iter().take(SAMPLE_BYTES).any(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without a cross-reference table, as careless programs write them.
    const PDF: &str = "%PDF-1.4
1 0 obj <</Type /Catalog /Pages 2 0 R>> endobj
2 0 obj <</Type /Pages /Kids [3 0 R] /Count 1>> endobj
3 0 obj <</Type /Page /Parent 2 0 R /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>>>> endobj
4 0 obj <</Length 51>>
stream
BT /F1 12 Tf (Ducks live on ponds all year.) Tj ET
endstream
endobj
5 0 obj <</Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding>> endobj
trailer <</Size 6 /Root 1 0 R>>
%%EOF
";

    #[test]
    fn pdf_files_are_part_of_a_corpus_and_broken_ones_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Ponds.PDF");
        std::fs::write(&path, PDF).unwrap();
        let sections = read(&path).unwrap();
        assert_eq!(sections.len(), 1);
        assert_eq!(sections[0].blocks[0].1, "Ducks live on ponds all year.");

        std::fs::write(&path, "%PDF-1.4\nbroken").unwrap();
        assert!(read(&path).unwrap().is_empty());
    }
}
