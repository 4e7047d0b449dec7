//! What the driver watches, and until when: the channel, the other process, the control path, those who leave, and one timer.

use nix::errno::Errno;

use super::driver::{CHANNEL, CONTROL, Driver, PEER, Party, RETRY};
use super::machine::owner;
use super::peer::{Leaving, Peer};
use super::wire::Link;
use crate::clock;
use crate::sys::poll;

/// How often a warm successor looks at the word by itself.
const LOOK: i64 = 250 * clock::MILLI;

impl Driver {
    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Begins to listen to the other end.
    pub fn watch_link(&mut self, link: Link) -> Result<(), Errno> {
        self.set.add(link.socket(), CHANNEL)?;
        self.writing = false;
        self.link = Some(link);
        Ok(())
    }

    /// Begins to watch for its death. On failure it is dismissed.
    pub fn watch_peer(&mut self, peer: Peer) -> Result<(), Errno> {
        self.peer_pid = peer.pid;
        if let Err(errno) = self.set.add(peer.pidfd(), PEER) {
            if let Some(leaving) = peer.dismiss() {
                self.see_out(leaving);
            }
            return Err(errno);
        }
        self.peer = Some(peer);
        Ok(())
    }

    pub fn close_link(&mut self) {
        if let Some(link) = self.link.take() {
            self.set.remove(link.socket());
        }
    }

    pub fn drop_peer(&mut self) -> Option<Peer> {
        let peer = self.peer.take()?;
        self.set.remove(peer.pidfd());
        Some(peer)
    }

    /// Watches the control path, or no more. Whoever connects meanwhile waits in the kernel's line.
    pub fn watch_control(&mut self, on: bool) {
        let Some(control) = &self.control else { return };
        match (on, self.control_watched) {
            (true, false) => {
                self.control_watched = self.set.add(control, CONTROL).is_ok();
                if !self.control_watched {
                    self.control_again = Some(clock::now() + RETRY);
                }
            }
            (false, true) => {
                self.set.remove(control);
                self.control_watched = false;
            }
            _ => {}
        }
    }

    /// While the application seals, the timer is brought forward to where the next wait may end, so that the commit need not set it.
    fn ahead(&self) -> Option<i64> {
        let Party::Owner(machine) = &self.party else { return None };
        let running = self.armed.filter(|at| clock::now() < *at);
        (machine.phase == owner::Phase::Sealing).then(|| clock::now().saturating_add(self.limits.live).min(running.unwrap_or(i64::MAX)))
    }

    /// What the descriptor shows must fit what there is to take; and the timer what is due. Called when the lock is given back.
    pub fn rest(&mut self) {
        let waiting = !self.notices.is_empty();
        if waiting != self.raised {
            self.raised = waiting;
            if waiting { self.flag.raise() } else { self.flag.lower() }
        }
        self.look_at = self.is_warm().then(|| self.look_at.unwrap_or_else(|| clock::now() + LOOK));
        let stalled = self.link.as_ref().is_some_and(Link::is_stalled).then(|| clock::now() + poll::PAUSE);
        let times = [self.deadline(), self.control_again, self.ahead(), self.look_at, stalled];
        let guests = self.guests.iter().map(|guest| guest.until);
        let leaving = self.leaving.iter().filter_map(|(_, leaving)| leaving.due());
        let never = i64::MAX;
        let soonest = times.into_iter().map(|at| at.unwrap_or(never)).chain(guests).chain(leaving).fold(never, i64::min);
        let due = (soonest != never).then_some(soonest);
        // A timer that goes off too early costs one look, and setting it a system call in the gap: it is only ever brought forward,
        // or set anew once it has gone off.
        let early = self.armed.is_some_and(|at| due.is_none_or(|due| at <= due) && clock::now() < at);
        if due != self.armed && !early {
            self.armed = due;
            self.timer.set(due);
        }
        if let Some(link) = &self.link
            && link.wants_to_write() != self.writing
        {
            self.writing = !self.writing;
            let _ = self.set.set_writing(link.socket(), CHANNEL, self.writing);
        }
    }

    // ---- those who leave ----

    pub fn see_out(&mut self, mut leaving: Leaving) {
        if leaving.tick(clock::now()) {
            return;
        }
        let key = self.number();
        let _ = self.set.add(leaving.pidfd(), key);
        self.leaving.push((key, leaving));
    }

    pub fn see_off(&mut self, which: Option<u64>) {
        let now = clock::now();
        let set = &self.set;
        self.leaving.retain_mut(|(key, leaving)| {
            let meant = which.is_none_or(|which| which == *key);
            let over = meant && leaving.tick(now);
            if over || which == Some(*key) {
                set.remove(leaving.pidfd());
            }
            // Readable and not to be reaped: a tracer holds it. A level-triggered set would spin.
            if !over && (which == Some(*key) || leaving.again.is_some_and(|at| now >= at)) {
                leaving.again = Some(now + poll::PAUSE);
            }
            !over
        });
    }
}
