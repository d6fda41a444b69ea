//! The API's process: see `privachat_api::run`.

use std::process::ExitCode;

fn main() -> ExitCode {
    privachat_api::main()
}
