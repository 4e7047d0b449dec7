//! What the same work takes when nobody looks after it: processes and sockets by hand, in the very application that the library forks from.

use super::app::App;
use super::orders::Line;
use crate::preloader::Way;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A bare fork in the preloader: until the child's byte has been read there.
pub struct Fork(pub Rc<App>);

impl Way for Fork {
    fn ready(&mut self) -> Result<Duration, String> {
        self.0.line.ask(b'f', &[]).map(|(ns, _)| Duration::from_nanos(ns))
    }

    fn end(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// A sibling by hand: asked for, its pidfd taken, let through its gate, heard. No deadline, no proof, no registry.
pub struct Sibling {
    app: Rc<App>,
    made: Option<(OwnedFd, Line)>,
}

impl Sibling {
    pub fn new(app: &Rc<App>) -> Self {
        Self { app: app.clone(), made: None }
    }
}

impl Way for Sibling {
    #[inline]
    fn ready(&mut self) -> Result<Duration, String> {
        let begun = Instant::now();
        let (gate, theirs) = Line::pair()?;
        let (_, pidfd) = self.app.line.ask(b's', &[theirs.fd()])?;
        drop(theirs);
        gate.say(b'g', &[])?;
        gate.byte()?;
        let took = begun.elapsed();
        self.made = Some((pidfd.ok_or("no pidfd of a sibling")?, gate));
        Ok(took)
    }

    fn end(&mut self) -> Result<(), String> {
        let (pidfd, _gate) = self.made.take().expect("it was made");
        let failed = |errno| format!("the end of a sibling: {errno}");
        // SAFETY: a descriptor of ours; no information is given along.
        let sent = unsafe {
            libc::syscall(libc::SYS_pidfd_send_signal, std::os::fd::AsRawFd::as_raw_fd(&pidfd), libc::SIGKILL, 0, 0)
        };
        nix::errno::Errno::result(sent).map_err(failed)?;
        waitid(Id::PIDFd(pidfd.as_fd()), WaitPidFlag::WEXITED).map(|_| ()).map_err(failed)
    }
}

/// One worker that waits for messages and says them back.
pub struct Idle {
    line: Line,
    pid: Pid,
    /// That come with each message.
    fds: Vec<RawFd>,
}

impl Idle {
    pub fn new(app: &App, fds: &[RawFd]) -> Result<Self, String> {
        let (line, theirs) = Line::pair()?;
        let (pid, _) = app.line.ask(b'p', &[theirs.fd()])?;
        Ok(Self { line, pid: Pid::from_raw(pid as i32), fds: fds.to_owned() })
    }
}

impl Way for Idle {
    #[inline]
    fn ready(&mut self) -> Result<Duration, String> {
        let begun = Instant::now();
        self.line.say(b'a', &self.fds)?;
        self.line.byte()?;
        Ok(begun.elapsed())
    }

    fn end(&mut self) -> Result<(), String> {
        Ok(())
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let _ = kill(self.pid, Signal::SIGKILL); // the application's child, which it has not waited for
    }
}

/// The same of a worker that nobody has asked anything yet, as each of a pool is: forked while nobody waited, it meets its pages when it is asked.
pub struct Fresh {
    app: Rc<App>,
    fds: Vec<RawFd>,
    idle: Idle,
}

impl Fresh {
    pub fn new(app: &Rc<App>, fds: &[RawFd]) -> Result<Self, String> {
        Ok(Self { app: app.clone(), fds: fds.to_owned(), idle: Idle::new(app, fds)? })
    }
}

impl Way for Fresh {
    #[inline]
    fn ready(&mut self) -> Result<Duration, String> {
        self.idle.ready()
    }

    fn end(&mut self) -> Result<(), String> {
        self.idle = Idle::new(&self.app, &self.fds)?;
        Ok(())
    }
}
