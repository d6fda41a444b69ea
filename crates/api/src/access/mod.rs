//! Who may use the service, and whose a search is: API keys, if the operator set some.

mod admin;
mod caller;
mod guard;
mod host;
mod keys;
mod origin;
mod sight;
mod sign_in;

pub(crate) use admin::Admin;
pub(crate) use caller::Caller;
pub(crate) use guard::{guard, identify, is_open};
pub(crate) use host::check_host;
pub(crate) use keys::Keys;
pub(crate) use origin::check_origin;
pub(crate) use sight::{require, sees, sees_anywhere};
pub(crate) use sign_in::{sign_in, sign_out};
