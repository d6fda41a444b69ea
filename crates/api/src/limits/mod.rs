//! What a request may cost before anything looks at what it wants: how many somebody may send, how
//! long their addresses may be. Bodies are bounded in `body.rs`, connections in `connections.rs`.

mod nul;
mod proxies;
mod rate;
mod unread;
mod uri;

pub(crate) use nul::refuse_nul;
pub(crate) use proxies::Proxies;
pub(crate) use rate::limit_rate;
pub(crate) use unread::close_unread;
pub(crate) use uri::refuse_long;
