//! What a child has of its host that is taken away as a rule, or given anew: ignored signals, blocked ones, a place in a group, and its turn when
//! memory is out.
//!
//! The traps.
//! - **The mask is a thread's, and the spawn may be another thread's**: a start that waits in line, or a restart, is carried out by whoever drives the
//!   supervisor. So the mask is taken down where the command is (`Command::pinned`), and only a spawn here and now asks for it.
//! - **A group that it joins is not its own**: signals go to the process alone, and nobody is swept. To all that asks, it is one without isolation.
//! - **What the host does with a signal may change between two spawns**, and for the sake of a child it must not: so what a child ignores is said by
//!   the command alone.

use std::sync::Arc;

use nix::errno::Errno;

use super::Command;
use crate::error::{Error, Result};
use crate::sys::signal;
use crate::sys::spawn::Isolation;

/// The lowest and the highest of proc_pid_oom_score_adj(5).
const SCORES: core::ops::RangeInclusive<i32> = -1000..=1000;

/// What is blocked in a child.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mask {
    /// Nothing.
    #[default]
    Empty,
    /// What is blocked in the thread that spawns it.
    AtSpawn,
    /// What was blocked in that.
    These(u64),
}

impl Mask {
    /// For a spawn by this thread, now.
    pub fn now(self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::AtSpawn => signal::blocked(),
            Self::These(mask) => mask,
        }
    }

    /// For a spawn by whomever, later.
    pub fn pin(&mut self) {
        if *self == Self::AtSpawn {
            *self = Self::These(signal::blocked());
        }
    }
}

/// See the head of this file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inheritance {
    /// Bit n-1 for signal n.
    pub(in crate::process) ignored: u64,
    pub(in crate::process) mask: Mask,
    /// The group that it joins; 0: none.
    pub(in crate::process) joins: i32,
    pub(in crate::process) oom_score_adj: Option<i32>,
}

impl Inheritance {
    /// Whether a request with it is for one spawn alone. Names every field (see `prepared.rs`).
    pub(super) fn differs(&self) -> bool {
        let Self { ignored: _, mask, joins, oom_score_adj: _ } = self;
        *mask != Mask::Empty || *joins != 0
    }

    /// What only its maker could give to a process.
    pub(super) fn of_a_maker(&self) -> Option<&'static str> {
        let Self { ignored, mask, joins, oom_score_adj } = self;
        super::lasting::first([
            (*ignored != 0, "keep_ignored"),
            (*mask != Mask::Empty, "keep_mask"),
            (*joins != 0, "process_group"),
            (oom_score_adj.is_some(), "oom_score_adj"),
        ])
    }

    /// What a reader of an error of one of these steps would have to look for himself.
    pub(in crate::process) fn explain(&self, step: &str, errno: Errno) -> String {
        match (step, errno) {
            ("setpgid", Errno::EPERM) if self.joins != 0 => {
                format!(": there is no process group {} in the session of this process", self.joins)
            }
            ("oom_score_adj", Errno::EACCES) => {
                let score = self.oom_score_adj.unwrap_or_default();
                format!(
                    ": {score} is less than this process has had, which takes CAP_SYS_RESOURCE, or /proc/self is not its own (PR_SET_DUMPABLE)"
                )
            }
            ("oom_score_adj", Errno::ENOENT) => ": /proc is not there".to_owned(),
            _ => String::new(),
        }
    }
}

impl Command {
    /// How readily the kernel ends the child when memory is out, -1000 (never) to 1000 (first).
    pub fn oom_score_adj(&mut self, adj: i32) -> Result<&mut Self> {
        if !SCORES.contains(&adj) {
            return Err(Error::invalid("oom_score_adj", format!("oom_score_adj: {adj} is not between -1000 and 1000")));
        }
        self.identity.inheritance.oom_score_adj = Some(adj);
        Ok(self)
    }

    /// The signals that the child ignores, whatever this process does with them.
    pub fn keep_ignored(&mut self, signals: &[i32]) -> Result<&mut Self> {
        let mut ignored = 0;
        for (index, signal) in signals.iter().enumerate() {
            if !(1..=signal::MAX).contains(signal) || [libc::SIGKILL, libc::SIGSTOP].contains(signal) {
                let why = if (1..=signal::MAX).contains(signal) { "cannot be ignored" } else { "is no signal" };
                return Err(Error::invalid("keep_ignored", format!("keep_ignored: signals[{index}]: {signal} {why}")));
            }
            ignored |= signal::bit(*signal);
        }
        self.identity.inheritance.ignored = ignored;
        Ok(self)
    }

    /// Whether what is blocked in the thread that spawns is blocked in the child.
    pub fn keep_mask(&mut self, on: bool) -> &mut Self {
        self.identity.inheritance.mask = if on { Mask::AtSpawn } else { Mask::Empty };
        self
    }

    /// The process group that the child joins; 0: it leads one.
    pub fn process_group(&mut self, pgid: i32) -> Result<&mut Self> {
        if pgid < 0 {
            return Err(Error::invalid("process_group", format!("process_group: {pgid} is no process group")));
        }
        self.isolate(if pgid == 0 { Isolation::Group } else { Isolation::None })?;
        self.identity.inheritance.joins = pgid;
        Ok(self)
    }

    /// The same command for a spawn that another thread may carry out.
    pub(crate) fn with_this_mask(self: &Arc<Self>) -> Arc<Self> {
        let mut same = self.clone();
        if self.identity.inheritance.mask == Mask::AtSpawn {
            Self::change(&mut same).identity.inheritance.mask.pin();
        }
        same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_its_maker_could_give_is_refused_by_name_and_ties_nobody() {
        type Setter = (&'static str, fn(&mut Command));
        let setters: [Setter; 4] = [
            ("keep_ignored", |command| _ = command.keep_ignored(&[libc::SIGHUP]).unwrap()),
            ("keep_mask", |command| _ = command.keep_mask(true)),
            ("process_group", |command| _ = command.process_group(1).unwrap()),
            ("oom_score_adj", |command| _ = command.oom_score_adj(0).unwrap()),
        ];
        for (option, set) in setters {
            let mut command = Command::new("x").unwrap();
            set(&mut command);
            assert_eq!(command.check_adoption().unwrap_err().step, option);
            assert_eq!(command.check_birth().unwrap_err().step, option);
            command.check_outlives_host().unwrap();
        }
        let mut plain = Command::new("x").unwrap();
        plain.keep_ignored(&[]).unwrap().keep_mask(false).process_group(0).unwrap();
        plain.check_adoption().unwrap();
        assert!(plain.is_standing());
    }

    #[test]
    fn a_mask_is_that_of_the_thread_that_has_pinned_it() {
        let mut command = Arc::new(Command::new("x").unwrap());
        assert_eq!(command.with_this_mask().identity.inheritance.mask, Mask::Empty);
        Command::change(&mut command).keep_mask(true);
        assert!(!command.is_standing());
        let here = signal::blocked();
        let pinned = command.with_this_mask();
        assert_eq!(pinned.identity.inheritance.mask, Mask::These(here));
        let blocked = signal::Blocked::all();
        assert_ne!(signal::blocked(), here);
        assert_eq!(pinned.pinned().unwrap().identity.inheritance.mask.now(), here);
        assert_eq!(command.pinned().unwrap().identity.inheritance.mask, Mask::These(signal::blocked()));
        drop(blocked);
    }

    #[test]
    fn the_last_of_group_and_isolation_counts() {
        let mut command = Command::new("x").unwrap();
        let now = |command: &Command| (command.identity.isolation, command.identity.inheritance.joins);
        command.isolate(Isolation::Session).unwrap().process_group(7).unwrap();
        assert_eq!(now(&command), (Isolation::None, 7));
        assert!(command.process_group(-1).is_err());
        assert_eq!(now(&command), (Isolation::None, 7));
        command.isolate(Isolation::None).unwrap();
        assert_eq!(now(&command), (Isolation::None, 0));
        command.process_group(7).unwrap().process_group(0).unwrap();
        assert_eq!(now(&command), (Isolation::Group, 0));
    }
}
