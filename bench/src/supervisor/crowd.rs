//! Many sleeping children under one supervisor, of each kind that is compared. What is timed is the same for all: from
//! the kill of one (or some) to the moment at which the host knows of the exit and has given everything back. The
//! replacement is spawned outside of it.

use crate::peers::PAUSE;
use crate::procsup::{Api, Child, Command, PS_EVENT_EXITED, PS_EVENT_STARTED, Supervisor};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::ffi::{CString, c_char, c_int};
use std::os::fd::BorrowedFd;

const PATIENCE_MS: u16 = 60_000;

unsafe extern "C" {
    fn bench_sweep_init() -> c_int;
    fn bench_sweep_fill(path: *const c_char, pids: *mut libc::pid_t, n: usize) -> c_int;
    fn bench_sweep_take(pids: *mut libc::pid_t, n: usize, exits: usize) -> c_int;
    fn bench_floor_take(pids: *mut libc::pid_t, places: *const usize, exits: usize) -> c_int;
    #[cfg(have_libuv)]
    fn bench_uv_many_fill(path: *const c_char, pids: *mut libc::pid_t, n: usize) -> c_int;
    #[cfg(have_libuv)]
    fn bench_uv_many_take(exits: usize) -> c_int;
}

/// How the host of procsup's children waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The supervisor's descriptor in the host's own epoll set, then `ps_supervisor_next_event` until there is none.
    EventLoop,
    /// `ps_supervisor_next_event`, which waits.
    Blocking,
}

pub trait Crowd {
    /// Spawns where nobody lives, among the first `n` places.
    fn fill(&mut self, n: usize) -> Result<(), String>;
    fn pids(&self) -> &[libc::pid_t];
    /// Waits until those in these places have ended and been reaped; the places are empty then, by the next `fill` at the
    /// latest. Only the floor looks at which they are, the others have to find out.
    fn take(&mut self, places: &[usize], how: How) -> Result<(), String>;
}

pub fn errno(status: c_int) -> Result<(), String> {
    if status == 0 { Ok(()) } else { Err(std::io::Error::from_raw_os_error(-status).to_string()) }
}

/// `n`: the most that will ever live. The lists of the host are made now, so that they are nobody's memory per child.
pub fn of(method: &str, n: usize, api: Option<&'static Api>) -> Result<Box<dyn Crowd>, String> {
    match (method, api) {
        ("procsup", Some(api)) => Ok(Box::new(Supervised::new(api, n)?)),
        ("sweep", _) => {
            // SAFETY: a handler of its own for SIGCHLD; this process has no other use for it.
            errno(unsafe { bench_sweep_init() })?;
            Ok(Box::new(InC::new(n, bench_sweep_fill, |pids, places| {
                // SAFETY: the array has that many elements.
                unsafe { bench_sweep_take(pids.as_mut_ptr(), pids.len(), places.len()) }
            })))
        }
        ("floor", _) => Ok(Box::new(InC::new(n, bench_sweep_fill, |pids, places| {
            // SAFETY: so many places, all in the array.
            unsafe { bench_floor_take(pids.as_mut_ptr(), places.as_ptr(), places.len()) }
        }))),
        #[cfg(have_libuv)]
        ("libuv", _) => Ok(Box::new(InC::new(n, bench_uv_many_fill, |_, places| {
            // SAFETY: writes into the array that the last fill had, which is never moved.
            unsafe { bench_uv_many_take(places.len()) }
        }))),
        _ => Err(format!("no method {method}")),
    }
}

/// No child in that place. (No handle of procsup is NULL.)
const NOBODY: libc::pid_t = 0;

struct Supervised {
    api: &'static Api,
    supervisor: Supervisor,
    command: Command,
    /// The host's event loop.
    events: Epoll,
    children: Vec<Option<Child>>,
    pids: Vec<libc::pid_t>,
    ended: Vec<Child>,
}

/// After so many spawns the STARTED events are taken, as a loop would between two other things.
const STARTED_AT_ONCE: usize = 100;

impl Supervised {
    fn new(api: &'static Api, n: usize) -> Result<Self, String> {
        let problem = |errno| format!("epoll: {errno}");
        let supervisor = api.supervisor()?;
        let events = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(problem)?;
        // SAFETY: borrowed from the supervisor, which lives as long as this process.
        let fd = unsafe { BorrowedFd::borrow_raw(api.supervisor_fd(supervisor)?) };
        events.add(fd, EpollEvent::new(EpollFlags::EPOLLIN, 0)).map_err(problem)?;
        let command = api.command(PAUSE)?;
        let (children, pids) = (vec![None; n], touched(n));
        Ok(Self { api, supervisor, command, events, children, pids, ended: Vec::with_capacity(n) })
    }

    #[inline]
    fn took(&mut self, child: Child) {
        self.api.child_free(child);
        self.ended.push(child);
    }

    fn started(&self) -> Result<(), String> {
        while let Some(event) = self.api.next_event(self.supervisor, 0)? {
            if event.kind != PS_EVENT_STARTED {
                return Err(format!("event {} of a child that nobody killed", event.kind));
            }
        }
        Ok(())
    }
}

impl Crowd for Supervised {
    fn fill(&mut self, n: usize) -> Result<(), String> {
        for child in std::mem::take(&mut self.ended) {
            let place = self.children.iter().position(|other| *other == Some(child)).ok_or("a stranger's event")?;
            self.children[place] = None;
            self.pids[place] = NOBODY;
        }
        for place in 0..n {
            if self.children[place].is_some() {
                continue;
            }
            let child = self.api.spawn(Some(self.supervisor), self.command)?;
            self.children[place] = Some(child);
            self.pids[place] = self.api.pid(child)?;
            if place % STARTED_AT_ONCE == 0 {
                self.started()?;
            }
        }
        self.started()
    }

    fn pids(&self) -> &[libc::pid_t] {
        &self.pids
    }

    fn take(&mut self, places: &[usize], how: How) -> Result<(), String> {
        let wanted = self.ended.len() + places.len();
        while self.ended.len() < wanted {
            let mut timeout_ms = i64::from(PATIENCE_MS);
            if how == How::EventLoop {
                timeout_ms = 0;
                let mut ready = [EpollEvent::empty(); 8];
                let waited = self.events.wait(&mut ready, EpollTimeout::from(PATIENCE_MS));
                if waited.map_err(|errno| format!("epoll: {errno}"))? == 0 {
                    return Err("an exit has not come".into());
                }
            }
            let before = self.ended.len();
            while let Some(event) = self.api.next_event(self.supervisor, timeout_ms)? {
                if event.kind != PS_EVENT_EXITED {
                    return Err(format!("event {} instead of an exit", event.kind));
                }
                self.took(event.child);
                if how == How::Blocking && self.ended.len() == wanted {
                    break;
                }
            }
            if how == How::Blocking && self.ended.len() == before {
                return Err("an exit has not come".into());
            }
        }
        Ok(())
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.api.supervisor_free(self.supervisor);
    }
}

type Fill = unsafe extern "C" fn(*const c_char, *mut libc::pid_t, usize) -> c_int;
type Take = fn(&mut [libc::pid_t], &[usize]) -> c_int;

/// The peers: they know their children by pid.
struct InC {
    fill: Fill,
    take: Take,
    path: CString,
    pids: Vec<libc::pid_t>,
}

impl InC {
    fn new(n: usize, fill: Fill, take: Take) -> Self {
        Self { fill, take, path: CString::new(PAUSE).unwrap(), pids: touched(n) }
    }
}

impl Crowd for InC {
    fn fill(&mut self, n: usize) -> Result<(), String> {
        // SAFETY: the array has at least that many elements; the path outlives the call.
        errno(unsafe { (self.fill)(self.path.as_ptr(), self.pids.as_mut_ptr(), n.min(self.pids.len())) })
    }

    fn pids(&self) -> &[libc::pid_t] {
        &self.pids
    }

    fn take(&mut self, places: &[usize], _how: How) -> Result<(), String> {
        errno((self.take)(&mut self.pids, places))
    }
}

impl Drop for InC {
    /// By pid, and none is reaped by anybody else: these numbers are still those of our children.
    fn drop(&mut self) {
        let living: Vec<_> = self.pids.iter().copied().filter(|pid| *pid > NOBODY).collect();
        for &pid in &living {
            // SAFETY: no memory is involved.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
        for &pid in &living {
            // SAFETY: nothing is written.
            while unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) } < 0
                && std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted
            {}
        }
    }
}

/// Empty places, in memory that is really there.
fn touched(n: usize) -> Vec<libc::pid_t> {
    let mut pids = vec![1; n];
    std::hint::black_box(&mut pids).fill(NOBODY);
    pids
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In one test: they all wait for children of this process.
    #[test]
    fn the_ended_leave_their_places_and_are_replaced() {
        let libuv = if crate::peers::libuv_version().is_some() { "libuv" } else { "sweep" };
        for method in ["floor", "sweep", libuv] {
            let mut crowd = of(method, 4, None).unwrap();
            crowd.fill(2).unwrap();
            assert!(crowd.pids()[..2].iter().all(|&pid| pid > 0) && crowd.pids()[2..] == [0, 0], "{method}");
            crowd.fill(4).unwrap();
            let before = crowd.pids().to_vec();
            for place in [1, 3] {
                // SAFETY: no memory is involved.
                assert_eq!(unsafe { libc::kill(before[place], libc::SIGKILL) }, 0);
            }
            crowd.take(&[1, 3], How::EventLoop).unwrap();
            assert_eq!(crowd.pids(), [before[0], 0, before[2], 0], "{method}");
            crowd.fill(4).unwrap();
            assert!(crowd.pids().iter().all(|&pid| pid > 0), "{method}");
        }
    }
}
