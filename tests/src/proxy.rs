//! A TCP proxy between a program and a server that simulates a bad network: latency, cuts, black
//! holes, lost replies. It uses threads, not tasks, so that a busy test runtime does not delay it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often a stalled connection checks whether it may continue.
const TICK: Duration = Duration::from_millis(5);

/// Forwards `address()` to its target; dropping it cuts every connection.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    latency: Duration,
    hole_up: bool,
    hole_down: bool,
    refusing: bool,
    swallow_replies: usize,
    swallow_patterns: Vec<Vec<u8>>,
    stopped: bool,
    accepted: usize,
    swallowed: usize,
    connections: Vec<TcpStream>,
}

impl Proxy {
    /// Starts it in front of `target`, host:port.
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

    /// Delays each chunk, in both directions, by this time.
    pub fn latency(&self, latency: Duration) {
        self.lock().latency = latency;
    }

    /// Connections stay open and nothing arrives; bytes wait until `false`.
    pub fn black_hole(&self, on: bool) {
        self.black_hole_towards(Direction::Up, on);
        self.black_hole_towards(Direction::Down, on);
    }

    /// A black hole in one direction only.
    pub fn black_hole_towards(&self, direction: Direction, on: bool) {
        let mut state = self.lock();
        match direction {
            Direction::Up => state.hole_up = on,
            Direction::Down => state.hole_down = on,
        }
    }

    /// Closes new connections at once.
    pub fn refuse(&self, on: bool) {
        self.lock().refusing = on;
    }

    /// Closes every connection.
    pub fn cut(&self) {
        for connection in self.lock().connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// The server receives and executes the next request; its reply is dropped and the connection
    /// is cut. Once per call.
    pub fn swallow_reply(&self) {
        self.lock().swallow_replies += 1;
    }

    /// Drops the first reply that contains `pattern`, with the rest of its packet, and cuts its
    /// connection. Once per call, until [`swallow_nothing`](Self::swallow_nothing).
    pub fn swallow_reply_with(&self, pattern: impl Into<Vec<u8>>) {
        self.lock().swallow_patterns.push(pattern.into());
    }

    /// Cancels the pending swallows.
    pub fn swallow_nothing(&self) {
        let mut state = self.lock();
        state.swallow_replies = 0;
        state.swallow_patterns.clear();
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

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
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

/// The direction of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the program to the server.
    Up,
    /// From the server to the program.
    Down,
}

/// Reads here and delivers on a separate thread: latency delays each chunk but does not add up.
fn forward(mut from: TcpStream, to: TcpStream, state: &Arc<Mutex<State>>, direction: Direction) {
    let (chunks, arriving) = channel::<(Instant, Vec<u8>)>();
    let delivering = {
        let state = Arc::clone(state);
        let from = from.try_clone();
        thread::spawn(move || {
            deliver(&arriving, &to, &state, direction);
            let _ = to.shutdown(Shutdown::Both);
            let _ = from.map(|from| from.shutdown(Shutdown::Both));
        })
    };
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        let due = Instant::now() + lock(state).latency;
        let Some(chunk) = buffer.get(..read) else {
            break;
        };
        if chunks.send((due, chunk.to_owned())).is_err() {
            break;
        }
    }
    drop(chunks);
    let _ = delivering.join();
}

fn deliver(
    arriving: &Receiver<(Instant, Vec<u8>)>,
    mut to: &TcpStream,
    state: &Mutex<State>,
    direction: Direction,
) {
    for (due, chunk) in arriving {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        while blocked(state, direction) {
            thread::sleep(TICK);
        }
        if direction == Direction::Down && swallows(state, &chunk) {
            return;
        }
        if to.write_all(&chunk).is_err() {
            return;
        }
    }
}

fn blocked(state: &Mutex<State>, direction: Direction) -> bool {
    let state = lock(state);
    let hole = match direction {
        Direction::Up => state.hole_up,
        Direction::Down => state.hole_down,
    };
    hole && !state.stopped
}

fn swallows(state: &Mutex<State>, chunk: &[u8]) -> bool {
    let mut state = lock(state);
    if state.swallow_replies > 0 {
        state.swallow_replies -= 1;
    } else {
        let contains = |pattern: &Vec<u8>| chunk.windows(pattern.len()).any(|part| part == pattern);
        let Some(first) = state.swallow_patterns.iter().position(contains) else {
            return false;
        };
        state.swallow_patterns.remove(first);
    }
    state.swallowed += 1;
    true
}
