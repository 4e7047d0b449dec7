//! What the driver tells: the application its events, people the reasons.

use super::Told;
use super::driver::{Driver, Party, id_of};
use super::epoch::{self, Record};
use super::machine::{Notice, Reason};
use crate::clock;
use crate::error::Status;

impl Driver {
    pub fn tell(&mut self, notice: Notice) {
        let deadline = match notice {
            Notice::Drain | Notice::Seal => self.deadline(),
            Notice::Live { unsealed: false } if !self.is_owner() => Some(clock::now().saturating_add(self.limits.live)),
            _ => None,
        };
        let notice = match notice {
            Notice::Aborted(Reason::System) if self.fault.is_some_and(|(_, errno)| Status::of(errno) == Status::Limit) => {
                Notice::Aborted(Reason::Limit)
            }
            other => other,
        };
        if let Notice::Aborted(reason) = notice {
            self.words = std::mem::take(&mut self.said);
            if self.words.is_empty() {
                self.words = reason_text(reason).to_owned();
            }
        }
        self.notices.push_back(Told {
            notice,
            handoff_id: id_of(self.ticket),
            revision: match notice {
                Notice::Live { unsealed: false } => self.record.as_ref().map_or(0, Record::revision),
                _ => 0,
            },
            peer_pid: self.peer_pid,
            deadline_ns: deadline.unwrap_or(0),
            time_ns: clock::now(),
        });
    }

    /// Whose answer has not come in time, where that ends the handoff.
    pub fn late_text(&self) -> Option<&'static str> {
        use super::machine::{owner, successor};
        Some(match &self.party {
            Party::Owner(machine) => match machine.phase {
                owner::Phase::Greeting => "the successor has not opened its end of the handoff in time",
                owner::Phase::Warming => "the successor was not warm in time",
                owner::Phase::Offering(_) | owner::Phase::Probing(_) | owner::Phase::Updating(_) => {
                    "the successor did not answer in time: its loop may hang"
                }
                owner::Phase::Draining => "the running generation did not answer DRAIN in time",
                owner::Phase::Sealing => "the running generation did not answer SEAL in time",
                _ => return None,
            },
            Party::Successor(machine) => match machine.phase {
                successor::Phase::Greeting | successor::Phase::Receiving(_) => "the running generation did not answer in time",
                successor::Phase::Loading => "the successor was not warm in time",
                successor::Phase::Warm => "the running generation did not commit in time",
                _ => return None,
            },
            Party::Gone => return None,
        })
    }

    /// What is in the lock file for those who look.
    pub fn publish(&self) {
        if let Some(lock) = &self.lock {
            epoch::publish(lock, self.generation, self.generation);
        }
    }
}

/// A reason as words, where nobody has given better ones.
pub(super) fn reason_text(reason: Reason) -> &'static str {
    match reason {
        Reason::Cancelled => "the handoff was cancelled",
        Reason::Timeout => "an answer did not come in time",
        Reason::Died => "the other process has ended",
        Reason::HungUp => "the other process has closed the channel",
        Reason::PeerFailed => "the other side gave up",
        Reason::Failed => "the application said that it failed",
        Reason::Version => "no common version of the protocol",
        Reason::Protocol => "the other side did not understand us",
        Reason::Fenced => "the old generation has taken the ownership back",
        Reason::System => "a system call failed",
        Reason::Limit => "descriptors or memory are not to be had",
        Reason::Denied => "the two processes may not work together",
    }
}
