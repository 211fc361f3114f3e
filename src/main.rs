//! Exit code and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    gonogo::cli::main()
}
