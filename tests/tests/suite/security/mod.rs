//! Attacks, and secrets that must never be shown or logged.

mod dns_rebinding;
mod hardening;
mod hostile_web;
mod privacy;
mod secrets;
mod tls;
