//! The `runner-guard` program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    runner_guard::cli::run()
}
