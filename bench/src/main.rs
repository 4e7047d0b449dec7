//! The side-by-side harness: `bench spawn` measures what procsup charges for owning a child process, `bench supervisor`
//! what it charges for looking after many, `bench coordination` what budgets, locks and readiness take, `bench preloader`
//! what a worker of a preloader takes, `bench handoff` what the clients of a server see when it is replaced,
//! beside the raw kernel calls and other programs and libraries, in one run each. Each subject is a room of its own
//! (`spawn/`, `supervisor/`, `coordination/`, `preloader/`, `handoff/`). Shared: the library's face (`procsup`), the programs that are spawned (`peers`), the host
//! (`host`), helper processes (`served`), timing (`measure`), what chance does to a figure (`noise`, `others`), system calls (`trace`), the table and the results file (`report`), the pictures
//! (`chart`, `bars`), the description of the machine.

mod bars;
mod chart;
mod coordination;
mod handoff;
mod host;
mod machine;
mod measure;
mod noise;
mod options;
mod others;
mod peers;
mod preloader;
mod procsup;
mod progress;
mod report;
mod served;
mod spawn;
mod spawner;
mod supervisor;
mod trace;

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
    /// Many children under one supervisor: exits per second, a storm of jobs, memory: S1 to S3, P13, P14
    Supervisor(options::Options),
    /// Budgets, locks, readiness: C1 to C6
    Coordination(options::Options),
    /// Workers of preloaders, ours beside bare forks, and of a real one beside a bare driver of its protocol: P8
    Preloader(options::Options),
    /// What a spawner process takes off the host: P11, P11-rate
    Spawner(options::Options),
    /// A server is replaced under load: P9, P10
    Handoff(handoff::Options),
    /// Run one method in a loop, to be looked at with strace or perf
    #[command(hide = true)]
    Cycle(spawn::cycle::Options),
    /// Be the host of many children: orders come on stream 0, answers go to stream 1
    #[command(hide = true)]
    Serve(supervisor::serve::Options),
    /// A process of a measurement between two: orders come on stream 0, answers go to stream 1
    #[command(hide = true)]
    CoordinationParty(coordination::party::Options),
    /// One generation of a server
    #[command(hide = true)]
    HandoffServer(handoff::server::Options),
    /// Whoever replaces the servers: orders come on stream 0, answers go to stream 1
    #[command(hide = true)]
    HandoffConductor(handoff::conductor::Options),
    /// procsup's separate supervisor: orders come on stream 0, answers go to stream 1
    #[command(hide = true)]
    HandoffOverseer(handoff::overseer::Options),
    /// Whoever replaces a daemon: orders come on stream 0, answers go to stream 1
    #[command(hide = true)]
    HandoffDaemon(handoff::daemons::conductor::Options),
}

fn main() -> ExitCode {
    let done = match Cli::parse().subject {
        Subject::Spawn(options) => spawn::run(&options),
        Subject::Supervisor(options) => supervisor::run(&options),
        Subject::Coordination(options) => coordination::run(&options),
        Subject::CoordinationParty(options) => coordination::party::run(&options).map(|()| true),
        Subject::Preloader(options) => preloader::run(&options),
        Subject::Spawner(options) => spawner::run(&options),
        Subject::Handoff(options) => handoff::run(&options),
        Subject::HandoffServer(options) => handoff::server::run(&options).map(|()| true),
        Subject::HandoffConductor(options) => handoff::conductor::run(&options).map(|()| true),
        Subject::HandoffOverseer(options) => handoff::overseer::run(&options).map(|()| true),
        Subject::HandoffDaemon(options) => handoff::daemons::conductor::run(&options).map(|()| true),
        Subject::Serve(options) => supervisor::serve::run(&options).map(|()| true),
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
