//! Limits for connections: how many there are, and how long a peer may leave sent bytes
//! unacknowledged.

use actix_web::{dev::Extensions, rt::net::TcpStream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::SockRef;
use std::{any::Any, time::Duration};

/// How long sent bytes may stay unacknowledged, or the peer's window closed, before the kernel
/// closes the connection. Heartbeats keep bytes in transit on idle event streams.
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(30);

/// Below this many open files, subscribers may be refused.
const MIN_OPEN_FILES: u64 = 16_384;

/// Open files reserved for Redis, the database and the log.
const RESERVED_OPEN_FILES: u64 = 256;

/// Connections of a thread; it cannot serve more.
const MAX_CONNECTIONS_PER_THREAD: u64 = 25_000;

/// Connections for each of `threads`, so that open files are left for Redis and the database. More
/// clients wait in the kernel's accept queue.
pub(crate) fn max_per_thread(threads: usize) -> usize {
    connections_per_thread(getrlimit(Resource::Nofile).current, threads)
}

fn connections_per_thread(files: Option<u64>, threads: usize) -> usize {
    let threads = u64::try_from(threads).unwrap_or(u64::MAX).max(1);
    let share = files.map_or(MAX_CONNECTIONS_PER_THREAD, |files| {
        files.saturating_sub(RESERVED_OPEN_FILES) / threads
    });
    usize::try_from(share.clamp(1, MAX_CONNECTIONS_PER_THREAD)).unwrap_or(1)
}

/// Raises the soft limit of open files to the hard limit.
pub(crate) fn raise_open_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
    if let Some(files) = getrlimit(Resource::Nofile)
        .current
        .filter(|files| *files < MIN_OPEN_FILES)
    {
        tracing::warn!(
            files,
            "few open files are allowed, and each subscriber needs one: raise the hard limit (ulimit -Hn, LimitNOFILE)"
        );
    }
}

/// Sets two options of a new connection. TCP_USER_TIMEOUT closes it when the peer stops reading; a
/// peer with a closed window acknowledges probes, so keep-alive does not notice. TCP_NODELAY sends
/// each event at once; Nagle's algorithm would delay it by a round trip.
pub(crate) fn configure_socket(connection: &dyn Any, _extensions: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else {
        return;
    };
    let socket = SockRef::from(stream);
    if let Err(error) = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_TIMEOUT)) {
        tracing::debug!(%error, "cannot set TCP_USER_TIMEOUT");
    }
    if let Err(error) = socket.set_tcp_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::rt::net::TcpListener;

    #[actix_web::test]
    async fn a_connection_has_no_delay_and_a_user_timeout() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let _client = TcpStream::connect(address).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        configure_socket(&accepted, &mut Extensions::new());
        let socket = SockRef::from(&accepted);
        assert!(socket.tcp_nodelay().unwrap());
        assert_eq!(
            socket.tcp_user_timeout().unwrap(),
            Some(UNACKNOWLEDGED_TIMEOUT)
        );
    }

    #[test]
    fn connections_leave_open_files_for_redis_and_the_database() {
        assert_eq!(connections_per_thread(Some(1_024), 2), 384);
        assert_eq!(connections_per_thread(Some(1_048_576), 4), 25_000);
        assert_eq!(connections_per_thread(None, 4), 25_000);
        assert_eq!(connections_per_thread(Some(64), 8), 1);
    }
}
