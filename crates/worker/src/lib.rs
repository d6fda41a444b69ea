//! The worker: dequeues searches and runs them through the pipeline. [`daemon`] joins the two;
//! [`wiring`] builds the pipeline's providers, fetcher and models from the settings.

pub mod cleaning;
pub mod cli;
pub mod daemon;
pub mod json;
pub mod llm;
pub mod metrics;
pub mod page_cache;
pub mod parser;
pub mod pipeline;
pub mod providers;
pub mod response;
pub mod semantics;
pub mod settings;
pub mod traced;
pub mod unicode;
pub mod upstream;
pub mod web;
pub mod wiring;

mod process;

pub use process::main;
