//! The worker itself: its commands, its parser processes, deduplication, webhooks.

mod commands;
mod idle_worker;
mod parser_processes;
mod single_flight;
mod webhooks;
