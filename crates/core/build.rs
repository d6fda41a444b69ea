//! Tells the code which revision it is built from: `version::revision`.
//!
//! Git is asked, for release builds only: in a debug build each commit would compile the workspace anew. Where
//! there is no git, as in the build of a container image, nothing is told; the image says it at run time.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let revision = release.then(from_git).flatten();
    let revision = revision.as_deref().unwrap_or("unknown");
    println!("cargo::rustc-env=BUILT_FROM={revision}");
}

/// The commit that is checked out; `None` outside a git checkout or without git.
fn from_git() -> Option<String> {
    let revision = git(&["rev-parse", "--short=12", "HEAD"])?;
    // HEAD changes with a switch of branches, its log with every commit; both may lie elsewhere than .git.
    for name in ["HEAD", "logs/HEAD"] {
        let file = git(&["rev-parse", "--git-path", name])?;
        if Path::new(&file).exists() {
            println!("cargo::rerun-if-changed={file}");
        }
    }
    Some(revision)
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}
