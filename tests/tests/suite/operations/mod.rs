//! What operators set and see: settings, probes, metrics, logs, traces.

mod check_config;
mod logs;
mod metrics;
mod probes;
mod readiness;
mod settings;
mod traces;
mod versions;
