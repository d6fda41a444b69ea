//! Settings, probes, metrics, logs and traces for operators.

mod check_config;
mod logs;
mod metrics;
mod probes;
mod readiness;
mod settings;
mod traces;
mod versions;
