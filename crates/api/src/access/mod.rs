//! Access control: API keys, which [`Caller`] may view which search, allowed hosts and origins.
//!
//! Middleware authenticates ([`authenticate`]) and refuses ([`require_key`], [`check_host`],
//! [`check_origin`]). Handlers take a [`Caller`] or an [`Admin`]. Without API_KEYS and
//! API_ADMIN_KEYS everything is allowed.

mod admin;
mod api_keys;
mod authentication;
mod authorize;
mod caller;
mod host;
mod origin;
mod sign_in;

pub(crate) use admin::Admin;
pub(crate) use api_keys::ApiKeys;
pub(crate) use authentication::{authenticate, is_public_path, require_key};
pub(crate) use authorize::{can_view, can_view_in_any_store, ensure_can_view};
pub(crate) use caller::Caller;
pub(crate) use host::check_host;
pub(crate) use origin::check_origin;
pub(crate) use sign_in::{sign_in, sign_out};
