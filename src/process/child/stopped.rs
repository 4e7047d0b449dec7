//! Whether it is stopped. It stands beside its state, which only goes forward.
//!
//! The trap: no descriptor says so, and a look that nobody asked for would cost each child. So who asks for events of it names an interval, and is
//! told by the times of the supervisor ([`Child::due`]); all others ask when they want to know.

use std::os::fd::AsRawFd;

use super::Child;
use crate::clock::{self, Deadline};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::stops::News;
use crate::registry::Tie;
use crate::sys::procfs;
use crate::sys::stopped::{self, Seen};

impl Child {
    /// The signal by which it is stopped; 0: it is not. Looks now.
    pub fn stopped_by(&self) -> Result<i32> {
        self.check()?;
        let look = self.rare().stops.as_deref().map(|stops| lock(stops).ask_now(clock::now()));
        let seen = self.look_whether_stopped(true);
        let known = self.rare().stops.as_deref().zip(look).and_then(|(stops, look)| {
            let mut stops = lock(stops);
            stops.found(look, seen);
            stops.signal()
        });
        match seen {
            Seen::Going => Ok(0),
            // Who has watched it knows what the kernel may have told somebody else since.
            Seen::Stopped(signal) => Ok(known.unwrap_or(signal)),
            Seen::Hidden => {
                let message = format!("neither the kernel nor /proc says whether process {} is stopped", self.pid);
                Err(Error::new(Status::Unsupported, "stopped", message).with_pid(self.pid))
            }
        }
    }

    /// The look whose time has come.
    pub(super) fn look_for_stop(&self) {
        let Some(stops) = self.rare().stops.as_deref().filter(|_| self.home.is_here()) else { return };
        let look = lock(stops).ask(clock::now());
        if let Some(look) = look {
            let seen = self.look_whether_stopped(look.thorough);
            lock(stops).found(look, seen);
        }
    }

    fn look_whether_stopped(&self, thorough: bool) -> Seen {
        // One that was reaped stands no more.
        let Some(pidfd) = self.pidfd() else { return Seen::Going };
        if self.rare().inside.is_some() {
            // It is not init that is stopped.
            return procfs::first_child(self.pid).map_or(Seen::Hidden, |program| stopped::look_below(pidfd.as_raw_fd(), program));
        }
        stopped::look(pidfd.as_raw_fd(), self.pid, self.tie == Tie::Child, thorough)
    }

    /// When it is to be looked at again.
    pub(super) fn stop_due(&self) -> Deadline {
        self.rare().stops.as_deref().map_or(Deadline::NEVER, |stops| lock(stops).due())
    }

    /// Whether there is something to tell of it.
    pub fn has_stop_news(&self) -> bool {
        self.rare().stops.as_deref().is_some_and(|stops| lock(stops).has_news())
    }

    /// The next thing to tell, and since when it is so.
    pub fn take_stop_news(&self) -> Option<(News, i64)> {
        lock(self.rare().stops.as_deref()?).take_news()
    }
}
