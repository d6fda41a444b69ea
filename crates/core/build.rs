//! Compiles the git revision into the binary, for `version::revision`.
//!
//! Only release builds run git: in debug builds each commit would recompile the workspace. Without
//! git, as in the build of a container image, the revision is `unknown`; the image sets it at run
//! time.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let revision = release.then(from_git).flatten();
    let revision = revision.as_deref().unwrap_or("unknown");
    println!("cargo::rustc-env=BUILT_FROM={revision}");
}

/// The checked-out commit; `None` outside a git checkout or without git.
fn from_git() -> Option<String> {
    let revision = git(&["rev-parse", "--short=12", "HEAD"])?;
    // HEAD changes with the branch, its log with every commit. Git may keep both outside .git.
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
