//! Tests that need the machine to themselves. Each holds [`alone`] while it runs, so that this
//! binary runs one test at a time.
//!
//! - `chaos` and `quality` keep every core busy for a minute or more.
//! - `critical_path` holds calls back while the time limits of the pipeline run on.
//! - `listeners` opens thousands of connections and raises the limit of open files of this process,
//!   which every process that it starts later inherits.
//! - `browser_figures` and `recovery_table` are measurements that scripts start; a plain run ignores
//!   them.

mod browser_figures;
mod chaos;
mod critical_path;
mod listeners;
mod quality;
mod recovery_table;

use tokio::sync::{Mutex, MutexGuard};

static ALONE: Mutex<()> = Mutex::const_new(());

/// Waits until no other test of this binary runs. The test holds the guard until it ends.
async fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().await
}

/// The same for a test without a runtime.
fn alone_blocking() -> MutexGuard<'static, ()> {
    ALONE.blocking_lock()
}
