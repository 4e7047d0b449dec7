//! What needs nobody's word: whether processes live, what the page says, who holds the lock.
//!
//! The trap is the child that is to be killed. A look at the word says what is so now, and the child may own a moment later; so for that it was stopped
//! before, and what it does not own then it cannot come to own (`machine/supervisor.rs`). Where the page cannot be seen (an owner of an older
//! release sends none) nobody is killed for a lack of proof.

use std::path::Path;

use super::*;
use crate::handoff::control;
use crate::handoff::machine::supervisor::{Seen, Who};
use crate::handoff::machine::word::Stage;
use crate::handoff::record::Glance;
use crate::sys::directory::Directory;
use crate::sys::{lockfile, pidfd, procfs};

/// The page that an owner has shown.
#[derive(Debug)]
pub struct Word {
    pub page: Glance,
}

/// What the word says; `owner` and `child` by their pids.
pub fn seen(word: Option<&Word>, path: &Path, owner: i32, child: i32) -> Seen {
    let Some(now) = word.and_then(|word| word.page.word()) else {
        let named = control::last_owner(path).filter(|last| last.is_here).map(|last| last.pid);
        return if child > 0 && named == Some(child) { Seen::Child } else { Seen::Unknown };
    };
    let signed = word.map_or(0, |word| word.page.owner(now.generation).0);
    match now.stage {
        Stage::Settled if child > 0 && signed == child => Seen::Child,
        Stage::Settled if signed == owner => Seen::Base,
        Stage::Settled => Seen::Other,
        Stage::Offered => Seen::Offered,
        Stage::Committed | Stage::Live | Stage::Returned | Stage::Condemned => Seen::Handing,
    }
}

/// The same of a child that stands still and is to be ended, if it does not own. One that its owner's death has left without an offer becomes a first
/// generation by itself: on a page of its own, so that the one that is known here goes on saying that it owns nothing. But the lock file names it, from
/// before it was told to serve.
pub fn judged(word: Option<&Word>, path: &Path, owner: i32, child: i32) -> Seen {
    match seen(word, path, owner, child) {
        Seen::Base | Seen::Offered if is_named(path, child) => Seen::Child,
        seen => seen,
    }
}

/// Whether the lock file says that this process owns. A number may have been another's before.
fn is_named(path: &Path, pid: i32) -> bool {
    let named = control::last_owner(path).filter(|last| last.is_here && last.pid == pid);
    named.is_some_and(|last| last.start.is_none() || last.start == procfs::start_time(pid))
}

/// Whether the child may own, or come to.
pub fn may_own(seen: Seen) -> bool {
    !matches!(seen, Seen::Base | Seen::Offered)
}

impl Native {
    /// What the word says now.
    pub(super) fn seen(&self) -> Seen {
        let owner = if self.owner.is_some() { self.owner_pid() } else { self.owner_end.0 };
        // The last child may be the owner by now.
        let child = if self.machine.child || self.machine.replacing { self.child_pid } else { 0 };
        let look = if matches!(self.machine.phase, Phase::Looking | Phase::Judging) { judged } else { seen };
        look(self.word.as_ref(), &self.path, owner, child)
    }

    pub(super) fn look_at_owner(&mut self, core: &mut Core) {
        let Some(owner) = &mut self.owner else { return };
        if !owner.process.is_dead() {
            _ = owner.process.tick();
            return;
        }
        // What it has said before counts before; by that another may own.
        self.hear(core);
        let Some(mut known) = self.owner.take_if(|owner| owner.process.is_dead()) else { return };
        core.reactor.forget(OWNER);
        self.owner_end = (known.process.pid, Ended::default());
        match known.process.tick() {
            Some(ended) => self.owner_end.1 = ended,
            // A tracer holds it.
            None => core.end(known.process),
        }
        self.drop_dead_channel(core, self.owner_end.0);
        self.feed(core, Event::OwnerGone);
    }

    pub(super) fn look_at_child(&mut self, core: &mut Core) {
        let Some(child) = &mut self.child else { return };
        if !child.is_dead() {
            _ = child.tick();
            return;
        }
        self.hear(core);
        let Some(mut child) = self.child.take() else { return };
        core.reactor.forget(CHILD);
        let pid = child.pid;
        self.child_end = match child.tick() {
            Some(ended) => ended,
            None => {
                core.end(child);
                Ended::default()
            }
        };
        if self.machine.phase == Phase::Opening {
            self.owner_end = (pid, self.child_end);
        }
        self.drop_dead_channel(core, pid);
        self.feed(core, Event::ChildGone);
    }

    /// Whether the stopped child runs no more instruction.
    pub(super) fn look_whether_still(&mut self, core: &mut Core) {
        let still = self.child.as_ref().is_none_or(Process::stands_still);
        if still {
            self.feed(core, Event::Still(true));
        } else {
            let _ = core.reactor.set_due(STILL, Deadline::after(MILLI));
        }
    }

    /// Whether nobody holds the lock of the path: no generation is left, and none is starting.
    pub(super) fn lock_is_free(&self) -> bool {
        let path = control::lock_path(&self.path);
        let Ok(directory) = Directory::of(&path) else { return true };
        let Some(name) = path.file_name() else { return true };
        match lockfile::look_at(&directory, name) {
            Ok(file) => lockfile::is_free(&file).unwrap_or(false),
            Err(lockfile::Refusal::Cannot(nix::errno::Errno::ENOENT)) => true,
            // What cannot be opened is not ours to judge.
            Err(_) => false,
        }
    }

    /// The lock file, where it says what nobody else does.
    pub(super) fn look_at_lock(&mut self, core: &mut Core) {
        if self.machine.looks_at_lock() && !self.recovering && self.lock_is_free() {
            return self.feed(core, Event::LockFree);
        }
        if !self.older {
            return;
        }
        let Some(named) = control::last_owner(&self.path).filter(|last| last.is_here).map(|last| last.pid) else { return };
        if self.child.as_ref().is_some_and(|child| child.pid == named) {
            self.older = false;
            self.feed(core, Event::Estate(Who::Child));
        } else if named != self.owner_pid() {
            // Somebody else: he is asked.
            self.older = false;
        }
    }

    /// An owner that serves no observers has answered: who it is the kernel says.
    pub(super) fn meet_older(&mut self, core: &mut Core, channel: &Channel) {
        let pid = channel.peer();
        self.older = true;
        let who = self.who(pid);
        if who == Who::Other {
            let Ok(process) = channel.identity(pid, None) else { return };
            if pidfd::number_here(std::os::fd::AsRawFd::as_raw_fd(&process)) != Some(pid) {
                return;
            }
            self.replace_owner(core, Process::stranger(pid, process), 0);
        }
        self.feed(core, Event::Estate(who));
    }

    pub(super) fn who(&self, pid: i32) -> Who {
        if self.owner_pid() == pid && pid > 0 {
            Who::Owner
        } else if self.child.as_ref().is_some_and(|child| child.pid == pid) {
            Who::Child
        } else {
            Who::Other
        }
    }

    /// Another owns now; the one before goes its own way.
    pub(super) fn replace_owner(&mut self, core: &mut Core, process: Process, generation: u64) {
        core.reactor.forget(OWNER);
        if let Some(before) = self.owner.replace(Known { process, generation, build: String::new() }) {
            core.end(before.process);
        }
    }
}
