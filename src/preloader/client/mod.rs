//! A preloader, as its client has it: started when it is needed, asked for workers, one command at a time, and stopped.
//!
//! ```text
//!   begin --> in line at the supervisor --turn--> in line at the preloader --> command --> proof --> gate --> followed --> READY
//!                                                   (started, if there is none)    '-- it dies: once more, by a new one
//! ```
//!
//! Traps. **No look, no progress**: the preloader's process is a child of a private supervisor, which whoever has spawned through it moves along, by an
//! errand of its own supervisor. **Its workers are its group's**: it is signalled alone. **Who asks does not wait**: generation, process id
//! and time of use are read without a lock.
//!
//! | file          | what                                                             |
//! |---------------|------------------------------------------------------------------|
//! | `machine.rs`  | who is asked next, and what a death means: pure                  |
//! | `answer.rs`   | what an answer says: pure                                        |
//! | `explorer.rs` | (tests) every order of what can happen                           |
//! | `work.rs`     | what the machine decides, carried out                            |
//! | `process.rs`  | one process of the preloader                                     |
//! | `request.rs`  | one try of a worker that was asked for                           |
//! | `talk.rs`     | one command, on a real connection                                |
//! | `proof.rs`    | whether who was named is the worker                              |

pub mod answer;
mod machine;
mod process;
mod proof;
mod request;
mod talk;
mod work;

#[cfg(test)]
mod explorer;

use std::sync::Arc;

use self::process::Recipe;
use self::request::Request;
pub use self::work::Work;
use super::core::Core;
use super::direct::{described, owner_of};
use super::failure::{self, Evidence, Failure};
use super::follow::Moment;
use super::journey::journey;
use super::request::{Asked, Time};
use super::session::{Arguments, Purpose};
use super::worker::{Outcome, Worker, WorkerKind};
use crate::clock;
use crate::error::{Error, Result};
use crate::process::command::Command;
use crate::supervisor::{Host, Managed};

/// Arguments that are the preloader's, and its workers' by that.
const SHARED: [&str; 6] = ["app_root", "app_type", "user", "group", "socket_dir", "instance_dir"];

/// What all share that has to do with one preloader.
pub type Client = Core<Work>;

/// One that will run this command, with these arguments of its session, when the first worker is asked for.
pub fn client(command: &Command, arguments: &Arguments) -> Result<Client> {
    if command.has_readiness() {
        return Err(Error::invalid(
            "readiness",
            "readiness: a preloader is ready when its session says so: it cannot have another readiness",
        ));
    }
    let arguments = described(command, arguments)?;
    let owner = owner_of(command, &arguments)?;
    Core::new(Recipe { command: Arc::new(command.pinned()?), arguments, owner }, Work::new(clock::now()))
}

/// Sets an argument of its session, and of those of its workers; none takes it away. For the next process.
pub fn set(core: &Client, name: &str, value: Option<&str>) -> Result<()> {
    core.change_recipe(|recipe| {
        let mut changed = recipe.arguments.clone();
        changed.set(name, value)?;
        let changed = described(&recipe.command, &changed)?;
        if matches!(name, "user" | "group") {
            recipe.owner = owner_of(&recipe.command, &changed)?;
        }
        recipe.arguments = changed;
        Ok(())
    })
}

/// Begins a worker: READY, or what says that it failed, follows.
pub fn begin(
    core: &Arc<Client>,
    host: Host,
    worker: Option<(&Command, &Arguments)>,
    time: Time,
    register: &mut dyn FnMut(&Arc<Managed>) -> u64,
) -> Result<Worker> {
    let began = Moment::now();
    let (mut command, said) = match worker {
        Some((command, said)) => (command.clone(), said.clone()),
        None => (Command::new("worker")?, Arguments::default()),
    };
    command.check_adoption()?;
    if command.has_readiness() {
        return Err(Error::invalid("readiness", "readiness: a worker is ready when its session says so: it cannot have another readiness"));
    }
    let own = core.recipe().arguments;
    // What the preloader has loaded is what its workers are (PA-8).
    if let Some(name) = SHARED.iter().find(|name| said.get(name).is_some_and(|value| own.get(name) != Some(value))) {
        return Err(Error::invalid(name, format!("{name}: it is another one than the preloader's, which has loaded what its workers are")));
    }
    let all = said.over(&own);
    let violations = all.violations(Purpose::StartPreloader);
    if !violations.is_empty() {
        return Err(never_begun(Failure::arguments(violations), &all));
    }
    command.ready_when_told().speak(super::direct::KEPT);
    let outcome = Arc::new(Outcome::default());
    let request = Request::new(core.number(), core.clone(), host.clone(), command.clone(), said, time, outcome.clone());
    let managed = host.begin(&command, Arc::new(Asked(Arc::new(request))), register)?;
    Ok(Worker::begun(WorkerKind::Forked, host, managed, outcome, began))
}

/// What is wrong before anything was begun.
fn never_begun(failure: Failure, arguments: &Arguments) -> Error {
    let evidence = Evidence {
        journey: journey(Purpose::Worker, super::session::uses_wrapper(arguments)),
        response: None,
        arguments,
        output: Vec::new(),
        pid: None,
        exit: None,
        preloader: None,
        purpose: Purpose::Worker,
    };
    failure::error(failure, evidence)
}
