//! A load balancer in front of several APIs. Every 100 ms it asks each API for `/readyz`, and sends
//! new requests to the ready ones in turn; open requests may finish. It retries nothing: when an
//! API does not answer a request that was sent to it, the client gets the error.

mod message;

use std::io::Result;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::eventually;
use message::{Body, Head};

const CHECK_INTERVAL: Duration = Duration::from_millis(100);
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);
const NO_BACKEND: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
const BAD_GATEWAY: &[u8] = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n";

/// What the balancer distributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Requests, as nginx does: it keeps its own connections to the APIs open, and skips an API
    /// that refuses a connection, since nothing was sent yet.
    Request,
    /// Connections, as a Service of Kubernetes does: a client stays with its API until one of the
    /// two closes.
    Connection,
}

/// Stopped when dropped, with every connection.
#[derive(Debug)]
pub struct Balancer {
    address: SocketAddr,
    backends: Arc<Backends>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Backends {
    all: Vec<Backend>,
    turn: AtomicUsize,
}

#[derive(Debug)]
struct Backend {
    address: SocketAddr,
    is_ready: AtomicBool,
    /// Idle connections for the next request.
    idle: Mutex<Vec<BufReader<TcpStream>>>,
}

impl Balancer {
    /// Starts it in front of `apis`, each `http://<host>:<port>`; waits until all are ready.
    pub async fn start(unit: Unit, apis: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let backend = |base: &&str| Backend {
            address: base
                .trim_start_matches("http://")
                .parse()
                .expect("an address"),
            is_ready: AtomicBool::new(false),
            idle: Mutex::default(),
        };
        let backends = Arc::new(Backends {
            all: apis.iter().map(backend).collect(),
            turn: AtomicUsize::new(0),
        });
        let serving = tokio::spawn(serve(listener, unit, Arc::clone(&backends)));
        let balancer = Self {
            address,
            backends,
            serving,
        };
        balancer.wait_until_all_ready().await;
        balancer
    }

    /// `http://<host>:<port>`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until every API was ready at its last probe.
    pub async fn wait_until_all_ready(&self) {
        let within = Duration::from_secs(20);
        eventually("the balancer sees every API ready", within, async || {
            let all = &self.backends.all;
            all.iter().all(Backend::is_ready).then_some(())
        })
        .await;
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, unit: Unit, backends: Arc<Backends>) {
    // Dropped with this task, and with it every connection's task.
    let mut tasks = JoinSet::new();
    for number in 0..backends.all.len() {
        let backends = Arc::clone(&backends);
        tasks.spawn(async move { backends.all[number].check().await });
    }
    while let Ok((client, _)) = listener.accept().await {
        let backends = Arc::clone(&backends);
        tasks.spawn(async move {
            let _ = client.set_nodelay(true);
            // An error ends the connection too: the other side sees it close.
            let _ = match unit {
                Unit::Request => backends.forward_requests(client).await,
                Unit::Connection => backends.forward_connection(client).await,
            };
        });
    }
}

impl Backend {
    fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::SeqCst)
    }

    async fn check(&self) {
        let mut turns = interval(CHECK_INTERVAL);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            let says = timeout(CHECK_TIMEOUT, self.readiness_status()).await;
            let is_ready = matches!(says, Ok(Ok(200)));
            self.is_ready.store(is_ready, Ordering::SeqCst);
        }
    }

    async fn readiness_status(&self) -> Result<u16> {
        let mut connection = TcpStream::connect(self.address).await?;
        let question = b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        connection.write_all(question).await?;
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).await?;
        let head = Head::read(&mut answer.as_slice()).await?;
        head.ok_or(std::io::ErrorKind::UnexpectedEof)?.status()
    }

    /// An idle connection that is still open, or a new one.
    async fn connection(&self) -> Result<BufReader<TcpStream>> {
        while let Some(idle) = self.lock().pop() {
            let closed = idle.get_ref().try_read(&mut [0]);
            if closed.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock) {
                return Ok(idle);
            }
        }
        let new = TcpStream::connect(self.address).await?;
        new.set_nodelay(true)?;
        Ok(BufReader::new(new))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<BufReader<TcpStream>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backends {
    /// The ready APIs, beginning with the one whose turn it is.
    fn ready(&self) -> impl Iterator<Item = &Backend> {
        let turn = self.turn.fetch_add(1, Ordering::SeqCst);
        let (behind, first) = self.all.split_at(turn % self.all.len());
        first.iter().chain(behind).filter(|it| it.is_ready())
    }

    async fn forward_connection(&self, mut client: TcpStream) -> Result<()> {
        let Some(backend) = self.ready().next() else {
            return Ok(());
        };
        let mut server = TcpStream::connect(backend.address).await?;
        server.set_nodelay(true)?;
        copy_bidirectional(&mut client, &mut server).await?;
        Ok(())
    }

    async fn forward_requests(&self, client: TcpStream) -> Result<()> {
        let mut client = BufReader::new(client);
        while let Some(mut head) = Head::read(&mut client).await? {
            head.take_close();
            let mut body = Vec::new();
            let length = head.body_of_request();
            length.copy(&mut client, &mut body).await?;
            let Some((backend, mut server)) = self.connection().await else {
                client.write_all(NO_BACKEND).await?;
                continue;
            };
            let answer = match ask(&mut server, &head, &body).await {
                Ok(answer) => answer,
                Err(_lost) => {
                    client.write_all(BAD_GATEWAY).await?;
                    continue;
                }
            };
            if answer.pass(&mut server, &mut client).await? {
                backend.lock().push(server);
            }
        }
        Ok(())
    }

    /// To the first API that accepts it.
    async fn connection(&self) -> Option<(&Backend, BufReader<TcpStream>)> {
        for backend in self.ready() {
            if let Ok(connection) = backend.connection().await {
                return Some((backend, connection));
            }
        }
        None
    }
}

struct Response {
    head: Head,
    body: Body,
    is_kept: bool,
}

/// Sends a request and reads the head of its answer.
async fn ask(server: &mut BufReader<TcpStream>, head: &Head, body: &[u8]) -> Result<Response> {
    head.write(server).await?;
    server.write_all(body).await?;
    let head = Head::read(server).await?;
    let mut head = head.ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let body = head.body_of_answer()?;
    let is_kept = !head.take_close() && !matches!(body, Body::UntilClosed);
    Ok(Response {
        head,
        body,
        is_kept,
    })
}

impl Response {
    /// Forwards a message; returns whether its connection takes another request.
    async fn pass(
        self,
        server: &mut BufReader<TcpStream>,
        client: &mut BufReader<TcpStream>,
    ) -> Result<bool> {
        self.head.write(client).await?;
        self.body.copy(server, client).await?;
        Ok(self.is_kept)
    }
}
