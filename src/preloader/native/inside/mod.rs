//! Within a process that wants to be a preloader, and within its workers.
//!
//! ```text
//!   open --> LOADING --ready--> SERVING --fork--> (the copy) at its gate --GO--> WORKER --ready--> WORKER
//!               |                  ^                              |                 |
//!             failed               |                        end of channel        asked: PROMOTE
//!                                  '---------------- ready -- CANDIDATE <-----------'
//! ```
//!
//! One object goes through all of it, and through the fork: the copy is a worker with the object that was the preloader's. What the original holds for
//! itself (control channel, other births, pidfds) is closed in the copy before anybody is told of it.
//!
//! Traps.
//! - **A copy that fails must end, not return**: its caller would take it for the preloader, and there would be two. From the fork to the open gate
//!   whatever goes wrong ends the process (`newborn.rs`).
//! - **Signals stay blocked until the gate is open**: a handler is the application's code.
//! - No lock is held while this waits or forks, and the hooks are called without one.
//!
//! | file         | what                                                            |
//! |--------------|-----------------------------------------------------------------|
//! | `opening.rs` | how a control channel is found                                  |
//! | `control.rs` | the control channel of a preloader                              |
//! | `host.rs`    | whether the host lives                                          |
//! | `asked.rs`   | births that are asked for and not made yet (pure)               |
//! | `kept.rs`    | children of its own: their ends are kept until the host has seen them |
//! | `serving.rs` | forks, and what is said of them                                 |
//! | `newborn.rs` | the gate                                                        |
//! | `places.rs`  | descriptors that came with GO, put where they belong            |
//! | `worker.rs`  | a worker's own channel                                          |
//! | `promoted.rs` | a worker that becomes a preloader                              |

mod asked;
mod control;
mod host;
mod kept;
mod newborn;
mod opening;
mod places;
mod promoted;
mod serving;
mod worker;

use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::errno::Errno;

use self::asked::Asked;
use self::control::Control;
use self::worker::Private;
use super::wire::{self, Kind, Link, Tag};
use crate::error::{Error, Result, Status};
use crate::sys::fork::{self, TidAddress};
use crate::sys::forklock::ForkLock;
use crate::sys::{collapse, threads};

/// What a call of a fork server returns as.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[strum(suffix = "\0")]
#[repr(i32)]
pub enum Role {
    /// The preloader: it has forked once, or there is nothing more to do now.
    #[strum(serialize = "PS_ROLE_PRELOADER")]
    Preloader = 0,
    /// A worker: this process is new, registered at its host, and its gate is open.
    #[strum(serialize = "PS_ROLE_WORKER")]
    Worker = 1,
    /// The preloader, and it shall go: its host says so, or is gone.
    #[strum(serialize = "PS_ROLE_STOP")]
    Stop = 2,
}

/// How workers are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[strum(suffix = "\0")]
#[repr(i32)]
pub enum Way {
    /// By libc's fork: handlers of pthread_atfork run, and workers are the preloader's children.
    #[strum(serialize = "PS_FORK_LIBC")]
    Libc = 0,
    /// As the host's own children, by a bare clone (CLONE_PARENT): no handler of pthread_atfork runs. Where that
    /// cannot be had, as above.
    #[strum(serialize = "PS_FORK_SIBLING")]
    Sibling = 1,
}

/// What a worker is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[strum(suffix = "\0")]
#[repr(i32)]
pub enum Wish {
    /// Nothing.
    #[strum(serialize = "PS_ASKED_NOTHING")]
    Nothing = 0,
    /// To become the preloader of the next generation: end your work, and say that you are ready as one.
    #[strum(serialize = "PS_ASKED_PROMOTE")]
    Promote = 1,
    /// To go: the host is gone, or lets this worker go.
    #[strum(serialize = "PS_ASKED_STOP")]
    Stop = 2,
}

/// When a hook is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// Before a fork, in the preloader.
    Before,
    /// After it, there.
    InPreloader,
    /// In the worker, behind its gate.
    InWorker,
}

/// What has to be done in a copy so that its caller finds this object. (No closure: that could be code of its own.)
pub trait Pass {
    fn pass(self);
}

/// What the application does around a fork.
pub type Hook = dyn Fn(Moment) + Send + Sync;

/// Where it stands.
#[derive(Debug)]
enum Stand {
    Loading(Control),
    Serving(Control),
    Worker(Private),
    /// Nothing is to be said to anybody: it has failed, was told to stop, or is between two stands.
    Over,
}

struct State {
    stand: Stand,
    way: Way,
    /// Where siblings can be made: where libc keeps its thread id.
    tid: Option<TidAddress>,
    /// The pages were collapsed in this process.
    collapsed: bool,
    hook: Option<Arc<Hook>>,
    /// The end of the one that is being forked, or was last.
    forking: Forking,
    /// A birth that a runtime which forks by itself has taken.
    accepted: Option<Asked<Arc<OwnedFd>>>,
    /// The process that has taken it.
    maker: i32,
}

/// A newborn's end of its pair around the fork: put down before it, for both sides to find. The original closes the number alone, and lets go of the rest
/// before the next fork: what it wrote to behind this one it would copy first, page by page.
#[derive(Debug, Default)]
struct Forking(Option<Arc<OwnedFd>>);

impl Forking {
    /// Puts it down. Answers its number.
    fn put(&mut self, end: Arc<OwnedFd>) -> RawFd {
        let number = end.as_raw_fd();
        self.forget();
        self.0 = Some(end);
        number
    }

    /// Takes it, where it is open still.
    #[inline(always)]
    fn take(&mut self) -> Option<Arc<OwnedFd>> {
        self.0.take()
    }

    /// Its number was closed.
    fn forget(&mut self) {
        if let Some(end) = self.0.take().and_then(Arc::into_inner) {
            let _ = end.into_raw_fd();
        }
    }
}

impl Drop for Forking {
    fn drop(&mut self) {
        self.forget();
    }
}

/// See the head of this file.
pub struct Preload {
    state: ForkLock<State>,
    /// The process whose it is; 0 as long as nobody has said so.
    process: AtomicI32,
}

impl std::fmt::Debug for Preload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Preload")
    }
}

/// A call at the wrong time.
fn state(step: &'static str, why: &str) -> Error {
    Error::new(Status::State, step, why)
}

/// Nobody hears any more what is said.
fn host_is_gone(step: &'static str) -> Error {
    Error::new(Status::Cancelled, step, "the host is gone, or has let this process go")
}

impl Preload {
    /// Of a process whose host has said so in its environment; once in the life of a process and its copies.
    pub fn open() -> Result<Self> {
        let control = opening::take()?;
        let state = State {
            stand: Stand::Loading(control),
            way: Way::Libc,
            tid: None,
            collapsed: false,
            hook: None,
            forking: Forking::default(),
            accepted: None,
            maker: 0,
        };
        Ok(Self { state: ForkLock::new(state), process: AtomicI32::new(0) })
    }

    /// The process that has it, as it was told: this one, or the one that it was copied from.
    #[inline(always)]
    pub fn process(&self) -> i32 {
        self.process.load(Ordering::Relaxed)
    }

    /// It is this process's.
    #[inline(always)]
    pub fn set_process(&self, process: i32) {
        self.process.store(process, Ordering::Relaxed);
    }

    /// What is called around each fork from now on.
    pub fn set_hook(&self, hook: Option<Arc<Hook>>) {
        let before = std::mem::replace(&mut self.state.lock().hook, hook);
        drop(before);
    }

    /// Whether there is a hook: where there is none nothing is written to behind a fork.
    fn has_hook(&self) -> bool {
        self.state.lock().hook.is_some()
    }

    #[inline(always)]
    fn call_hook(&self, moment: Moment) {
        let hook = self.state.lock().hook.clone();
        if let Some(hook) = hook {
            hook(moment);
        }
    }

    /// Puts this process's memory into huge pages; the second time there is nothing to do.
    pub fn collapse(&self) -> Result<()> {
        match &mut *self.state.lock() {
            State { stand: Stand::Serving(_), .. } => {
                return Err(state("collapse", "workers share the pages already: collapse before ps_preload_ready"));
            }
            State { collapsed: true, .. } => return Ok(()),
            _ => {}
        }
        let made = collapse::whole().map_err(|errno| match errno {
            nix::errno::Errno::ENOTSUP => Error::new(Status::Unsupported, "madvise", "this kernel has no MADV_COLLAPSE (Linux 6.1)"),
            _ => {
                Error::new(Status::Unsupported, "proc", "which pages are there cannot be known: /proc/self/pagemap or smaps cannot be read")
            }
        })?;
        if made.blocks == 0 && made.refused > 0 {
            let text = format!("none of {} blocks could be made a huge page: none was free, or they are not allowed here", made.refused);
            return Err(Error::new(Status::Limit, "madvise", text));
        }
        self.state.lock().collapsed = true;
        Ok(())
    }

    /// Loading is done: births are taken from now on. Of a worker that was asked to: it is the preloader of the next generation.
    pub fn ready(&self, way: Way, with_collapse: bool) -> Result<()> {
        match &mut self.state.lock().stand {
            Stand::Loading(_) => {}
            Stand::Worker(private) => private.check_candidate()?,
            Stand::Serving(_) => return Err(state("ready", "it was said already")),
            Stand::Over => return Err(state("ready", "this preloader has failed or was told to stop")),
        }
        // What must be quiet at a fork is made quiet for this question, too.
        self.call_hook(Moment::Before);
        let trial = self.check_threads();
        self.call_hook(Moment::InPreloader);
        if let Err(error) = trial {
            let _ = self.say_failed(&error);
            return Err(error);
        }
        // Optional by its nature: a host learns from READY whether it was done.
        let collapsed = with_collapse && self.collapse().is_ok();
        let tid = if way == Way::Sibling && self.is_hosts_own() && !fork::is_init() { fork::tid_address() } else { None };
        let flags = [(way == Way::Sibling, wire::SIBLING), (tid.is_some(), wire::IS_SIBLING), (collapsed, wire::COLLAPSED)];
        let flags = flags.iter().filter(|(on, _)| *on).fold(0, |all, (_, bit)| all | bit);
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let (mut control, before) = match std::mem::replace(&mut state.stand, Stand::Over) {
            Stand::Loading(control) => (control, None),
            Stand::Worker(mut private) => match private.take_candidate() {
                Some(candidate) => (candidate.control, Some((private, candidate.until))),
                None => {
                    state.stand = Stand::Worker(private);
                    return Err(self::state("ready", "it is not asked for any more"));
                }
            },
            other => {
                state.stand = other;
                return Err(self::state("ready", "another thread was faster"));
            }
        };
        (state.way, state.tid) = (way, tid);
        let said = control.say_ready(flags);
        if let Some((private, until)) = before {
            drop(guard);
            return self.be_taken(said, control, private, until);
        }
        state.stand = if said.is_ok() { Stand::Serving(control) } else { Stand::Over };
        said
    }

    /// Loading has failed, or the worker does not come to work; or it cannot become a preloader, and stays what it is.
    pub fn failed(&self, text: &str) -> Result<()> {
        self.say_failed(&Error::new(Status::Aborted, "load", text))
    }

    fn say_failed(&self, error: &Error) -> Result<()> {
        let mut guard = self.state.lock();
        let text = error.message.as_str();
        match &mut guard.stand {
            Stand::Loading(control) => {
                let said = control.say_failed(error.status, text);
                guard.stand = Stand::Over;
                said
            }
            Stand::Worker(private) => match private.take_candidate() {
                Some(mut candidate) => candidate.control.say_failed(error.status, text),
                None => private.say_failed(error.status, text),
            },
            _ => Err(state("failed", "this process serves already, or is told to stop")),
        }
    }

    /// What to watch. It is another one after each change of what this process is.
    pub fn fd(&self) -> Result<RawFd> {
        match &mut self.state.lock().stand {
            Stand::Loading(control) | Stand::Serving(control) => control.fd(),
            Stand::Worker(private) => private.fd(),
            Stand::Over => Err(state("fd", "nothing will be said any more")),
        }
    }

    fn check_threads(&self) -> Result<()> {
        let tasks = match &self.state.lock().stand {
            Stand::Loading(control) | Stand::Serving(control) => threads::others_by(control.tasks()),
            Stand::Worker(_) | Stand::Over => threads::others(),
        };
        alone(tasks)
    }

    /// The end of it: what was asked for and not done is not done.
    pub fn close(&self) {
        let stand = std::mem::replace(&mut self.state.lock().stand, Stand::Over);
        if let Stand::Serving(mut control) | Stand::Loading(mut control) = stand {
            control.leave();
        }
    }
}

/// A fork copies the calling thread alone, and the locks of all.
fn alone(others: core::result::Result<threads::Others, Errno>) -> Result<()> {
    let others = others.map_err(|_| {
        Error::new(
            Status::Unsupported,
            "threads",
            "whether this process has other threads cannot be known: there is no /proc, and unshare is refused",
        )
    })?;
    if others.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = others.named.iter().map(|thread| format!("{} ({})", thread.tid, thread.name)).collect();
    let more = match (others.more, named.is_empty()) {
        (0, _) => String::new(),
        (_, true) => "which cannot be named".to_owned(),
        (more, false) => format!(" and {more} more"),
    };
    let text = format!("a fork would copy this thread alone, and whatever lock is held: beside it run {}{more}", named.join(", "));
    Err(Error::new(Status::State, "threads", text))
}

/// A channel's word of who this is.
#[inline(always)]
fn greet(link: &mut Link) -> Result<()> {
    link.say(Kind::Hello, Some((Tag::Versions, wire::versions()))).map_err(|errno| Error::system("sendmsg", errno, "cannot greet the host"))
}
