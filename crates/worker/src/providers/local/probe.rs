//! What `check-config` finds out about the corpus.

use super::{LocalCorpus, files};
use crate::{pipeline::Deadline, upstream::ProbeError};
use std::{fs, path::Path};

/// Files that are named in one line.
const NAMED: usize = 5;

impl LocalCorpus {
    /// Looks whether every folder is there and holds documents; the index is left as it is.
    ///
    /// # Errors
    /// When a folder is not there or cannot be read, or when no file of the corpus can be.
    pub async fn probe(&self, deadline: Deadline) -> Result<String, ProbeError> {
        if let Some(error) = self.roots.iter().find_map(|root| trouble(root)) {
            return Err(error);
        }
        let status = self.status();
        if status.ready && status.files > 0 {
            return Ok(format!(
                "{} files, {} sections",
                status.indexed, status.sections
            ));
        }
        let roots = self.roots.clone();
        let counting = tokio::task::spawn_blocking(move || files::scan(&roots).files.len());
        match deadline.cut(counting).await {
            Some(Ok(0)) => Err(ProbeError {
                problem: "the corpus holds no file that can be read".to_owned(),
                hint: Some(
                    "let CORPUS_PATHS name folders of HTML, Markdown, PDF or text".to_owned(),
                ),
            }),
            Some(Ok(files)) => Ok(format!(
                "{files} files, not indexed yet; a worker does that when it starts"
            )),
            _ => Ok("not indexed yet; a worker does that when it starts".to_owned()),
        }
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

fn trouble(root: &Path) -> Option<ProbeError> {
    let (problem, hint) = match fs::metadata(root) {
        Ok(metadata) if metadata.is_dir() => {
            let _denied = fs::read_dir(root).err()?;
            ("cannot be read", "let the worker's user read that folder")
        }
        Ok(_file) => return None,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (
            "is not there",
            "make that folder (in a container: mount it), or take it out of CORPUS_PATHS",
        ),
        Err(_denied) => ("cannot be read", "let the worker's user read that folder"),
    };
    Some(ProbeError {
        problem: format!("{} in CORPUS_PATHS {problem}", root.display()),
        hint: Some(hint.to_owned()),
    })
}
