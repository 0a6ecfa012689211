//! The desktop program.

use std::process::ExitCode;

fn main() -> ExitCode {
    coffer_desktop::run()
}
