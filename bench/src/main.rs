//! The side-by-side harness: `bench spawn` measures what procsup charges for owning a child process, beside the raw
//! kernel calls and other libraries, in one process and one run. Each subject is a room of its own (`spawn/`); the
//! table, the results file, the pictures and the description of the machine are shared.

mod chart;
mod machine;
mod progress;
mod report;
mod spawn;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(version, about = "Measures procsup beside the raw kernel calls and other process libraries")]
struct Cli {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Subcommand)]
enum Subject {
    /// Spawn, exit, reap and kill: P1 to P7
    Spawn(spawn::Options),
    /// Run one method in a loop, to be looked at with strace or perf
    #[command(hide = true)]
    Cycle(spawn::cycle::Options),
}

fn main() -> ExitCode {
    let done = match Cli::parse().subject {
        Subject::Spawn(options) => spawn::run(&options),
        Subject::Cycle(options) => spawn::cycle::run(&options).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE, // --strict and a missed limit
        Err(problem) => {
            eprintln!("bench: {problem}");
            ExitCode::from(2)
        }
    }
}
