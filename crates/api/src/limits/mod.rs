//! Limits that apply before a handler runs: request rate, URI length, NUL characters, undrained
//! bodies. `body.rs` limits the size of bodies, `connections.rs` the number of connections.

mod nul;
mod proxies;
mod rate;
mod undrained;
mod uri;

pub(crate) use nul::refuse_nul;
pub(crate) use proxies::TrustedProxies;
pub(crate) use rate::limit_rate;
pub(crate) use undrained::close_undrained;
pub(crate) use uri::refuse_long_uri;
