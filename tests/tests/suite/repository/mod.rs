//! The files of this repository: module borders, deploy files, the test harness.

mod alerts;
mod borders;
mod deploy_files;
mod harness;
mod language;
