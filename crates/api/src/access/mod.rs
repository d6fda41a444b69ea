//! Access control: API keys, which [`Caller`] may view which search, allowed hosts and origins.
//!
//! Middleware authenticates ([`identify`]) and refuses ([`guard`], [`check_host`],
//! [`check_origin`]). Handlers take a [`Caller`] or an [`Admin`]. Without API_KEYS and
//! API_ADMIN_KEYS everything is allowed.

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
