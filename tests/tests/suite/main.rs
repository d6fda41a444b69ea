//! The black-box tests, in one binary with a folder for each subject. They run in parallel, one per
//! core; a test that needs the machine to itself belongs to `tests/heavy`.

mod api;
mod jobs;
mod operations;
mod pages;
mod providers;
mod repository;
mod resilience;
mod security;
mod storage;
mod streaming;
mod worker;
