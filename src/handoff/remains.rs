//! What is left where a generation does not answer: whether its owner lives, and who holds the lock if not. For errors, and for how long they
//! are waited for.
//!
//! Traps.
//! - **A number is a process only in its pid namespace, on its machine, and as long as it has its start time.** The lock file says all three;
//!   where one is missing or another's, nothing is said about life and death.
//! - **The one that the lock file names need not be the last owner**: a successor writes itself down when it has settled, a moment after it owns.
//!   Only where nothing was ever offered by that owner can there be no successor, and then nobody will ever answer.
//! - **Who holds the lock is seen by its descriptor only** (the kernel names who took it, who is dead). Whose descriptors they are, and how many,
//!   others choose: it is looked for once, when there is an error to tell, and not for long.

use std::path::Path;

use super::control;
use super::record::LastOwner;
use crate::clock::{Deadline, MILLI};
use crate::error::{Error, Status};
use crate::report::plain;
use crate::sys::procfs::{self, Fate};

/// How long it is looked for who holds the lock.
const LOOKING: i64 = 200 * MILLI;
/// How many descriptors are looked at for that.
const LOOKS: usize = 50_000;
/// How many who hold it are named.
const NAMED: usize = 3;

/// What became of the owner that the lock file names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Remains {
    owner: LastOwner,
    fate: Fate,
}

/// A look at it. `None`: the lock file names nobody.
pub fn of(path: &Path) -> Option<Remains> {
    let owner = control::last_owner(path)?;
    let fate = if owner.is_here { procfs::fate(owner.pid, owner.start) } else { Fate::Unknown };
    Some(Remains { owner, fate })
}

/// Whether there can be no owner any more, and no successor either, while somebody holds the lock.
pub fn is_orphaned(path: &Path) -> bool {
    let dead = of(path).filter(|remains| remains.fate == Fate::Dead);
    // Read once more behind its death: from then on it says nothing new.
    dead.is_some_and(|remains| !remains.owner.has_offered && control::last_owner(path) == Some(remains.owner))
}

/// The lock is held and nobody listens, or answers, who could hand over; `otherwise`: what is to be said where the owner may live.
pub fn error(path: &Path, otherwise: Error) -> Error {
    let Some(Remains { owner, fate }) = of(path) else { return otherwise };
    let pid = owner.pid;
    let and = |text: String| otherwise.clone().with(|it| it.message = format!("{} ({text})", otherwise.message));
    match fate {
        Fate::Runs => and(format!("the last owner that the lock file names is process {pid}")),
        Fate::Dumps => and(format!("process {pid}, the last owner that the lock file names, has crashed, and its core is being written")),
        Fate::Ends => and(format!("process {pid}, the last owner that the lock file names, is ending")),
        Fate::Unknown => and(format!("the last owner that the lock file names is process {pid}, which cannot be seen from here")),
        Fate::Dead => {
            let (holders, all_forked) = holders(path);
            let who = match &holders[..] {
                "" => "who holds the lock cannot be seen from here".to_owned(),
                holders if all_forked => format!("{holders}, forked without an exec, holds the lock"),
                holders => format!("{holders} holds the lock"),
            };
            let lock = control::lock_path(path);
            let text = format!(
                "{} is locked, and process {pid}, the last owner that it names, is dead: {who}. A copy that a generation has forked has to call ps_handoff_free, or to end",
                lock.display()
            );
            // A successor that has not settled yet may come to it.
            if owner.has_offered && !all_forked { and(text) } else { Error::new(Status::Locked, "flock", text) }
        }
    }
}

/// Who holds the lock, in words, as far as it is seen; and whether all of them are forked copies of somebody, without an exec.
fn holders(path: &Path) -> (String, bool) {
    let Some(file) = control::lock_identity(path) else { return (String::new(), false) };
    let name = control::lock_path(path);
    let name = name.file_name().unwrap_or_default();
    let found = procfs::holders_of_lock(name, file.number, NAMED, LOOKS, Deadline::after(LOOKING));
    let all_forked = !found.is_empty() && found.iter().all(|pid| procfs::has_no_exec(*pid));
    let named = found.iter().map(|pid| match procfs::name(*pid) {
        Some(name) => format!("process {pid} ({})", plain::line(&name)),
        None => format!("process {pid}"),
    });
    (named.collect::<Vec<_>>().join(", "), all_forked)
}
