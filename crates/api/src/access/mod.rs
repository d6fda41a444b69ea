//! Who may use the service, and whose a search is: API keys, if the operator set some.

mod admin;
mod caller;
mod guard;
mod keys;
mod origin;
mod sight;
mod sign_in;

pub(crate) use admin::Admin;
pub(crate) use caller::Caller;
pub(crate) use guard::{guard, identify, is_open};
pub(crate) use keys::Keys;
pub(crate) use origin::may_open_socket;
pub(crate) use sight::{require, sees, sees_anywhere};
pub(crate) use sign_in::{sign_in, sign_out};
