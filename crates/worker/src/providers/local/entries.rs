//! What the index holds of a file.

use super::{
    files::FileState,
    reading::FileContent,
    schema::{FILE, Fields, SECTION},
    sections::Section,
    tokens::{Words, stemmed_as},
};
use tantivy::TantivyDocument;

/// An entry for each section of a file, and one that says what was read.
///
/// # Errors
/// When a section cannot be written as JSON, which no section is known to do.
pub(super) fn of_file(
    fields: Fields,
    address: &str,
    state: FileState,
    content: &FileContent,
) -> serde_json::Result<Vec<TantivyDocument>> {
    let mut entries = Vec::with_capacity(content.sections.len() + 1);
    for section in &content.sections {
        entries.push(of_section(fields, address, section)?);
    }
    let mut entry = TantivyDocument::default();
    entry.add_text(fields.file, address);
    entry.add_u64(fields.kind, FILE);
    entry.add_u64(fields.size, state.size);
    entry.add_i64(fields.modified, state.modified);
    if let Some(fault) = &content.fault {
        entry.add_text(fields.fault, fault);
    }
    entries.push(entry);
    Ok(entries)
}

fn of_section(
    fields: Fields,
    address: &str,
    section: &Section,
) -> serde_json::Result<TantivyDocument> {
    let language = stemmed_as(section.language.as_deref());
    let words = Words::of_language(language);
    let mut entry = TantivyDocument::default();
    entry.add_text(fields.file, address);
    entry.add_u64(fields.kind, SECTION);
    entry.add_text(fields.language, language);
    entry.add_text(fields.title, words.indexed(&section.title));
    for (_, heading) in &section.path {
        entry.add_text(fields.path, words.indexed(heading));
    }
    for heading in section.also.iter().chain([&section.heading]) {
        entry.add_text(fields.heading, words.indexed(heading));
    }
    for name in &section.names {
        entry.add_text(fields.name, name);
    }
    entry.add_text(fields.body, words.indexed(&section.body()));
    entry.add_bytes(fields.stored, &serde_json::to_vec(section)?);
    Ok(entry)
}
