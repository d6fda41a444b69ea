//! Doubles of the servers that the service calls. Each is a small HTTP server that counts its
//! calls, notes when it sent its last byte, and can be slow or broken as a test wants; its sound
//! bodies are those of real servers.

pub mod collector;
pub mod faulty;
mod http;
pub mod mediawiki;
pub mod model;
pub mod perplexity;
mod reply;
pub mod rerank;
pub mod searxng;
pub mod serper;
pub mod site;

use std::collections::VecDeque;
use std::fmt;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub use http::Request;
pub use reply::{Reply, Step};

use crate::wait::eventually;

type Handler = Box<dyn Fn(&Request) -> Reply + Send + Sync>;

/// A server on a free local port; stopped when dropped, with stuck connections.
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    handler: Handler,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Replies to send before the handler is called again.
    scripted: VecDeque<Reply>,
    requests: Vec<Request>,
    last_byte: Option<Instant>,
    abandoned: Vec<(Request, Instant)>,
    accepted: usize,
    open: usize,
    most_open: usize,
    stopped: bool,
}

impl Upstream {
    /// Answers each request with the result of `handler`.
    pub fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::on_host("127.0.0.1", handler)
    }

    /// At another address of this machine, such as `127.0.0.2`: a different host for limits per
    /// host.
    pub fn on_host(
        host: &str,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((host, 0)).expect("a port for the double");
        let address = listener.local_addr().expect("the double's address");
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            seen: Mutex::default(),
        });
        let for_acceptor = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&listener, &for_acceptor));
        Self {
            address,
            shared,
            acceptor: Some(acceptor),
        }
    }

    /// Answers every request with the same reply.
    pub fn always(reply: Reply) -> Self {
        Self::start(move |_| reply.clone())
    }

    /// `http://<host>:<port>`, for the `*_BASE_URL` settings.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `http://<host>:<port><path>`
    pub fn url_for(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers the next request with `reply`; several calls queue up.
    pub fn next(&self, reply: Reply) {
        self.lock().scripted.push_back(reply);
    }

    /// Requests so far.
    pub fn calls(&self) -> usize {
        self.lock().requests.len()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.lock().requests.clone()
    }

    /// When the last byte of the newest complete reply was handed to the network.
    pub fn last_byte(&self) -> Option<Instant> {
        self.lock().last_byte
    }

    /// Replies whose client hung up before their end.
    pub fn abandoned(&self) -> usize {
        self.lock().abandoned.len()
    }

    /// The requests whose clients hung up, and when (noticed within 10 ms).
    pub fn abandonments(&self) -> Vec<(Request, Instant)> {
        self.lock().abandoned.clone()
    }

    /// Connections so far; one takes many requests.
    pub fn connections(&self) -> usize {
        self.lock().accepted
    }

    /// The most connections that were open at the same time, with idle ones.
    pub fn most_open(&self) -> usize {
        self.lock().most_open
    }

    /// Waits until it has received `count` requests.
    pub async fn wait_for_calls(&self, count: usize) {
        let what = format!("the double at {} gets {count} requests", self.address);
        eventually(&what, Duration::from_secs(20), async || {
            (self.calls() >= count).then_some(())
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.shared.lock()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reply_to(&self, request: &Request) -> Reply {
        let scripted = {
            let mut seen = self.lock();
            seen.requests.push(request.clone());
            seen.scripted.pop_front()
        };
        scripted.unwrap_or_else(|| (self.handler)(request))
    }

    /// Serves one request after the other, until either side hangs up.
    fn serve(&self, mut connection: TcpStream) {
        while http::has_request(&connection, || self.lock().stopped) {
            let Some(request) = http::read(&mut connection) else {
                return;
            };
            let reply = self.reply_to(&request);
            let outcome = reply.send(&mut connection, request.method == "HEAD", || {
                self.lock().stopped
            });
            let mut seen = self.lock();
            match outcome {
                reply::Sent::Whole => seen.last_byte = Some(Instant::now()),
                reply::Sent::Last => {
                    seen.last_byte = Some(Instant::now());
                    return;
                }
                reply::Sent::Cut => return,
                reply::Sent::Abandoned => {
                    seen.abandoned.push((request, Instant::now()));
                    return;
                }
            }
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for connection in listener.incoming().flatten() {
        {
            let mut seen = shared.lock();
            if seen.stopped {
                return;
            }
            seen.accepted += 1;
            seen.open += 1;
            seen.most_open = seen.most_open.max(seen.open);
        }
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            shared.serve(connection);
            shared.lock().open -= 1;
        });
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.lock().stopped = true;
        // Wakes the acceptor.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Upstream")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
