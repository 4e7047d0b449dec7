//! The server on procsup: one loop for all generations. The library's descriptor is in the epoll set, and what it says
//! is answered with a call.

use super::super::library::{self, Handoff};
use super::super::method::{Method, is_supervised_elsewhere};
use super::super::ring::Event;
use super::super::work::{THEIRS, Work};
use super::{Options, command, listen};
use crate::host;
use crate::procsup::Api;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::HashSet;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, RawFd};
use std::sync::atomic::Ordering::Acquire;

const LISTENER: &str = "bench";
const DEADLINE_MS: i64 = 60_000;
/// The old one stands by so long. The default is two seconds, and there are several handoffs in each of them.
const PROBATION_MS: i64 = 20;

pub fn serve(mut work: Work, method: &Method, options: &Options) -> Result<(), String> {
    if is_supervised_elsewhere(method)
        && let [Some(cpu), _] = work.ring.cpus()
    {
        host::pin(cpu)?; // its starter is elsewhere
    }
    let api = Api::open(&options.lib)?;
    let handoff = Handoff::new(api, &options.dir.join("control"))?;
    if !method.stateful {
        handoff.set_mode(library::OVERLAP)?;
    }
    handoff.set_timeout(library::TIMEOUT_PROBATION, PROBATION_MS)?;
    // SAFETY: the library's, which stays open as long as the process.
    work.watch(unsafe { BorrowedFd::borrow_raw(handoff.fd()?) }, THEIRS)?;
    work.load();
    if method.stateful {
        work.open_log(&options.dir)?;
    }
    let listener = if handoff.is_successor()? {
        // SAFETY: given to us.
        let listener = unsafe { TcpListener::from_raw_fd(handoff.take_fd(LISTENER)?) };
        work.stamp(Event::Warm);
        handoff.warm()?;
        listener
    } else {
        let listener = listen(&work, false)?;
        handoff.set_fd(LISTENER, listener.as_raw_fd())?;
        listener
    };
    let passes = method.id == "procsup-passed";
    let to_overseer = match method.id {
        "supervised-stopped" => Some((library::DRAIN, Signal::SIGSTOP)),
        "supervised-killed" => Some((library::DRAIN, Signal::SIGKILL)),
        "supervised-killed-late" | "supervised-killed-here" => Some((library::SEAL, Signal::SIGKILL)),
        _ => None,
    };
    let (listener, passed) = (Some(listener), HashSet::new());
    let mut server = Server { work, handoff, listener, draining: false, passes, passed, to_overseer };
    loop {
        let turn = server.work.turn(if server.draining { 1 } else { -1 })?;
        if turn.stop {
            return Ok(());
        }
        if turn.upgrade {
            server.handoff.upgrade(&command(method, &options.dir, &options.lib), DEADLINE_MS)?;
        }
        if server.draining && server.work.drained() {
            server.draining = false;
            server.handoff.drained()?;
        }
        if turn.theirs && server.event()? {
            return Ok(());
        }
    }
}

struct Server {
    work: Work,
    handoff: Handoff,
    /// Before it accepts, and after.
    listener: Option<TcpListener>,
    draining: bool,
    /// Connections go on with the successor; else their clients are told to come back.
    passes: bool,
    /// Those that were sent at DRAIN. (Clients of this load close none.)
    passed: HashSet<RawFd>,
    /// What is done to the supervisor, in the middle of the handoff: at this event, before it is answered.
    to_overseer: Option<(i32, Signal)>,
}

impl Server {
    /// Takes one; if there are more the descriptor stays readable. `true`: retired.
    fn event(&mut self) -> Result<bool, String> {
        let Some(event) = self.handoff.next_event(0)? else { return Ok(false) };
        let work = &mut self.work;
        if let Some((_, signal)) = self.to_overseer.filter(|(kind, _)| *kind == event.kind) {
            let overseer = Pid::from_raw(work.ring.overseer.load(Acquire) as i32);
            if overseer.as_raw() <= 0 {
                return Err("no supervisor".into()); // 0 would be our own group
            }
            kill(overseer, signal).map_err(|errno| format!("{signal} to the supervisor: {errno}"))?;
        }
        match event.kind {
            library::DRAIN if self.passes => {
                self.passed = work.connections().collect();
                self.passed.iter().try_for_each(|fd| self.handoff.pass_connection(*fd))?;
                self.handoff.drained()?;
            }
            library::DRAIN => {
                work.drain();
                self.draining = true;
            }
            library::SEAL => {
                self.listener = work.accept_off();
                if self.passes {
                    work.stop_reading();
                    let mut fresh = work.connections().filter(|fd| !self.passed.contains(fd));
                    fresh.try_for_each(|fd| self.handoff.pass_connection(fd))?;
                } else {
                    work.finish()?;
                }
                let revision = work.write_off()?;
                self.handoff.sealed(revision)?;
                work.stamp(Event::Given);
            }
            library::LIVE => {
                work.stamp(Event::Owns);
                work.write_on()?;
                work.accept_on(self.listener.take().ok_or("no listener")?)?;
                while let Some(fd) = self.handoff.take_connection()? {
                    // SAFETY: given to us.
                    work.adopt(unsafe { TcpStream::from_raw_fd(fd) })?;
                }
                self.handoff.live()?;
                let logged = work.sequence;
                if event.unsealed != 0 || (work.is_logged() && event.revision != logged) {
                    return Err(format!("revision {} of {logged}, unsealed {}", event.revision, event.unsealed));
                }
                if work.generation == 0 {
                    work.ring.settle(0);
                }
            }
            // The new one stands alone, and may be replaced in turn. (The old one hears it too, and stands by.)
            library::COMMITTED if work.is_accepting() && work.generation > 0 => work.ring.settle(work.generation),
            library::COMMITTED => {}
            library::RETIRE => return Ok(true),
            library::RESUME | library::ABORTED => {
                return Err(format!("an aborted handoff: event {}, reason {}", event.kind, event.reason));
            }
            other => return Err(format!("event {other}")),
        }
        Ok(false)
    }
}
