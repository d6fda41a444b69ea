//! Who may use the service: API keys, if the operator set some.

mod caller;
mod guard;
mod keys;
mod sign_in;

pub(crate) use caller::Caller;
pub(crate) use guard::{guard, identify, is_open};
pub(crate) use keys::Keys;
pub(crate) use sign_in::{sign_in, sign_out};
