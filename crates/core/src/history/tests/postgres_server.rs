//! A Postgres server for tests: in a temporary folder, on a Unix socket, without a port.

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use std::fs::Permissions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;
use uuid::Uuid;

/// Starts the server, prints "up", and stops the server when its input ends: it ends with the test
/// process even after a crash. Deletes the folder unless the input is "keep".
const GUARD_SCRIPT: &str = r#"
trap '' INT
"$1/pg_ctl" start -D "$2/data" -w -t 60 -l "$2/log" >/dev/null \
    -o "$3 -c unix_socket_directories=$2 -c fsync=off -c max_connections=200" \
    || { cat "$2/log" >&2; exit 1; }
echo up
read -r word || word=
"$1/pg_ctl" stop -D "$2/data" -m immediate -w >/dev/null
[ "$word" = keep ] || rm -rf "$2"
"#;

pub(super) struct PostgresServer {
    folder: TempDir,
    bin: PathBuf,
    user: Option<(u32, u32)>,
    guard: Option<Child>,
    options: String,
    port: u16,
}

/// The server that all tests share; each test has its own database.
pub(super) fn shared() -> &'static PostgresServer {
    static SERVER: OnceLock<PostgresServer> = OnceLock::new();
    SERVER.get_or_init(|| {
        let mut server = PostgresServer::new();
        server.start();
        server
    })
}

impl PostgresServer {
    /// Creates the data folder; does not start the server.
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let user = user_to_run_as();
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let server = Self {
            bin: bin_folder(),
            folder,
            user,
            guard: None,
            options: "-c listen_addresses=".to_owned(),
            port: 5432,
        };
        let output = server
            .command(server.bin.join("initdb"))
            .args([
                "-U",
                "tester",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
                "--no-sync",
                "-D",
            ])
            .arg(server.folder.path().join("data"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        server
    }

    /// Makes the server listen on the network, too, from the next start.
    pub(super) fn listen(&mut self, port: u16, options: &str) {
        self.port = port;
        self.options = format!("-c listen_addresses=127.0.0.1 -c port={port} {options}");
    }

    /// Writes a file that only the server may read into the data folder.
    pub(super) fn write(&self, name: &str, content: &str) {
        let path = self.folder.path().join("data").join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        if let Some((uid, gid)) = self.user {
            chown(&path, Some(uid), Some(gid)).unwrap();
        }
    }

    pub(super) fn start(&mut self) {
        let mut keeper = self
            .command("/bin/sh")
            .args(["-c", GUARD_SCRIPT, "keeper"])
            .arg(&self.bin)
            .arg(self.folder.path())
            .arg(&self.options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = keeper.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert_eq!(line, "up\n", "Postgres did not start");
        self.guard = Some(keeper);
    }

    pub(super) fn stop(&mut self) {
        let Some(mut keeper) = self.guard.take() else {
            return;
        };
        keeper.stdin.take().unwrap().write_all(b"keep\n").unwrap();
        keeper.wait().unwrap();
    }

    pub(super) fn url(&self, database: &str) -> String {
        let socket = self.folder.path().to_str().unwrap().replace('/', "%2F");
        format!(
            "postgres://tester:hunter2@{socket}:{}/{database}",
            self.port
        )
    }

    /// Creates an empty database; returns its URL.
    pub(super) async fn database(&self) -> String {
        let name = format!("t{}", Uuid::new_v4().simple());
        self.execute("postgres", &format!("CREATE DATABASE {name}"))
            .await;
        self.url(&name)
    }

    pub(super) async fn execute(&self, database: &str, sql: &str) {
        let mut connection = AsyncPgConnection::establish(&self.url(database))
            .await
            .unwrap();
        connection.batch_execute(sql).await.unwrap();
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn bin_folder() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    debian.sort();
    debian
        .into_iter()
        .rev()
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
        .expect("these tests need Postgres: apt-get install postgresql")
}

/// Postgres refuses to run as root.
fn user_to_run_as() -> Option<(u32, u32)> {
    if Path::new("/proc/self").metadata().ok()?.uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let ids = |name: &str| {
        let line = users
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let ids = ids("postgres").or_else(|| ids("nobody"));
    Some(ids.expect("as root, these tests need a user postgres or nobody"))
}
