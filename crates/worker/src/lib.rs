//! The worker: takes searches from the queue and runs them through the pipeline.

pub mod llm;
pub mod pipeline;
pub mod providers;
pub mod upstream;
pub mod web;
