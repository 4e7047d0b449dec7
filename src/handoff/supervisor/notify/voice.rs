//! What a daemon says of itself by sd_notify(3), from its start to its end: also when it is no child of the registry any more.
//!
//! The trap is MAINPID: a daemon that forks says who goes on in its place, and from then on it is that one who is signalled, on a number's word. So it
//! has to be proven: the process is a descendant of the one that speaks, or of its group, while that one's number is still its own, or has this very
//! NOTIFY_SOCKET in its environment (an orphan has no other mark); and it is held by its pidfd from before that look on. What cannot be proven, or ended, is
//! not believed, and the end of the one that was started counts.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use crate::clock::Deadline;
use crate::coordination::notify::{Message, Receiver, Says, Whom};
use crate::coordination::service::variables::NOTIFY_SOCKET;
use crate::coordination::watchdog::{Heard, Watchdog};
use crate::process::child::Child;
use crate::sys::pidfd::{self, Life};
use crate::sys::procfs;
use crate::sys::wait::{self, Seen};

/// So many words of one look count: who says more says nothing new.
const MOST: usize = 1024;

/// So many claims of MAINPID of one look are looked into: each costs a walk through /proc, and reads up to a MiB there.
const MOST_MAINS: usize = 4;

/// What follows from what it has said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// READY=1.
    Ready,
    /// STOPPING=1.
    Stopping,
    /// EXTEND_TIMEOUT_USEC, nanoseconds.
    Extend(i64),
    /// MAINPID, not proven.
    Main(i32),
    /// Its watchdog has run out, or it gives itself up.
    Bitten,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Voice {
    receiver: Arc<Receiver>,
    watchdog: Option<Watchdog>,
    pid: i32,
    pidfd: Arc<OwnedFd>,
    /// It was made here, and leads a group.
    ours: bool,
    leads: bool,
    stopping: bool,
}

impl Voice {
    /// Of a child that was just made; `None`: it has no NOTIFY_SOCKET.
    pub fn of(child: &Child) -> Option<Self> {
        let pidfd = child.pidfd()?;
        let (receiver, watchdog) = child.take_voice()?;
        receiver.tell_of_main();
        Some(Self { receiver, watchdog, pid: child.pid(), pidfd, ours: true, leads: child.leads_group(), stopping: false })
    }

    /// Readable when something was said.
    pub fn fd(&self) -> &Arc<OwnedFd> {
        self.receiver.fd()
    }

    /// From now on its silence counts.
    pub fn ready(&mut self, now: i64) {
        if let Some(watchdog) = &mut self.watchdog {
            watchdog.ready(now);
        }
    }

    /// When to look because of its silence.
    pub fn due(&self) -> Deadline {
        self.watchdog.as_ref().map_or(Deadline::NEVER, Watchdog::due)
    }

    /// It is another process from now on.
    pub fn moves(&mut self, pid: i32, pidfd: Arc<OwnedFd>) {
        (self.pid, self.pidfd, self.ours, self.leads) = (pid, pidfd, false, false);
    }

    fn is_reaped(&self) -> bool {
        match self.ours {
            true => wait::look(self.pidfd.as_raw_fd(), self.pid) == Seen::Gone,
            false => pidfd::life(self.pidfd.as_raw_fd()) == Life::Reaped,
        }
    }

    /// What it has said since. `true`: there is more. `last`: it has ended, and all of it is to be heard.
    pub fn hear(&mut self, now: i64, last: bool, words: &mut Vec<Word>) -> bool {
        let (receiver, pidfd) = (self.receiver.clone(), self.pidfd.clone());
        let whom = Whom { pid: self.pid, inside: None, pidfd: Some(&pidfd), reaped: self.is_reaped(), leads: self.leads, cgroup: None };
        if last {
            receiver.hear_out(whom, |message| self.take(&message, now, words));
            return false;
        }
        let heard = receiver.hear(whom, |message| self.take(&message, now, words));
        let how_much = match heard {
            Ok(true) => Heard::All,
            Ok(false) => Heard::Part,
            Err(_) => Heard::Nothing,
        };
        if self.watchdog.as_mut().is_some_and(|watchdog| watchdog.judge(now, how_much)) {
            words.push(Word::Bitten);
        }
        heard != Ok(true)
    }

    fn take(&mut self, message: &Message, now: i64, words: &mut Vec<Word>) {
        let bitten = self.watchdog.as_mut().is_some_and(|watchdog| watchdog.hear(message, now));
        if words.len() > MOST {
            return words.extend(bitten.then_some(Word::Bitten));
        }
        // Who follows is said in the message that says READY, or before.
        let mains = words.iter().filter(|word| matches!(word, Word::Main(_))).count();
        words.extend(message.main_pid.filter(|pid| *pid != self.pid && mains < MOST_MAINS).map(Word::Main));
        if let Some(usec) = message.extend_usec {
            words.push(Word::Extend(i64::try_from(usec).unwrap_or(i64::MAX).saturating_mul(1_000)));
        }
        match message.says {
            Some(Says::Ready) => words.push(Word::Ready),
            Some(Says::Stopping) if !std::mem::replace(&mut self.stopping, true) => words.push(Word::Stopping),
            Some(Says::Stopping | Says::Reloading(_)) | None => {}
        }
        if bitten {
            words.push(Word::Bitten);
        }
    }

    /// The process that this one calls its main one, if that can be proven.
    pub fn prove(&self, main: i32) -> Option<OwnedFd> {
        if self.is_reaped() {
            return None;
        }
        let held = pidfd::open(main).ok()?;
        let mark = || format!("{NOTIFY_SOCKET}={}", self.receiver.address());
        let is_its = procfs::descends_from(main, self.pid)
            || self.leads && pidfd::group_of_number(main) == Some(self.pid)
            || procfs::was_given(main, mark().as_bytes());
        // It lives now: so the number was its own when it was looked at.
        (is_its && pidfd::life(held.as_raw_fd()) == Life::Running).then_some(held)
    }
}
