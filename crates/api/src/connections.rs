//! What connections may cost: how many there can be, and how long a peer may leave unread what it
//! was sent.

use actix_web::{dev::Extensions, rt::net::TcpStream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::SockRef;
use std::{any::Any, time::Duration};

/// How long sent bytes may stay unacknowledged, or the peer's window closed, before the kernel ends
/// the connection. Heartbeats see to it that something is always sent.
const UNREAD: Duration = Duration::from_secs(30);

/// Below this many open files, listeners may find no place.
const FEW: u64 = 16_384;

/// Open files for all else: Redis, the database, the log.
const KEPT: u64 = 256;

/// More than one thread can serve.
const MOST: u64 = 25_000;

/// How many connections each of `threads` may have, so that there is a file left for Redis and the
/// database when all are taken. Who comes then waits in the kernel's queue.
pub(crate) fn most(threads: usize) -> usize {
    share(getrlimit(Resource::Nofile).current, threads)
}

fn share(files: Option<u64>, threads: usize) -> usize {
    let threads = u64::try_from(threads).unwrap_or(u64::MAX).max(1);
    let share = files.map_or(MOST, |files| files.saturating_sub(KEPT) / threads);
    usize::try_from(share.clamp(1, MOST)).unwrap_or(1)
}

/// Raises the limit of open files to what the process is allowed.
pub(crate) fn raise_limit() {
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
        .filter(|files| *files < FEW)
    {
        tracing::warn!(
            files,
            "few open files are allowed, and each listener needs one: raise the hard limit (ulimit -Hn, LimitNOFILE)"
        );
    }
}

/// Has the kernel end connections whose peer does not read, as nothing else would: a peer with a
/// closed window answers its probes for ever. And has it send each event at once: by itself it keeps
/// one back until the peer has acknowledged the one before, which is a round trip.
pub(crate) fn set_up(connection: &dyn Any, _extensions: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else {
        return;
    };
    let socket = SockRef::from(stream);
    if let Err(error) = socket.set_tcp_user_timeout(Some(UNREAD)) {
        tracing::debug!(%error, "no timeout for a peer that does not read");
    }
    if let Err(error) = socket.set_tcp_nodelay(true) {
        tracing::debug!(%error, "events may be kept back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::rt::net::TcpListener;

    #[actix_web::test]
    async fn what_is_sent_waits_for_no_acknowledgement_and_not_for_ever() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let _client = TcpStream::connect(address).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        set_up(&accepted, &mut Extensions::new());
        let socket = SockRef::from(&accepted);
        assert!(socket.tcp_nodelay().unwrap());
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(UNREAD));
    }

    #[test]
    fn connections_leave_files_for_redis_and_the_database() {
        assert_eq!(share(Some(1_024), 2), 384);
        assert_eq!(share(Some(1_048_576), 4), 25_000);
        assert_eq!(share(None, 4), 25_000);
        assert_eq!(share(Some(64), 8), 1);
    }
}
