//! A real Postgres, shared by the tests that run at the same time; each test gets its own database.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::process::{Process, isolated};
use crate::proxy::free_port;
use crate::wait::Polling;

/// Weak: a static is never dropped; the last test that uses the server stops it.
static SHARED: Mutex<Weak<PostgresServer>> = Mutex::const_new(Weak::new());

#[derive(Debug)]
pub struct PostgresServer {
    process: std::sync::Mutex<Process>,
    port: u16,
    programs: PathBuf,
    databases: AtomicUsize,
    _folder: TempDir,
}

impl PostgresServer {
    /// The shared server. Do not stop it.
    pub async fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().await;
        if let Some(server) = shared.upgrade() {
            return server;
        }
        let server = Arc::new(Self::start().await);
        *shared = Arc::downgrade(&server);
        server
    }

    /// A server of this test alone, to pause or kill.
    pub async fn start() -> Self {
        let folder = TempDir::with_prefix("privachat-postgres-").expect("a temporary folder");
        let programs = programs();
        let account = Account::new();
        account.own(folder.path());
        let data = folder.path().join("data");

        let mut initdb = account.command(&programs.join("initdb"));
        initdb.args([
            "--auth=trust",
            "--username=privachat",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "-D",
        ]);
        run(initdb.arg(&data));

        let port = free_port();
        let mut command = account.command(&programs.join("postgres"));
        command.arg("-D").arg(&data).args([
            "-p",
            &port.to_string(),
            "-c",
            "listen_addresses=127.0.0.1",
        ]);
        command
            .args(["-c", "fsync=off", "-c", "full_page_writes=off", "-k"])
            .arg(folder.path());
        let mut process = Process::spawn("postgres", command, folder.path());
        let polling = Polling::new("the test's Postgres answers", Duration::from_secs(30));
        let mut ready = isolated(programs.join("pg_isready"));
        ready.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
        while !ready.status().is_ok_and(|status| status.success()) {
            process.assert_alive();
            polling.pause().await;
        }
        let process = std::sync::Mutex::new(process);
        Self {
            process,
            port,
            programs,
            databases: AtomicUsize::new(0),
            _folder: folder,
        }
    }

    /// Creates an empty database; returns its address, for DATABASE_URL.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let port = self.port.to_string();
        let mut create = isolated(self.programs.join("createdb"));
        run(create.args(["-h", "127.0.0.1", "-p", &port, "-U", "privachat", &name]));
        format!("postgres://privachat@127.0.0.1:{port}/{name}")
    }

    /// Runs one SQL statement; returns its rows as lines, columns separated by `|`.
    pub fn query(&self, database_url: &str, sql: &str) -> String {
        let mut psql = isolated(self.programs.join("psql"));
        run(psql.args(["-X", "-A", "-t", "-q", "-d", database_url, "-c", sql]))
    }

    pub fn pause(&self) {
        self.process.lock().expect("the server").pause();
    }

    pub fn resume(&self) {
        self.process.lock().expect("the server").resume();
    }

    pub fn kill(&self) {
        self.process.lock().expect("the server").kill();
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // Its processes have their own sessions: only Postgres itself can end them all.
        if let Ok(process) = self.process.get_mut() {
            process.resume();
            process.quit(Duration::from_secs(5));
        }
    }
}

/// Debian keeps the server's programs out of PATH; the newest version is used.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let debian = versions.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((version, entry.path().join("bin")))
    });
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    debian
        .max()
        .map(|(_, folder)| folder)
        .into_iter()
        .chain(std::env::split_paths(&in_path))
        .find(|folder| folder.join("initdb").exists())
        .expect("Postgres is not here: apt-get install postgresql (or: make test)")
}

/// Postgres refuses to run as root: then it runs as the account that its package created.
struct Account(Option<(u32, u32)>);

impl Account {
    fn new() -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self(None);
        }
        let accounts = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd");
        let ids = accounts.lines().find_map(|line| {
            let mut fields = line.strip_prefix("postgres:")?.split(':').skip(1);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        });
        Self(Some(ids.expect(
            "root needs the account postgres to run Postgres as: apt-get install postgresql",
        )))
    }

    fn own(&self, folder: &Path) {
        if let Some((user, group)) = self.0 {
            chown(folder, Some(user), Some(group)).expect("the folder for the postgres account");
        }
    }

    fn command(&self, program: &Path) -> Command {
        let Some((user, group)) = self.0 else {
            return isolated(program);
        };
        let mut command = isolated("setpriv");
        command.args([
            "--reuid",
            &user.to_string(),
            "--regid",
            &group.to_string(),
            "--clear-groups",
        ]);
        // Set again: a change of account clears it.
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("a program of Postgres starts");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Makes two tests of each function that takes a stack's builder: on SQLite and on Postgres.
#[macro_export]
macro_rules! on_both_databases {
    ($($body:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $body() {
                super::$body($crate::Stack::builder($crate::binaries!())).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $body() {
                let server = $crate::PostgresServer::shared().await;
                let builder = $crate::Stack::builder($crate::binaries!());
                super::$body(builder.env("DATABASE_URL", server.database())).await;
            })+
        }
    };
}
