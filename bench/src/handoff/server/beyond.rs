//! A server on the crate beyond-handoff, in two forms, whoever its supervisor is (`v1`: procsup). `beyond` is what its documentation shows: stop accepting in
//! `drain`, open the state after `Begin`, announce, then serve; journal and lock lie on the disk. `beyond-tuned` is the
//! best that its interface allows: no journal, everything loaded before the first message to the supervisor (it has five
//! seconds for that), accepting until `seal`, serving before `Ready` is sent; all files in memory.
//!
//! Its hooks run on a thread of its own, so they ask the loop and wait for its answer.

use super::super::method::{Method, is_tuned};
use super::super::ring::{Event, Ring};
use super::super::work::{THEIRS, Work};
use super::Options;
use beyond_handoff::{
    BegunSuccessor, DataDirLock, DrainReport, Drainable, Error, Incumbent, ReadinessSnapshot, Role, SealReport,
    StateSnapshot, detect_role,
};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Of the listener.
pub const NAME: &str = "bench";

pub fn control_path(dir: &Path) -> PathBuf {
    dir.join("control")
}

/// Where its journal and its lock file are.
pub fn state_dir(method: &Method, dir: &Path) -> PathBuf {
    if is_tuned(method) { dir.to_owned() } else { super::super::disk(dir) }
}

pub fn serve(mut work: Work, method: &Method, options: &Options) -> Result<(), String> {
    let tuned = is_tuned(method);
    let (control, state) = (control_path(&options.dir), state_dir(method, &options.dir));
    let (hooks, asked) = Hooks::new(&work)?;
    work.watch(&*hooks.bell, THEIRS)?;
    match detect_role().map_err(said)? {
        Role::ColdStart { mut inherited } => {
            let listener = inherited.take(NAME).ok_or("no listener was passed on")?;
            let lock = DataDirLock::acquire_or_break_stale(&state).map_err(said)?;
            work.open_log(&options.dir)?;
            work.write_on()?;
            let incumbent = Incumbent::bind_cold_start(&control, lock).map_err(said)?;
            serve_hooks(incumbent, hooks);
            work.accept_on(listener)?;
        }
        Role::Successor(successor) if tuned => {
            work.load();
            work.open_log(&options.dir)?;
            work.stamp(Event::Warm);
            let mut begun = successor.handshake(Vec::new()).and_then(|it| it.wait_for_begin()).map_err(said)?;
            work.stamp(Event::Owns);
            let (listener, lock) = taken(&mut begun, &state)?;
            work.write_on()?;
            work.accept_on(listener)?;
            let incumbent = begun.announce_and_bind(ready(&work), &control, lock).map_err(said)?;
            serve_hooks(incumbent, hooks);
        }
        Role::Successor(successor) => {
            work.stamp(Event::Warm);
            let mut begun = successor.handshake(Vec::new()).and_then(|it| it.wait_for_begin()).map_err(said)?;
            work.stamp(Event::Owns);
            let (listener, lock) = taken(&mut begun, &state)?;
            work.load();
            work.open_log(&options.dir)?;
            let incumbent = begun.announce_and_bind(ready(&work), &control, lock).map_err(said)?;
            serve_hooks(incumbent, hooks);
            work.write_on()?;
            work.accept_on(listener)?;
        }
    }
    work.ring.settle(work.generation);
    serve_until_replaced(work, &asked, tuned)
}

/// Ends with the process: when the supervisor has committed, the library's `serve` returns.
fn serve_until_replaced(mut work: Work, asked: &Asked, tuned: bool) -> Result<(), String> {
    let mut listener = None; // listening, not accepting
    loop {
        let turn = work.turn(-1)?;
        if turn.stop {
            return Ok(());
        }
        if !turn.theirs {
            continue;
        }
        asked.bell.read().map_err(|errno| format!("eventfd: {errno}"))?;
        let order = asked.orders.recv().map_err(|_| "the hooks have gone")?;
        if order == Order::Drain {
            if !tuned {
                listener = work.accept_off();
            }
            work.drain();
            while !work.drained() {
                work.turn(1)?;
            }
        }
        if order == (if tuned { Order::Seal } else { Order::Drain }) {
            listener = listener.or_else(|| work.accept_off());
            work.finish()?;
            work.write_off()?;
        }
        if order == Order::Resume {
            return Err("an aborted handoff".into());
        }
        asked.answers.send(work.sequence).map_err(|_| "the hooks have gone")?;
    }
}

fn serve_hooks(incumbent: Incumbent, hooks: Hooks) {
    std::thread::spawn(move || match incumbent.serve(hooks) {
        Ok(()) => std::process::exit(0),
        Err(error) => {
            eprintln!("beyond-handoff: {error}");
            std::process::exit(1)
        }
    });
}

fn taken(begun: &mut BegunSuccessor, state: &Path) -> Result<(TcpListener, DataDirLock), String> {
    let listener = begun.take_listener(NAME).ok_or("no listener was passed on")?;
    Ok((listener, DataDirLock::acquire(state).map_err(said)?))
}

fn ready(work: &Work) -> ReadinessSnapshot {
    let revisions = vec![work.sequence];
    ReadinessSnapshot { listening_on: vec![NAME.into()], healthz_ok: true, advertised_revision_per_shard: revisions }
}

fn said(error: Error) -> String {
    error.to_string()
}

#[derive(PartialEq, Eq)]
enum Order {
    Drain,
    Seal,
    Resume,
}

/// The loop's end of the hooks.
struct Asked {
    orders: Receiver<Order>,
    answers: Sender<u64>,
    bell: Arc<EventFd>,
}

struct Hooks {
    orders: Mutex<Sender<Order>>,
    answers: Mutex<Receiver<u64>>,
    bell: Arc<EventFd>,
    ring: &'static Ring,
    generation: u32,
}

impl Hooks {
    fn new(work: &Work) -> Result<(Self, Asked), String> {
        let bell =
            EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC).map_err(|errno| format!("eventfd: {errno}"))?;
        let bell = Arc::new(bell);
        let ((order, orders), (answer, answers)) = (channel(), channel());
        let (orders_in, answers_out) = (Mutex::new(order), Mutex::new(answers));
        let (ring, generation) = (work.ring, work.generation);
        let hooks = Self { orders: orders_in, answers: answers_out, bell: bell.clone(), ring, generation };
        Ok((hooks, Asked { orders, answers: answer, bell }))
    }

    /// From the library's thread: until the loop has done it.
    fn ask(&self, order: Order) -> Result<u64, Error> {
        let gone = || Error::Protocol("the loop has gone".into());
        self.orders.lock().map_err(|_| gone())?.send(order).map_err(|_| gone())?;
        self.bell.write(1).map_err(|_| gone())?;
        self.answers.lock().map_err(|_| gone())?.recv().map_err(|_| gone())
    }
}

impl Drainable for Hooks {
    fn drain(&self, _deadline: Instant) -> Result<DrainReport, Error> {
        self.ask(Order::Drain)?;
        Ok(DrainReport { open_conns_remaining: 0, accept_closed: true })
    }

    fn seal(&self) -> Result<SealReport, Error> {
        let sequence = self.ask(Order::Seal)?;
        self.ring.stamp(self.generation, Event::Given);
        Ok(SealReport { last_revision_per_shard: vec![sequence], data_dir_fingerprint: [0; 32] })
    }

    fn resume_after_abort(&self) -> Result<(), Error> {
        self.ask(Order::Resume).map(|_| ())
    }

    fn snapshot_state(&self) -> StateSnapshot {
        StateSnapshot::default()
    }
}
