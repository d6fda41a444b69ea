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

/// Has the kernel end connections whose peer does not read. Nothing else would: a peer with a closed
/// window answers its probes for ever.
pub(crate) fn bound_unread(connection: &dyn Any, _extensions: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else {
        return;
    };
    if let Err(error) = SockRef::from(stream).set_tcp_user_timeout(Some(UNREAD)) {
        tracing::debug!(%error, "no timeout for a peer that does not read");
    }
}
