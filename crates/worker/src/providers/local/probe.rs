//! What `check-config` finds out about the corpus.

use super::{LocalCorpus, files};
use crate::{pipeline::Deadline, upstream::ProbeError};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Files that are named in one line.
const NAMED: usize = 5;

/// What a look at the corpus shows.
#[derive(Debug)]
pub struct Look {
    /// Whether searches find something in it.
    pub state: Result<String, ProbeError>,
    /// What to mend although they do.
    pub doubts: Vec<ProbeError>,
}

/// The files of the corpus, as far as this user may see them.
struct Seen {
    readable: usize,
    /// Files that cannot be opened, and folders that cannot be looked into.
    unreadable: Vec<PathBuf>,
}

impl LocalCorpus {
    /// Looks whether every folder is there and holds documents that can be read and found; the index is left as
    /// it is.
    pub async fn probe(&self, deadline: Deadline) -> Look {
        if let Some(error) = self.roots.iter().find_map(|root| trouble(root)) {
            return Look {
                state: Err(error),
                doubts: Vec::new(),
            };
        }
        let roots = self.roots.clone();
        let looking = tokio::task::spawn_blocking(move || look(&roots));
        let Some(Ok(seen)) = deadline.limit(looking).await else {
            let state = Ok(self.indexed("too many files to look at each"));
            let doubts = self.faults().into_iter().collect();
            return Look { state, doubts };
        };
        let hidden = seen.hidden();
        if seen.readable == 0 {
            let state = Err(hidden.unwrap_or_else(empty));
            return Look {
                state,
                doubts: Vec::new(),
            };
        }
        let doubts = hidden.into_iter().chain(self.faults()).collect();
        let status = self.status();
        let state = if status.ready && status.files > 0 && status.sections == 0 {
            Err(no_text(seen.readable))
        } else {
            Ok(self.indexed(&format!("{} files", seen.readable)))
        };
        Look { state, doubts }
    }

    fn indexed(&self, files: &str) -> String {
        let status = self.status();
        if status.ready && status.files > 0 {
            return format!("{} files, {} sections", status.indexed, status.sections);
        }
        format!("{files}, not indexed yet; a worker does that when it starts")
    }

    /// The files that could not be parsed, when there are some.
    #[must_use]
    pub fn faults(&self) -> Option<ProbeError> {
        let faults = self.store().faults().unwrap_or_default();
        let named: Vec<String> = faults
            .iter()
            .take(NAMED)
            .map(|(address, fault)| format!("{address} ({fault})"))
            .collect();
        let more = match faults.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!faults.is_empty()).then(|| ProbeError {
            problem: format!(
                "{} of its files cannot be parsed: {}{more}",
                faults.len(),
                named.join(", ")
            ),
            hint: Some(
                "they are read again when they change; take them out of the folder, or mend them"
                    .to_owned(),
            ),
        })
    }
}

impl Seen {
    /// What this user may not read.
    fn hidden(&self) -> Option<ProbeError> {
        let named: Vec<String> = self
            .unreadable
            .iter()
            .take(NAMED)
            .map(|path| path.display().to_string())
            .collect();
        let count = self.unreadable.len();
        (count > 0).then(|| ProbeError {
            problem: format!(
                "{count} of its files and folders cannot be read, {} can: {}{}",
                self.readable,
                named.join(", "),
                if count > NAMED { " and more" } else { "" }
            ),
            hint: Some(readable_by_us()),
        })
    }
}

fn look(roots: &[PathBuf]) -> Seen {
    let scan = files::scan(roots);
    let (readable, closed): (Vec<PathBuf>, Vec<PathBuf>) = scan
        .files
        .into_values()
        .map(|(path, _state)| path)
        .partition(|path| fs::File::open(path).is_ok());
    let mut unreadable = closed;
    unreadable.extend(scan.unreadable);
    unreadable.sort_unstable();
    Seen {
        readable: readable.len(),
        unreadable,
    }
}

fn empty() -> ProbeError {
    ProbeError {
        problem: "the corpus holds no document".to_owned(),
        hint: Some(
            "let CORPUS_PATHS name folders of HTML, Markdown, PDF or text; with compose, CORPUS names the one to mount"
                .to_owned(),
        ),
    }
}

fn no_text(files: usize) -> ProbeError {
    ProbeError {
        problem: format!("{files} files, 0 sections: nothing can be found in them"),
        hint: Some("look whether they hold text; a scanned PDF, for one, does not".to_owned()),
    }
}

/// How to let this process read.
fn readable_by_us() -> String {
    format!(
        "let user {} read them: chmod -R a+rX on the folder",
        rustix::process::geteuid().as_raw()
    )
}

fn trouble(root: &Path) -> Option<ProbeError> {
    let (problem, hint) = match fs::metadata(root) {
        Ok(metadata) if metadata.is_dir() => {
            let _denied = fs::read_dir(root).err()?;
            ("cannot be read", readable_by_us())
        }
        Ok(_file) => return None,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (
            "is not there",
            "make that folder (in a container: mount it), or take it out of CORPUS_PATHS"
                .to_owned(),
        ),
        Err(_denied) => ("cannot be read", readable_by_us()),
    };
    Some(ProbeError {
        problem: format!("{} in CORPUS_PATHS {problem}", root.display()),
        hint: Some(hint),
    })
}
