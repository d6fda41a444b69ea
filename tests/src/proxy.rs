//! A TCP proxy between a program and a server, to make the network bad: latency, cuts, black holes,
//! and a reply that is lost on its way. Threads, not tasks: a busy test runtime does not delay it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often a stalled connection looks whether it may go on.
const TICK: Duration = Duration::from_millis(5);

/// Forwards `address()` to the server it was started for; dropping it cuts every connection.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    latency: Duration,
    black_hole: bool,
    refusing: bool,
    swallow_replies: usize,
    stopped: bool,
    accepted: usize,
    swallowed: usize,
    connections: Vec<TcpStream>,
}

impl Proxy {
    /// In front of `target`, host:port.
    pub fn start(target: impl Into<String>) -> Self {
        let target = target.into();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the proxy");
        let address = listener.local_addr().expect("the proxy's address");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let acceptor = thread::spawn(move || accept(&listener, &target, &shared));
        Self {
            address,
            state,
            acceptor: Some(acceptor),
        }
    }

    /// Where the program under test connects.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Holds back each chunk, in both directions, for this long.
    pub fn latency(&self, latency: Duration) {
        self.lock().latency = latency;
    }

    /// Everything stays open and nothing arrives; bytes wait until `false`.
    pub fn black_hole(&self, on: bool) {
        self.lock().black_hole = on;
    }

    /// New connections are closed at once.
    pub fn refuse(&self, on: bool) {
        self.lock().refusing = on;
    }

    /// Closes every connection.
    pub fn cut(&self) {
        for connection in self.lock().connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// The server gets the next request and does it; its reply never arrives, and the connection is
    /// cut. Once per call.
    pub fn swallow_reply(&self) {
        self.lock().swallow_replies += 1;
    }

    /// Replies swallowed so far.
    pub fn swallowed(&self) -> usize {
        self.lock().swallowed
    }

    /// Connections accepted so far.
    pub fn accepted(&self) -> usize {
        self.lock().accepted
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.lock().stopped = true;
        self.cut();
        // Wakes the acceptor.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

/// A port that nothing listened on a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, target: &str, state: &Arc<Mutex<State>>) {
    for client in listener.incoming().flatten() {
        let mut current = lock(state);
        if current.stopped {
            return;
        }
        current.accepted += 1;
        if current.refusing {
            continue;
        }
        let Ok(server) = TcpStream::connect(target) else {
            continue;
        };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let ends = [&client, &server, &client, &server].map(TcpStream::try_clone);
        let [
            Ok(from_client),
            Ok(from_server),
            Ok(to_client),
            Ok(to_server),
        ] = ends
        else {
            continue;
        };
        current.connections.extend([client, server]);
        drop(current);
        let (up, down) = (Arc::clone(state), Arc::clone(state));
        thread::spawn(move || forward(from_client, to_server, &up, Direction::Up));
        thread::spawn(move || forward(from_server, to_client, &down, Direction::Down));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

fn forward(mut from: TcpStream, mut to: TcpStream, state: &Mutex<State>, direction: Direction) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        let latency = lock(state).latency;
        if !latency.is_zero() {
            thread::sleep(latency);
        }
        while blocked(state) {
            thread::sleep(TICK);
        }
        if direction == Direction::Down && swallows(state) {
            break;
        }
        let Some(chunk) = buffer.get(..read) else {
            break;
        };
        if to.write_all(chunk).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn blocked(state: &Mutex<State>) -> bool {
    let state = lock(state);
    state.black_hole && !state.stopped
}

fn swallows(state: &Mutex<State>) -> bool {
    let mut state = lock(state);
    if state.swallow_replies == 0 {
        return false;
    }
    state.swallow_replies -= 1;
    state.swallowed += 1;
    true
}
