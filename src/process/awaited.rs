//! A child that a spawner makes: what is kept of it here until its program has begun.
//!
//! The race: its process may be there, and even be over, before any word of it has come. So its slot of the registry is taken before the spawner is
//! asked, and knows where the kernel writes the number (`Slot::await_birth`): signals and kill-all find it from its first instruction on, and the
//! share of that memory is kept until nobody looks there any more.
//!
//! | the spawner says             | and then                                                                       |
//! |------------------------------|--------------------------------------------------------------------------------|
//! | begun                        | [`Awaited::born`]: a child as any other                                        |
//! | failed                       | [`Awaited::failed`]: what was made is reaped; the next try has another slot    |
//! | nothing, it has ended        | asked for its fate: one of these, or [`Awaited::unborn`]                       |
//!
//! What a child takes from its maker (limits, umask, priority, namespaces, session) it has from the spawner, which has it from the host as that was
//! when the spawner was started. What the host may change at any time, and is cheap to send along, is sent along: the streams that are inherited,
//! the environment, the working directory (`sys/spawner/link.rs` does that).

use core::ffi::CStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use super::belongings::Belongings;
use super::child::{Child, Tier};
use super::command::{Command, Known};
use super::spawn::{Born, Ingredients, Undo, explain};
use crate::clock;
use crate::error::{Error, Result, Status};
use crate::registry::{self, Cause, Facts, Lease, Tie, word};
use crate::sys::pidfd;
use crate::sys::spawn::Failure;
use crate::sys::spawner::{Births, Gate, Link, Place, Refusal, Slot};
use crate::sys::wait::{self, Seen};

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// An answer is owed.
    Sent(Slot),
    /// Too many are under way.
    Busy,
    /// The spawner has ended.
    Gone,
}

/// See the head of this file.
pub struct Awaited {
    command: Arc<Command>,
    ingredients: Ingredients,
    belongings: Undo,
    again: bool,
    /// Its request is the same each time, as long as the host stays as it is (`command/prepared.rs`).
    standing: bool,
    /// That, if it was made before.
    known: Option<Arc<Known>>,
    /// It was sent once: what is sent again is no other spawn.
    sent: bool,
    /// Where its descriptors come from is known, and which streams are the host's (`Streams::inherited`).
    planned: Option<u8>,
    under_way: Option<UnderWay>,
    /// Rounds of kill-all that had begun when it was first asked for.
    rounds: u64,
}

impl core::fmt::Debug for Awaited {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Awaited").field("under_way", &self.under_way.is_some()).finish_non_exhaustive()
    }
}

struct UnderWay {
    /// None once it is given back, or a child's.
    lease: Option<Lease>,
    births: Arc<Births>,
    slot: Slot,
}

impl Awaited {
    /// Makes all of it but the process. `pinned`: the command holds what it lends, so that it may be asked for more than once. (Else nothing is
    /// held of that: its owner may wait for the end of a pipe that he has given to the child, and looks at nothing meanwhile.)
    pub fn gather(command: Arc<Command>, belongings: Belongings, pinned: bool, now: i64) -> Result<Box<Self>> {
        let belongings = Undo(Some(belongings));
        // Only of one that is standing.
        let known = command.known();
        let ingredients = if known.is_some() { Ingredients::again(&command, now)? } else { Ingredients::unplanned(&command, now)? };
        let again = pinned || command.streams.lent().next().is_none();
        let standing =
            (known.is_some() || command.is_standing()) && ingredients.resources.as_ref().is_none_or(|owned| owned.mark.is_none());
        let known = known.filter(|_| standing);
        let (under_way, rounds) = (None, registry::rounds());
        let mut gathered =
            Box::new(Self { command, ingredients, belongings, again, standing, known, sent: false, planned: None, under_way, rounds });
        // One that was sent before was planned before.
        if gathered.known.is_none() {
            gathered.plan()?;
        }
        Ok(gathered)
    }

    fn plan(&mut self) -> Result<u8> {
        if let Some(inherited) = self.planned {
            return Ok(inherited);
        }
        self.ingredients.plan(&self.command)?;
        let inherited = self.ingredients.plan.send_along();
        self.planned = Some(inherited);
        Ok(inherited)
    }

    /// Asks for its process. Never waits.
    pub fn ask(&mut self, link: &Link, now: i64) -> Result<Asked> {
        let Some(slot) = link.reserve(Gate::Open) else { return Ok(Asked::Busy) };
        match self.submit(link, slot, now) {
            Ok(Ok(under_way)) => {
                self.under_way = Some(under_way);
                Ok(Asked::Sent(slot))
            }
            refused => {
                link.release(slot);
                refused.map(|refused| refused.err().unwrap_or(Asked::Busy))
            }
        }
    }

    /// Sends its request: one that was sent before, if that is still right.
    fn submit(&mut self, link: &Link, slot: Slot, now: i64) -> Result<core::result::Result<UnderWay, Asked>> {
        if let Some(request) = self.known.as_ref().and_then(|known| known.request(&self.command)) {
            let under_way = self.enter(link, slot, self.ingredients.facts(&self.command), now)?;
            return self.sent(under_way, link.submit_again(slot, request));
        }
        let inherited = self.plan()?;
        let again = std::mem::replace(&mut self.sent, true);
        let keep = self.standing && !again && self.command.is_to_be_kept();
        self.ingredients.with_request(&self.command, |request, facts| {
            let under_way = self.enter(link, slot, facts, now)?;
            if !keep {
                return self.sent(under_way, link.submit(slot, request));
            }
            let sent = link.submit_and_keep(slot, request).map(|kept| {
                if let Some(kept) = kept {
                    self.command.keep(kept, inherited);
                }
            });
            self.sent(under_way, sent)
        })
    }

    /// It has a slot of the registry, which knows where its number comes to stand.
    fn enter(&self, link: &Link, slot: Slot, facts: Facts, now: i64) -> Result<UnderWay> {
        let (lease, place) = Lease::take_since(facts, now).map_err(|errno| Error::system("registry", errno, self.command.cannot()))?;
        let births = link.births().clone();
        // Without one it would be found when the answer has come.
        Place::of(&births, slot.index).into_iter().for_each(|at| place.await_birth(at));
        Ok(UnderWay { lease: Some(lease), births, slot })
    }

    fn sent(&self, under_way: UnderWay, sent: core::result::Result<(), Refusal>) -> Result<core::result::Result<UnderWay, Asked>> {
        let Err(refusal) = sent else { return Ok(Ok(under_way)) };
        under_way.leave(None);
        match refusal {
            Refusal::Busy => Ok(Err(Asked::Busy)),
            Refusal::Gone => Ok(Err(Asked::Gone)),
            Refusal::Failed(failure) => Err(explain(failure, &self.command)),
        }
    }

    /// Whether all is there that another try needs.
    pub fn may_be_asked_again(&self) -> bool {
        self.again
    }

    /// Whether kill-all has come since it was first asked for.
    pub fn was_to_be_killed(&self) -> bool {
        registry::rounds() != self.rounds
    }

    /// Kills what there is of it, and bars the way of what may come.
    pub fn kill(&self, cause: Cause) {
        let Some(under_way) = &self.under_way else { return };
        under_way.births.set(under_way.slot.index, Gate::Barred);
        if let Some(slot) = under_way.registered() {
            let _ = slot.signal_for(libc::SIGKILL, cause);
        }
    }

    /// Its program has begun. Without a pidfd it was reaped by somebody, or must not run: nobody would hear of its end.
    pub fn born(mut self, pid: i32, pidfd: Option<OwnedFd>) -> Result<Child> {
        let Some(mut under_way) = self.under_way.take() else { return Err(self.killed()) };
        let is_over = under_way.registered().is_none_or(|slot| slot.state() == word::State::Exited);
        let Some(pidfd) = pidfd else {
            let is_there = !is_over && !matches!(wait::own(-1, pid), Seen::Gone);
            if is_there && let Some(slot) = under_way.registered() {
                let _ = slot.signal_for(libc::SIGKILL, Cause::Shutdown);
                // By its number: the slot may have none that it trusts. It is a child of ours that nobody has reaped.
                if pidfd::kill_number(pid, libc::SIGKILL).is_err() {
                    // One that we may not kill is not waited for: its slot stays (`UnderWay::drop`).
                    return Err(self.unknown(pid));
                }
            }
            under_way.leave(is_there.then_some((pid, -1)));
            return Err(if self.was_to_be_killed() { self.killed() } else { self.unknown(pid) });
        };
        let (registered, Some(lease)) = (under_way.registered(), under_way.lease.take()) else { return Err(self.killed()) };
        if let Some(slot) = registered {
            if !slot.set_born(pid, pidfd.as_raw_fd()) {
                std::mem::forget(under_way.births.clone());
            }
            slot.set_live();
        }
        if let Some(belongings) = self.belongings.0.take().filter(|belongings| !belongings.is_empty()) {
            self.ingredients.resources.get_or_insert_default().lasting = belongings;
        }
        let born = Born { pid, pidfd: Arc::new(pidfd), tier: Tier::Spawner, tie: Tie::Child };
        Ok(self.ingredients.record(&self.command, lease, born, clock::now))
    }

    /// It could not be made, or its program could not begin. What was made of it is reaped. It may be asked for again.
    pub fn failed(&mut self, pid: i32, pidfd: Option<OwnedFd>, failure: Failure) -> Error {
        if let Some(under_way) = self.under_way.take() {
            under_way.leave((pid != 0).then_some((pid, pidfd.as_ref().map_or(-1, AsRawFd::as_raw_fd))));
        }
        explain(failure, &self.command)
    }

    /// It was never made, and the spawner that was asked for it has ended. It may be asked for again.
    pub fn unborn(&mut self) {
        if let Some(under_way) = self.under_way.take() {
            under_way.leave(None);
        }
    }

    /// What is told of one that has no process since kill-all came.
    pub fn killed(&self) -> Error {
        let why = "ps_kill_and_reap_all came before its program was known to have begun";
        Error::new(Status::Cancelled, "spawner", format!("{}: {why}", self.command.cannot()))
    }

    /// What is told of one that was made, and of which there is no descriptor to be had.
    fn unknown(&self, pid: i32) -> Error {
        let text = format!("{}: there is no pidfd of it to be had, or the host has reaped it itself", self.command.cannot());
        Error::new(Status::Limit, "pidfd_open", text).with_pid(pid)
    }

    /// What is told of one whose spawner has ended.
    pub fn lost(&self) -> Error {
        Error::new(Status::Aborted, "spawner", format!("{}: the spawner has ended", self.command.cannot()))
    }

    /// What is told of one whose program has not begun in its time.
    pub fn late(&self) -> Error {
        Error::new(Status::Timeout, "exec", format!("{}: its program has not begun in its time", self.command.cannot()))
    }

    /// How long it may take until its program has begun, from when on.
    pub fn due(&self) -> clock::Deadline {
        self.ingredients.due(&self.command)
    }
}

impl UnderWay {
    /// Its slot of the registry.
    fn registered(&self) -> Option<registry::Slot> {
        self.lease.as_ref().and_then(Lease::slot)
    }

    /// Gives that back; reaps the process that there was: (pid, pidfd or -1).
    fn leave(mut self, process: Option<(i32, i32)>) {
        let (Some(slot), Some(lease)) = (self.registered(), self.lease.take()) else { return };
        let over = slot.state() == word::State::Exited;
        let left = match process {
            // Kill-all may have reaped it: then its number is anybody's.
            Some((pid, pidfd)) if !over || pidfd >= 0 => slot.bury_born(pid, pidfd),
            _ => slot.set_unborn(),
        };
        if !left || !lease.retire() {
            std::mem::forget(self.births.clone());
        }
    }
}

impl Drop for UnderWay {
    /// Whoever drops it knows that it has no process. If not, its slot stays, so that kill-all finds it, and so must the memory where its number stands.
    fn drop(&mut self) {
        if self.lease.is_some() {
            std::mem::forget(self.births.clone());
        }
    }
}

/// What a spawner is started by.
pub fn spawner_command(program: &CStr, passed: &[(i32, i32)]) -> Result<Command> {
    use super::command::{EnvBase, Stdio};
    use crate::sys::spawn::Isolation;
    let mut command = Command::new(std::ffi::OsStr::from_bytes(program.to_bytes()))?;
    for stream in 0..3 {
        command.stdio(stream, Stdio::Null)?;
    }
    for (from, to) in passed {
        command.pass_fd(*from, *to)?;
    }
    command.env_base(EnvBase::Clear).isolate(Isolation::None)?.die_with_host(true);
    Ok(command)
}
