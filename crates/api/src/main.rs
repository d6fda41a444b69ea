//! The API's process: see `privachat_api::run`.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// docs/adr/0006-where-the-time-goes.md has what it is worth.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    privachat_api::main()
}
