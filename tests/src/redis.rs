//! A real redis-server for one test: on a socket in a temporary folder, or on a TCP port.

use std::path::PathBuf;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tempfile::TempDir;

use crate::process::{Process, isolated};
use crate::stack::RedisBackend;
use crate::wait::Polling;

/// How the server is set up; the default is a socket and no persistence.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Append-only file, synced before each reply, as in deployments. Writes survive
    /// [`RedisServer::kill`] and [`RedisServer::restart`].
    pub aof: bool,
    /// On a free TCP port instead of a socket, for uses that need an address, such as a proxy.
    pub tcp: bool,
    /// More arguments for redis-server.
    pub arguments: Vec<String>,
}

#[derive(Debug)]
pub struct RedisServer {
    process: Process,
    options: Options,
    port: u16,
    folder: TempDir,
}

impl RedisServer {
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with_aof() -> Self {
        Self::with(Options {
            aof: true,
            ..Options::default()
        })
        .await
    }

    pub async fn tcp() -> Self {
        Self::with(Options {
            tcp: true,
            ..Options::default()
        })
        .await
    }

    pub async fn with(options: Options) -> Self {
        let folder = TempDir::with_prefix("privachat-redis-").expect("a temporary folder");
        let port = if options.tcp {
            crate::proxy::free_port()
        } else {
            0
        };
        let process = launch(&options, port, &folder);
        let mut server = Self {
            process,
            options,
            port,
            folder,
        };
        server.wait_until_answering().await;
        server
    }

    /// For REDIS_URL.
    pub fn url(&self) -> String {
        if self.options.tcp {
            return format!("redis://127.0.0.1:{}/0", self.port);
        }
        format!("redis+unix://{}", socket(&self.folder).display())
    }

    /// host:port of a [`tcp`](Self::tcp) server.
    pub fn address(&self) -> String {
        assert!(
            self.options.tcp,
            "this Redis listens on a socket: RedisServer::tcp()"
        );
        format!("127.0.0.1:{}", self.port)
    }

    /// The port of a [`tcp`](Self::tcp) server.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection for the test, to inspect keys.
    pub async fn connection(&self) -> MultiplexedConnection {
        self.try_connection()
            .await
            .expect("a connection to the test's Redis")
    }

    /// SIGKILL; the folder stays, for [`restart`](Self::restart).
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts again on the same folder and address. Without AOF all data is lost.
    pub async fn restart(&mut self) {
        self.process.kill();
        self.process = launch(&self.options, self.port, &self.folder);
        self.wait_until_answering().await;
    }

    /// Frozen: connections stay open and get no answers.
    pub fn pause(&mut self) {
        self.process.pause();
    }

    pub fn resume(&mut self) {
        self.process.resume();
    }

    /// Makes every write that needs memory fail, or ends that.
    pub async fn fill(&self, full: bool) {
        let mut limit = redis::cmd("CONFIG");
        limit.arg("SET").arg("maxmemory").arg(u8::from(full));
        let mut connection = self.connection().await;
        let () = limit
            .query_async(&mut connection)
            .await
            .expect("CONFIG SET");
    }

    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    pub async fn try_connection(&self) -> redis::RedisResult<MultiplexedConnection> {
        redis::Client::open(self.url())?
            .get_multiplexed_async_connection()
            .await
    }

    async fn wait_until_answering(&mut self) {
        let polling = Polling::new("the test's redis-server answers", Duration::from_secs(10));
        while !self.answers_ping().await {
            self.assert_installed_and_alive();
            polling.pause().await;
        }
    }

    async fn answers_ping(&self) -> bool {
        let Ok(mut connection) = self.try_connection().await else {
            return false;
        };
        redis::cmd("PING")
            .query_async::<String>(&mut connection)
            .await
            .is_ok()
    }

    fn assert_installed_and_alive(&mut self) {
        // setpriv's own exit codes for a program that is missing or cannot run.
        if let Some(126 | 127) = self.process.exited().and_then(|status| status.code()) {
            panic!("redis-server is not here: apt-get install redis-server (or: make test)");
        }
        self.process.assert_alive();
    }
}

impl RedisBackend for RedisServer {
    fn url(&self) -> String {
        self.url()
    }

    async fn connections(&self) -> Vec<MultiplexedConnection> {
        vec![self.connection().await]
    }
}

fn socket(folder: &TempDir) -> PathBuf {
    folder.path().join("redis.sock")
}

fn launch(options: &Options, port: u16, folder: &TempDir) -> Process {
    let mut command = isolated("redis-server");
    command.args([
        "--port",
        &port.to_string(),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
    ]);
    command.arg("--dir").arg(folder.path());
    command.args([
        "--appendonly",
        if options.aof { "yes" } else { "no" },
        "--appendfsync",
        "always",
    ]);
    command.args(["--maxmemory-policy", "noeviction"]);
    if !options.tcp {
        command.arg("--unixsocket").arg(socket(folder));
    }
    command.args(&options.arguments);
    Process::spawn("redis", command, folder.path())
}
