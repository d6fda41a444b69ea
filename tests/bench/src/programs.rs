//! The programs to start: the service's own binaries, this one in other roles, and the peers.

use privachat_tests::Binaries;
use privachat_tests::process::isolated;
use std::path::PathBuf;
use std::process::Command;

/// The release binaries beside this one.
pub(crate) fn binaries() -> Binaries {
    let path = |name: &str| -> &'static str {
        let path = sibling(name);
        assert!(path.exists(), "{} is not built: make bench", path.display());
        path.display().to_string().leak()
    };
    Binaries {
        api: path("privachat-api"),
        worker: path("privachat-worker"),
    }
}

fn sibling(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("the path of this program");
    this.with_file_name(name)
}

/// This program in the role of `role`.
pub(crate) fn this(role: &str) -> Command {
    let mut command = isolated(sibling("privachat-bench"));
    command.arg(role);
    command
}

/// The folder of installed peers and their sources.
#[derive(Debug, Clone)]
pub(crate) struct Peers {
    pub(crate) installed: PathBuf,
    pub(crate) sources: PathBuf,
}

impl Peers {
    pub(crate) fn here() -> Self {
        let project = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let installed = crate::scale::text("BENCH_PEERS").map(PathBuf::from);
        Self {
            installed: installed.unwrap_or_else(|| project.join("../../target/bench")),
            sources: project.join("peers"),
        }
    }

    /// A program of an installed peer, or the reason why it is missing.
    pub(crate) fn program(&self, path: &str) -> Result<Command, String> {
        let program = self.installed.join(path);
        if program.exists() {
            return Ok(isolated(program));
        }
        let peer = path.split('/').next().unwrap_or_default();
        let reason = self.installed.join(format!("{peer}.missing"));
        Err(std::fs::read_to_string(reason).map_or_else(
            |_| format!("{peer} is not installed"),
            |reason| reason.trim().to_owned(),
        ))
    }

    /// The version of a Python package of a peer.
    fn python(&self, peer: &str, package: &str) -> String {
        let list = self.sources.join(peer).join("requirements.txt");
        let list = std::fs::read_to_string(list).unwrap_or_default();
        let start = format!("{package}==");
        let line = list.lines().find(|line| line.starts_with(&start));
        line.unwrap_or(package).replace("==", " ")
    }

    /// The programs that are compared, with their versions.
    pub(crate) fn versions(&self) -> Vec<(&'static str, String)> {
        let fastapi = [
            "fastapi",
            "pydantic",
            "uvicorn",
            "uvloop",
            "httptools",
            "redis",
            "hiredis",
        ];
        let celery = ["celery", "kombu", "redis"];
        let listed = |peer: &str, packages: &[&str]| {
            let versions = packages.iter().map(|package| self.python(peer, package));
            versions.collect::<Vec<_>>().join(", ")
        };
        let package = self.sources.join("bullmq/package.json");
        let package = std::fs::read(package).unwrap_or_default();
        let package: serde_json::Value = serde_json::from_slice(&package).unwrap_or_default();
        let node = crate::place::first_line("node", &["--version"]);
        let bullmq = ["bullmq", "ioredis"].map(|name| {
            let version = package["dependencies"][name].as_str().unwrap_or("?");
            format!("{name} {version}")
        });
        let python = self.installed.join("celery/bin/python");
        let python = crate::place::first_line(&python.display().to_string(), &["--version"]);
        vec![
            ("Python", python),
            ("FastAPI", listed("fastapi", &fastapi)),
            ("Celery", listed("celery", &celery)),
            ("BullMQ", format!("{}, node {node}", bullmq.join(", "))),
        ]
    }
}
