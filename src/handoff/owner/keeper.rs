//! The keeper's machine on real files: an owner looks after its control path and its lock file.
//!
//! Traps.
//! - **Only while no handoff is under way.** Who has been offered the lock must not be left with one that lies nowhere. So files that are lost before
//!   the commit call the handoff off, and then they are made anew; after it they are the next owner's, who looks first of all.
//! - **Those who make links and remove them in a loop must not keep the host awake**: what the watch tells is looked at ten times in a second at the most.
//! - **The watch is no proof.** There may be none to be had, and a mount over the path is not seen by it. So it is looked at each step as well: before an
//!   upgrade and a guest's greeting, at WARM, and when a handoff has ended.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::side::OwnerSide;
use crate::clock::{Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::handoff::control::{self, Found, State};
use crate::handoff::core::{Core, KEEPER, RETRY};
use crate::handoff::machine::Reason;
use crate::handoff::machine::keeper::{Action, Event, Keeper as Machine, Loss, Outcome, Place, Seen};
use crate::handoff::machine::owner;
use crate::handoff::machine::standing::Standing;
use crate::handoff::record;
use crate::sys::{Fault, lockfile, socket, watch};

use nix::errno::Errno;

/// While something is wrong it is looked again after this time, doubled each time up to the longest: who holds the lock may end without a sign.
const REST: i64 = 200 * MILLI;
const LONGEST_REST: i64 = 30_000 * MILLI;
/// Made anew, and looked at once more; and again only if they are gone already.
const ROUNDS: u32 = 3;

/// What it knows and has in hand.
#[derive(Debug)]
pub struct Keeper {
    machine: Machine,
    watch: Option<Arc<OwnedFd>>,
    /// A lock that is not this generation's yet.
    in_hand: Option<OwnedFd>,
    /// Why the files could not be made anew.
    error: Option<Error>,
    /// It is to look before the lock of the handle is given back, if no handoff is under way.
    wants_look: bool,
    rest: i64,
}

impl Keeper {
    pub fn new() -> Self {
        Self { machine: Machine::NEW, watch: None, in_hand: None, error: None, wants_look: true, rest: REST }
    }

    /// A handoff has ended, or something has happened to the files.
    pub fn look_soon(&mut self) {
        self.wants_look = true;
    }

    /// A new watch: what has these names now. Where there is none to be had, each step looks.
    fn watch(&mut self, core: &mut Core) {
        core.reactor.remove(KEEPER);
        let made = match control::watch(&core.path) {
            // There may be no other beside the old one.
            Err(Errno::EMFILE) if self.watch.take().is_some() => control::watch(&core.path),
            made => made,
        };
        // To close one takes milliseconds (the kernel waits until nobody looks at it).
        core.rubbish.extend(self.watch.take());
        let Ok(watch) = made else { return };
        if core.reactor.add(KEEPER, &watch).is_ok() {
            self.watch = Some(watch);
        }
    }

    fn release(&mut self, core: &mut Core) {
        core.reactor.forget(KEEPER);
        self.watch = None;
    }
}

impl OwnerSide {
    /// Looks after the files, if it is time and no handoff is under way.
    pub(super) fn keep_files(&mut self, core: &mut Core) {
        if self.keeper.wants_look && self.is_idle() && !self.spawning {
            self.look_after_files(core);
        }
    }

    /// Whether a handoff may begin: the lock that is handed on is the one at the path. Made anew first, if it has to be.
    pub fn check_files(&mut self, core: &mut Core) -> Result<()> {
        self.look_after_files(core);
        if self.keeper.machine.holds_lock() {
            return Ok(());
        }
        Err(self.keeper.error.clone().unwrap_or_else(|| held_by_another(core).1))
    }

    /// The watch tells of something; or it was set aside, and there is nothing.
    pub(super) fn hear_watch(&mut self, core: &mut Core) {
        let Some(watch) = self.keeper.watch.clone().filter(|watch| watch::take(watch)) else { return };
        drop(watch);
        // Before it is looked, and on what has the names now.
        self.keeper.watch(core);
        self.keeper.look_soon();
        if self.machine.may_cancel()
            && let Some(words) = core.why_displaced(&self.lock)
        {
            core.verdict.said = words;
            self.feed(core, owner::Event::Abort(Reason::Displaced));
        }
        self.keep_files(core);
        core.reactor.set_aside_for(KEEPER, RETRY);
    }

    /// What was to be looked at by the clock.
    pub(super) fn keep_files_in_time(&mut self, core: &mut Core) {
        self.keeper.look_soon();
        self.keep_files(core);
    }

    /// The watch ends with the generation.
    pub(super) fn leave_files(&mut self, core: &mut Core) {
        self.keeper.release(core);
    }

    fn look_after_files(&mut self, core: &mut Core) {
        self.keeper.wants_look = false;
        let mut is_steady = false;
        for _ in 0..ROUNDS {
            if self.keeper.watch.is_none() {
                self.keeper.watch(core);
            }
            let before = (self.bound, lockfile::identity(&self.lock).ok());
            self.feed_keeper(core, Event::Look);
            if before == (self.bound, lockfile::identity(&self.lock).ok()) {
                is_steady = true;
                break;
            }
            // The watch is on what is not this generation's any more.
            self.keeper.watch(core);
        }
        let keeper = &mut self.keeper;
        let again = match keeper.machine.loss() {
            None => {
                keeper.rest = REST;
                // Nobody has looked behind the last watch: they may be gone again, and that one is on nothing.
                if is_steady { Deadline::NEVER } else { Deadline::after(REST) }
            }
            Some(_) => {
                let at = Deadline::after(keeper.rest);
                keeper.rest = (keeper.rest * 2).min(LONGEST_REST);
                at
            }
        };
        let _ = core.reactor.set_due(KEEPER, again);
    }

    fn feed_keeper(&mut self, core: &mut Core, event: Event) {
        let (next, actions) = self.keeper.machine.step(event);
        self.keeper.machine = next;
        actions.iter().for_each(|action| self.keep(core, action));
    }

    fn keep(&mut self, core: &mut Core, action: Action) {
        match action {
            Action::Look => {
                let seen = self.seen(core);
                self.feed_keeper(core, Event::Seen(seen));
            }
            Action::TakeLock => {
                let outcome = match control::try_lock(&core.path) {
                    Ok(Some(lock)) => {
                        // A copy that is forked now must not hold it for ever.
                        core.custody.note(&lock);
                        self.keeper.in_hand = Some(lock);
                        Outcome::Done
                    }
                    Ok(None) => Outcome::Held,
                    Err(error) => self.failed(error),
                };
                self.feed_keeper(core, Event::Locked(outcome));
            }
            Action::LetGo => {
                if let Some(lock) = self.keeper.in_hand.take() {
                    core.custody.leave(&lock);
                }
            }
            Action::Adopt => {
                let Some(lock) = self.keeper.in_hand.take() else { return };
                // What was given away there may have been more.
                let last = record::last_generation(&lock).max(core.generation);
                let old = std::mem::replace(&mut self.lock, lock);
                // Its number on disk may be another file's soon.
                core.discard([Arc::new(old)]);
                record::publish(&self.lock, core.generation, last);
            }
            Action::Bind => {
                let outcome = self.bind_anew(core);
                self.feed_keeper(core, Event::Bound(outcome));
            }
            Action::Tell(loss) => self.tell(core, loss),
        }
    }

    fn seen(&self, core: &Core) -> Seen {
        if core.is_elsewhere() {
            return Seen { lock: Place::Unknown, path: Place::Unknown };
        }
        let lock = self.keeper.in_hand.as_ref().unwrap_or(&self.lock);
        // An owner that has not received the listening socket has no path to look after; one that does not know which file it is (it was bound by an
        // older release) sees at least that there is none.
        let (bound, has_path) = (self.bound, self.door.listener().is_some());
        let place = |found| match found {
            Found::Ours => Place::Own,
            Found::Gone => Place::Gone,
            Found::Another => Place::Another,
        };
        match control::state_of(&core.path, lock, bound) {
            Ok(State { lock, path }) if has_path && (bound.is_some() || path == Found::Gone) => {
                Seen { lock: place(lock), path: place(path) }
            }
            Ok(State { lock, .. }) => Seen { lock: place(lock), path: Place::Unknown },
            Err(_) => Seen { lock: Place::Unknown, path: Place::Unknown },
        }
    }

    fn bind_anew(&mut self, core: &mut Core) -> Outcome {
        // Which file it is, before it is known that nobody listens there: no other is removed.
        let leftover = match control::leftover(&core.path) {
            Ok(leftover) => leftover,
            Err(error) => return self.failed(error),
        };
        match socket::connect_to(&core.path) {
            Err(Fault { errno: Errno::ECONNREFUSED | Errno::ENOENT | Errno::ENOTSOCK, .. }) => {}
            Ok(_) | Err(Fault { step: "connect", errno: Errno::EAGAIN }) => {
                let text = format!("somebody else listens at {}", core.path.display());
                return match self.failed(Error::system("connect", Errno::EADDRINUSE, text)) {
                    Outcome::Failed(why) => Outcome::Answered(why),
                    other => other,
                };
            }
            Err(fault) => {
                let text = format!("cannot look who listens at {}", core.path.display());
                return self.failed(fault.error(text));
            }
        }
        let lock = self.keeper.in_hand.as_ref().unwrap_or(&self.lock);
        match control::bind(&core.path, lock, leftover) {
            Ok((listener, bound)) => {
                self.bound = Some(bound);
                self.record.set_bound(bound);
                self.door.replace(core, listener);
                Outcome::Done
            }
            Err(error) if error.status == Status::LockReplaced => Outcome::Held,
            Err(error) => self.failed(error),
        }
    }

    fn failed(&mut self, error: Error) -> Outcome {
        let why = error.status as i32;
        self.keeper.error = Some(error);
        Outcome::Failed(why)
    }

    fn tell(&mut self, core: &mut Core, loss: Option<Loss>) {
        let (path, lock) = (core.path.display(), control::lock_path(&core.path));
        let standing = Standing::at_rest(self.machine.phase, core.heard());
        match loss {
            None => {
                self.keeper.error = None;
                let words = format!("{path} and {} were changed by somebody, and are this process's again", lock.display());
                core.tell_path(standing, Status::Ok, words, 0);
            }
            Some(Loss::Another) => {
                let (pid, error) = held_by_another(core);
                core.tell_path(standing, error.status, error.message.clone(), pid);
                self.keeper.error = Some(error);
            }
            Some(Loss::Failed(_)) => {
                if let Some(error) = &self.keeper.error {
                    core.tell_path(standing, error.status, error.message.clone(), 0);
                }
            }
        }
    }
}

/// Another process has the files: which one, by what it has written there.
fn held_by_another(core: &Core) -> (i32, Error) {
    let pid = control::last_owner(&core.path).map_or(0, |last| last.pid);
    let lock = control::lock_path(&core.path);
    if control::lock_identity(&core.path).is_none() {
        let text = format!("{} was removed again while it was made anew; that is tried again", lock.display());
        return (0, Error::new(Status::LockReplaced, "flock", text));
    }
    let who = if pid > 0 { format!("process {pid}") } else { "another process".to_owned() };
    let text = format!(
        "{} was replaced, and {who} holds what lies there now: both may own, and nobody can follow this one; end one of them",
        lock.display()
    );
    (pid, Error::new(Status::LockReplaced, "flock", text).with_pid((pid > 0).then_some(pid)))
}
