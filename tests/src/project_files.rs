//! The project's own files, for the tests of its module borders.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// One file: its path relative to the project, and its text.
#[derive(Debug)]
pub struct SourceFile {
    pub path: String,
    pub text: String,
}

impl SourceFile {
    /// The text without comments, line for line.
    pub fn code(&self) -> String {
        let code = |line: &str| match line.trim_start().starts_with("//") {
            true => String::new(),
            false => line.split(" // ").next().unwrap_or_default().to_owned(),
        };
        self.text.lines().map(code).collect::<Vec<_>>().join("\n")
    }

    /// The names directly under `root` in its paths: `jobs` and `keys` for the root
    /// `privachat_core` in `use privachat_core::{jobs::Jobs, keys};`.
    pub fn uses(&self, root: &str) -> BTreeSet<String> {
        let code = self.code();
        let start = format!("{root}::");
        let whole_word =
            |before: &str| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        code.match_indices(&start)
            .filter_map(|(at, _)| code.split_at_checked(at))
            .filter(|(before, _)| whole_word(before))
            .filter_map(|(_, rest)| rest.strip_prefix(&start))
            .flat_map(first_segments)
            .collect()
    }

    /// Whether the code contains `word` as a whole word.
    pub fn mentions(&self, word: &str) -> bool {
        self.code()
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .any(|candidate| candidate == word)
    }

    pub fn is_under(&self, folder: &str) -> bool {
        Path::new(&self.path).starts_with(folder)
    }

    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether the file holds only unit tests.
    pub fn is_test(&self) -> bool {
        self.name() == "tests.rs" || self.path.contains("/tests/")
    }
}

/// `a::b` → a; `{a::b, c::{d, e}}` → a, c.
fn first_segments(rest: &str) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else {
        return vec![identifier(rest)];
    };
    let mut depth = 0_usize;
    let mut items = vec![String::new()];
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(String::new()),
            _ if depth == 0 => items
                .iter_mut()
                .last()
                .into_iter()
                .for_each(|item| item.push(character)),
            _ => {}
        }
    }
    items
        .iter()
        .map(|item| identifier(item.trim()))
        .filter(|name| !name.is_empty())
        .collect()
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// Every text file of the project except built, downloaded and captured ones.
pub fn all() -> Vec<SourceFile> {
    let root = root();
    let mut sources = Vec::new();
    collect(&root, &root, &mut sources);
    assert!(
        sources.len() > 20,
        "the project's folder has moved: {}",
        root.display()
    );
    sources
}

/// The Rust files of the project.
pub fn rust() -> Vec<SourceFile> {
    all()
        .into_iter()
        .filter(|source| source.path.ends_with(".rs"))
        .collect()
}

/// The scripts of the web pages.
pub fn web_scripts() -> Vec<SourceFile> {
    all()
        .into_iter()
        .filter(|source| source.is_under("crates/api/web") && source.path.ends_with(".js"))
        .collect()
}

/// One file, by its path relative to the project.
pub fn file(path: &str) -> SourceFile {
    let text =
        fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    SourceFile {
        path: path.to_owned(),
        text,
    }
}

pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the project's folder").to_owned()
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<SourceFile>) {
    const LEFT_OUT: [&str; 5] = [".git", "target", "data", "fixtures", ".env"];
    for entry in fs::read_dir(folder)
        .expect("a folder of the project")
        .flatten()
    {
        let path = entry.path();
        if LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, sources);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let path = path
                .strip_prefix(root)
                .expect("a path under the root")
                .display()
                .to_string();
            sources.push(SourceFile { path, text });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> SourceFile {
        SourceFile {
            path: "crates/x/src/lib.rs".into(),
            text: text.into(),
        }
    }

    #[test]
    fn the_first_segments_of_paths_and_of_nested_groups_are_found() {
        let source = source(
            "use privachat_core::{jobs::{claim, beat}, keys,\n    mode::Mode};\nfn f() { privachat_core::history::open() }",
        );
        let expected = ["history", "jobs", "keys", "mode"].map(String::from).into();
        assert_eq!(source.uses("privachat_core"), expected);
    }

    #[test]
    fn a_longer_name_with_the_same_ending_is_another_root() {
        assert!(source("use my_crate::jobs;").uses("crate").is_empty());
    }

    #[test]
    fn comments_are_not_code_and_addresses_are_not_comments() {
        let source = source("// redis\n/// diesel\nlet a = 1; // tokio\nlet url = \"redis://x\";");
        assert!(
            source.mentions("redis") && !source.mentions("diesel") && !source.mentions("tokio")
        );
    }
}
