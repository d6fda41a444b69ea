//! The worker's process: see `privachat_worker::main`.

use std::process::ExitCode;

fn main() -> ExitCode {
    privachat_worker::main()
}
