//! The worker's program; see `privachat_worker::main`.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// docs/adr/0006-where-the-time-goes.md says why.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    privachat_worker::main()
}
