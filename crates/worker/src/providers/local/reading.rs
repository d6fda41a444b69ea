//! From a file to its sections.

use super::{
    files,
    sections::{self, Section},
};
use crate::parser::{Format, Origin, ParseError, ParseJob, ParserPool};
use std::{fs::File, io, io::Read, path::Path};
use tokio::runtime::Handle;

/// How much of a file is looked at to see whether it is text.
const SAMPLE_BYTES: usize = 8 * 1024;

/// Reads files with the parser processes, from threads that are none of the runtime's.
#[derive(Debug, Clone)]
pub(super) struct FileReader {
    parsers: ParserPool,
    /// What drives the pipes to the processes.
    runtime: Option<Handle>,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FileContent {
    pub(super) sections: Vec<Section>,
    /// Why there are none, when the file could not be parsed. It is not tried again before it
    /// changes.
    pub(super) fault: Option<String>,
}

impl FileReader {
    /// Called on a thread of the runtime that is to drive the pipes.
    pub(super) fn new(parsers: ParserPool) -> Self {
        Self {
            parsers,
            runtime: Handle::try_current().ok(),
        }
    }

    /// Reads one file. Blocks.
    ///
    /// # Errors
    /// When the file cannot be read, or when its parser was late or could not be started: then it
    /// is worth another try.
    pub(super) fn read(&self, path: &Path) -> io::Result<FileContent> {
        let mut bytes = Vec::new();
        // The file may have grown since it was looked at.
        File::open(path)?
            .take(files::MAX_FILE_BYTES)
            .read_to_end(&mut bytes)?;
        let format = Format::from_path(path).unwrap_or(Format::Text);
        if format != Format::Pdf && is_binary(&bytes) {
            return Ok(FileContent::default());
        }
        let job = ParseJob {
            format,
            content_type: None,
            origin: Origin::File,
            bytes,
        };
        match self.parsers.parse_blocking(job, self.runtime.as_ref()) {
            Ok(parsed) => {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                Ok(FileContent {
                    sections: sections::split(&parsed.document, &name),
                    fault: None,
                })
            }
            Err(error @ (ParseError::TimedOut | ParseError::Unavailable)) => {
                Err(io::Error::other(error))
            }
            Err(error) => Ok(FileContent {
                sections: Vec::new(),
                fault: Some(error.to_string()),
            }),
        }
    }
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
    fn pdf_files_are_part_of_a_corpus_and_broken_ones_are_marked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Ponds.PDF");
        std::fs::write(&path, PDF).unwrap();
        let reader = FileReader::new(ParserPool::default());
        let content = reader.read(&path).unwrap();
        assert_eq!(content.sections.len(), 1);
        let text = &content.sections[0].blocks[0].1;
        assert_eq!(text, "Ducks live on ponds all year.");

        std::fs::write(&path, "%PDF-1.4\nbroken").unwrap();
        let broken = reader.read(&path).unwrap();
        assert!(broken.sections.is_empty());
        assert_eq!(broken.fault.unwrap(), "a PDF that cannot be parsed");
    }
}
