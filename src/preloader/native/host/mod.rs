//! The host of a native preloader: started when it is needed, asked for workers, many at once, and stopped.
//!
//! ```text
//!   begin --> in line at the supervisor --turn--> machine --FORK--> birth --HELLO--> proven, registered --> handed over --GO--> READY
//!                                                   |  (the preloader is started, if there is none)
//!                                                   '--an idle one of the pool ------------------------------^
//! ```
//!
//! | file         | what                                                                  |
//! |--------------|-----------------------------------------------------------------------|
//! | `machine/`   | who gets which worker, from which process: pure                       |
//! | `work/`      | what the machine decides, carried out: processes, births              |
//! | `process.rs` | one process of the preloader, and its control channel                 |
//! | `birth.rs`   | one fork, and whoever comes of it, until it is ready                  |
//! | `pool.rs`    | how the pool is set, warmed and limited                               |
//! | `promote.rs` | a ready worker that shall be the next preloader                       |
//! | `request.rs` | one worker that was asked for                                         |
//! | `theirs.rs`  | workers that are their preloader's children, until that tells of their end |

mod birth;
#[cfg(test)]
mod explorer;
pub mod machine;
pub mod pool;
mod process;
mod promote;
mod request;
mod theirs;
mod work;

use std::sync::Arc;

use self::process::{Described, KEPT, Recipe};
pub use self::promote::promote;
use self::request::Request;
pub use self::work::Work;
use crate::error::{Error, Result};
use crate::preloader::core::Core;
use crate::preloader::direct::described;
use crate::preloader::follow::Moment;
use crate::preloader::native::wire::MAX_GIVEN;
use crate::preloader::request::{Asked, Time};
use crate::preloader::session::Arguments;
use crate::preloader::worker::{Outcome, Worker, WorkerKind};
use crate::process::command::Command;
use crate::supervisor::{Host, Managed};

/// What all share that has to do with one preloader.
pub type Native = Core<Work>;

/// One that will run this command when the first worker is asked for.
pub fn native(command: &Command) -> Result<Native> {
    if command.has_readiness() {
        return Err(Error::invalid("readiness", "readiness: a preloader is ready when it says so: it cannot have another readiness"));
    }
    let arguments = Arc::new(described(command, &Arguments::default())?);
    let recipe = Recipe { command: Arc::new(command.pinned()?), arguments: arguments.clone(), described: None };
    Core::new(recipe, Work::new(arguments)?)
}

/// Begins a worker: READY, or what says that it failed, follows.
pub fn begin(
    core: &Arc<Native>,
    host: Host,
    worker: Option<(&Arc<Command>, &Arguments)>,
    time: Time,
    register: &mut dyn FnMut(&Arc<Managed>) -> u64,
) -> Result<Worker> {
    let began = Moment::now();
    if let Some((name, _)) = worker.and_then(|(_, said)| said.iter().next()) {
        return Err(no_session(name));
    }
    let command = core.change_recipe(|recipe| worker_by(worker.map(|(command, _)| command), &mut recipe.described))?;
    let outcome = Arc::new(Outcome::default());
    let request = Request::lent(core.number(), core.clone(), host.clone(), command, Arguments::default(), time, outcome.clone());
    if !request.is_waited_for_here() {
        request.pin()?;
    }
    let request = Arc::new(request);
    let managed = host.begin(request.command(), Arc::new(Asked(request.clone())), register)?;
    // In line at its supervisor, where whoever comes by may take it up.
    if request.managed().is_none()
        && let Err(error) = request.pin()
    {
        let _ = managed.terminate_begin(0);
        return Err(error);
    }
    Ok(Worker::begun(WorkerKind::Forked, host, managed, outcome, began))
}

/// What a worker is by this description. Who asks for one after the other asks with the same one: what was made of it is kept.
fn worker_by(source: Option<&Arc<Command>>, kept: &mut Option<Described>) -> Result<Arc<Command>> {
    if let Some(known) = kept.as_ref().filter(|known| known.is_by(source)) {
        return Ok(known.command.clone());
    }
    let mut command = match source {
        Some(command) => {
            command.check_size()?;
            Command::clone(command)
        }
        None => Command::new("worker")?,
    };
    command.check_birth()?;
    if command.has_readiness() {
        return Err(Error::invalid("readiness", "readiness: a worker is ready when it says so: it cannot have another readiness"));
    }
    if command.given() > MAX_GIVEN {
        return Err(Error::invalid("pass_fd", format!("pass_fd: a worker can be given {MAX_GIVEN} descriptors at the most")));
    }
    command.ready_when_told().keep_output(KEPT);
    let command = Arc::new(command.without_gifts());
    // An input may be large, and is its caller's to give back.
    if !command.has_input() {
        *kept = Some(Described { by: source.map(Arc::downgrade), command: command.clone() });
    }
    Ok(command)
}

/// An argument of a session was given.
pub fn no_session(name: &str) -> Error {
    Error::invalid("session", format!("{name}: a preloader of the native protocol has no session, and no arguments of one"))
}
