//! Which files belong to the corpus, and what state they are in.

use crate::parser::Format;
use ignore::WalkBuilder;
use std::{
    collections::HashMap,
    ffi::OsStr,
    fs::Metadata,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};
use url::Url;

/// Larger files are data, not documents.
pub(super) const MAX_FILE_BYTES: u64 = 10 * 1024 * 1024;

/// Folders that hold build output, third-party code, or a second copy of the pages beside them.
const SKIPPED_FOLDERS: [&str; 10] = [
    "target",
    "node_modules",
    "CVS",
    "__pycache__",
    "_sources",
    "_static",
    "_images",
    "_downloads",
    "_modules",
    "static.files",
];

/// Pages that documentation generators make besides the content: indexes of every name, search
/// forms, lists of files. They mention everything and explain nothing.
const GENERATED_PAGES: [&str; 12] = [
    "search.html",
    "404.html",
    "index-all.html",
    "allclasses.html",
    "allclasses-index.html",
    "allpackages-index.html",
    "overview-tree.html",
    "package-tree.html",
    "constant-values.html",
    "serialized-form.html",
    "deprecated-list.html",
    "graph_legend.html",
];

/// What is compared to see whether a file has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileState {
    /// Bytes.
    pub(super) size: u64,
    /// Nanoseconds since 1970.
    pub(super) modified: i64,
}

impl FileState {
    fn of(metadata: &Metadata) -> Self {
        let modified = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .and_then(|age| i64::try_from(age.as_nanos()).ok());
        Self {
            size: metadata.len(),
            modified: modified.unwrap_or(0),
        }
    }
}

/// The files of the corpus as they are on disk now.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// By `file://` address, which can name any path, UTF-8 or not.
    pub(super) files: HashMap<String, (PathBuf, FileState)>,
    /// Settings' paths that are not there.
    pub(super) missing: usize,
    /// Folders and files that could not be looked at.
    pub(super) unreadable: Vec<PathBuf>,
}

/// Looks at every file under `roots`. Symbolic links below a root are not followed: what they
/// point to is either in the folder anyway or outside of it.
pub(super) fn scan(roots: &[PathBuf]) -> Scan {
    let mut scan = Scan::default();
    for root in roots {
        let Ok(root) = root.canonicalize() else {
            scan.missing += 1;
            continue;
        };
        let walk = WalkBuilder::new(&root)
            .standard_filters(false)
            .hidden(true)
            .follow_links(false)
            .filter_entry(|entry| entry.depth() == 0 || !is_skipped_folder(entry))
            .build();
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    scan.unreadable.extend(path_of(&error));
                    continue;
                }
            };
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            let path = entry.path();
            if Format::from_path(path).is_none() || (entry.depth() > 0 && is_generated(path)) {
                continue;
            }
            let Ok(metadata) = entry.metadata() else {
                scan.unreadable.push(path.to_owned());
                continue;
            };
            if metadata.len() > MAX_FILE_BYTES {
                continue;
            }
            if let Some(address) = address(path) {
                scan.files
                    .insert(address, (path.to_owned(), FileState::of(&metadata)));
            }
        }
    }
    scan
}

/// Where an error of the walk happened.
fn path_of(error: &ignore::Error) -> Option<PathBuf> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path.clone()),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of(err)
        }
        _ => None,
    }
}

/// The `file://` address of an absolute path.
pub(super) fn address(path: &Path) -> Option<String> {
    Url::from_file_path(path).ok().map(String::from)
}

fn is_skipped_folder(entry: &ignore::DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_dir())
        && SKIPPED_FOLDERS
            .iter()
            .any(|name| entry.file_name() == OsStr::new(name))
}

fn is_generated(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(OsStr::to_str) else {
        return false;
    };
    let is_page = Format::from_path(path) == Some(Format::Html);
    is_page
        && (name.starts_with("genindex")
            || name.ends_with("modindex.html")
            || GENERATED_PAGES.contains(&name)
            || (name == "print.html" && is_book(path)))
}

/// A book generator puts the whole book once more into `print.html`, beside its table of contents.
fn is_book(page: &Path) -> bool {
    ["toc.html", "searcher.js", "book.js"]
        .iter()
        .any(|sibling| page.with_file_name(sibling).exists())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(root: &Path) -> Vec<String> {
        let mut names: Vec<String> = scan(&[root.to_owned()])
            .files
            .into_keys()
            .filter_map(|address| address.rsplit('/').next().map(str::to_owned))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn only_documents_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "a.html",
            "b.MD",
            "c.txt",
            "README",
            "LICENSE",
            "d.png",
            ".hidden.md",
            "genindex-A.html",
            "search.html",
            "py-modindex.html",
        ] {
            fs::write(folder.path().join(name), "text").unwrap();
        }
        for name in [".git", "node_modules", "target", "_sources", "deep"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("in.txt"), "text").unwrap();
        }
        assert_eq!(
            names(folder.path()),
            ["README", "a.html", "b.MD", "c.txt", "in.txt"]
        );
    }

    #[test]
    fn files_over_the_limit_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = fs::File::create(folder.path().join("big.txt")).unwrap();
        file.set_len(MAX_FILE_BYTES + 1).unwrap();
        assert!(names(folder.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_folder_are_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret.txt"), "text").unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("folder")).unwrap();
        std::os::unix::fs::symlink(
            outside.path().join("secret.txt"),
            folder.path().join("file.txt"),
        )
        .unwrap();
        assert!(names(folder.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_not_utf8_has_an_address() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join(OsStr::from_bytes(b"caf\xe9 1.txt")),
            "text",
        )
        .unwrap();
        assert_eq!(names(folder.path()), ["caf%E9%201.txt"]);
    }

    #[test]
    fn a_file_can_be_a_root_and_a_missing_one_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("one.md");
        fs::write(&file, "text").unwrap();
        let scan = scan(&[file, folder.path().join("nowhere")]);
        assert_eq!((scan.files.len(), scan.missing), (1, 1));
    }
}
