//! The API's process: see `privachat_api::main`.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Measured in docs/adr/0006-where-the-time-goes.md.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    privachat_api::main()
}
