//! A worker that becomes the preloader of the next generation.
//!
//! Traps. **READY is a question**: at the moment at which a worker says it, its time may be over at its host, which closes the channel. A preloader whose
//! channel has ended must go, a worker need not: so it is a worker until the host says GO. **Not every worker can have siblings**: one that libc's
//! fork has made is its old preloader's child, and so would its siblings be.

use nix::unistd::getppid;

use super::control::Control;
use super::worker::Private;
use super::{Preload, Stand};
use crate::clock::{Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::sys::socket;

/// How long beyond its time a host may take for its answer. (One that takes longer finds the channel closed, and its old preloader where it was.)
const ANSWER: i64 = 5_000 * MILLI;
/// And at all.
const LONGEST: i64 = 60_000 * MILLI;

impl Preload {
    /// Whether this process is its host's own child: a preloader that was started is, of a worker it is asked.
    pub(super) fn is_hosts_own(&self) -> bool {
        let guard = self.state.lock();
        match &guard.stand {
            // Who has made the pair. Of another pid namespace both are 0.
            Stand::Worker(private) => socket::peer(private.socket()).is_ok_and(|host| host.pid == getppid().as_raw()),
            _ => true,
        }
    }

    /// It has said that it is ready (or could not), and waits for what its host answers.
    pub(super) fn be_taken(&self, said: Result<()>, mut control: Control, private: Private, until: Deadline) -> Result<()> {
        let by = Deadline::after(LONGEST).min(until.plus(ANSWER));
        let taken = said.and_then(|()| {
            let gone = || Error::new(Status::Cancelled, "promote", "the host does not want it as a preloader any more: it stays a worker");
            control.is_taken(by).then_some(()).ok_or_else(gone)
        });
        let mut state = self.state.lock();
        match taken {
            Ok(()) => {
                // Its end would be the host's word to go: it is kept, and closed with the control channel.
                control.keep(private.into_link());
                state.stand = Stand::Serving(control);
                Ok(())
            }
            Err(error) => {
                state.stand = Stand::Worker(private);
                drop(state);
                drop(control);
                Err(error)
            }
        }
    }
}
