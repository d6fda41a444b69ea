//! The version of the binaries, and their build.

use std::path::{Path, PathBuf};
use std::process::Command;

use privachat_core::version;
use privachat_tests::{binaries, project_files};

/// The output of a command that must succeed.
fn output(command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn both_binaries_print_their_version_and_revision() {
    for (program, name) in [
        (binaries!().api, "privachat-api"),
        (binaries!().worker, "privachat-worker"),
    ] {
        let says = |revision: &str| {
            let mut command = Command::new(program);
            output(command.env("PRIVACHAT_REVISION", revision).arg("--version"))
        };
        let version = version::VERSION;
        assert_eq!(says("4f2a9c").trim(), format!("{name} {version} (4f2a9c)"));
        assert_eq!(says("").trim(), format!("{name} {version} (unknown)"));
    }
}

/// The build script of `privachat-core`, and a checkout for it.
struct Build {
    folder: tempfile::TempDir,
    script: PathBuf,
}

impl Build {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().join("build-script");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        output(
            Command::new(rustc)
                .args(["--edition", "2024", "-o"])
                .arg(&script)
                .arg(project_files::root().join("crates/core/build.rs")),
        );
        Self { folder, script }
    }

    fn git(&self, folder: &Path, arguments: &[&str]) -> String {
        let shown = output(
            Command::new("git")
                .current_dir(folder)
                .env("GIT_CEILING_DIRECTORIES", self.folder.path())
                .args(["-c", "user.name=a", "-c", "user.email=a@example.invalid"])
                .args(arguments),
        );
        shown.trim().to_owned()
    }

    /// The revision that the script passes to the compiler in `folder`.
    fn revision(&self, folder: &Path, profile: &str) -> String {
        let mut command = Command::new(&self.script);
        command
            .current_dir(folder)
            .env("GIT_CEILING_DIRECTORIES", self.folder.path())
            .env("PRIVACHAT_REVISION", "not for the compiler")
            .env("PROFILE", profile);
        let shown = output(&mut command);
        assert!(!shown.contains("not for the compiler"), "{shown}");
        let mut lines = shown.lines();
        let found = lines.find_map(|line| line.strip_prefix("cargo::rustc-env=BUILT_FROM="));
        found.expect("a version").to_owned()
    }
}

#[test]
fn a_release_build_contains_its_commit_also_in_a_second_worktree_and_a_debug_build_none() {
    let build = Build::new();
    let checkout = build.folder.path().join("checkout");
    std::fs::create_dir(&checkout).expect("a folder");
    let nowhere = build.revision(&checkout, "release");
    assert_eq!(nowhere, "unknown", "there is no git");

    build.git(&checkout, &["init", "-q"]);
    build.git(&checkout, &["commit", "-q", "--allow-empty", "-m", "one"]);
    build.git(&checkout, &["worktree", "add", "-q", "../second"]);
    let commit = build.git(&checkout, &["rev-parse", "--short=12", "HEAD"]);
    for folder in [&checkout, &build.folder.path().join("second")] {
        let known = build.revision(folder, "release");
        assert_eq!(known, commit);
    }
    let debug = build.revision(&checkout, "debug");
    assert_eq!(
        debug, "unknown",
        "each commit would compile everything anew"
    );
}

#[test]
fn all_files_name_the_same_compiler() {
    let toolchain = project_files::file("rust-toolchain.toml").text;
    let pinned = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("channel = \"")?.strip_suffix('"'))
        .expect("a channel");
    let (minor, _patch) = pinned.rsplit_once('.').expect("three numbers");

    let workspace = project_files::file("Cargo.toml").text;
    assert!(workspace.contains(&format!("rust-version = \"{minor}\"")));
    let image = project_files::file("deploy/Dockerfile").text;
    assert!(image.contains(&format!("FROM rust:{pinned}-slim-")));
}
