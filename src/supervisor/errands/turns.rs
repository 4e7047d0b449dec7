//! Turns: who takes them, and what is watched between two.
//!
//! | it ...                             | a turn is asked for | next                                                  |
//! |------------------------------------|---------------------|-------------------------------------------------------|
//! | rests                              | yes                 | has its turn, by whoever asked                        |
//! | has its turn                       | yes                 | one more, by the same thread; after [`IN_A_ROW`] soon |
//! | rests, and its turn wants something | -                  | rests                                                 |
//! | has its turn, which wants nothing  | -                   | over                                                  |
//! | rests, and the host is closed      | -                   | over, called off                                      |
//! | has its turn, and the host is closed | -                 | over, and called off after it                         |
//! | is over                            | (nothing happens)   |                                                       |
//!
//! The trap is what comes between two looks at the table: whoever asks for a turn may come late, when the errand is over, or when the token he was
//! told means another of its descriptors. So a turn may always come for nothing, and never after the end.

use std::cell::Cell;
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use nix::errno::Errno;
use rustc_hash::FxHashMap;

use super::{Errand, MAX_FDS, Wants};
use crate::clock::{self, Deadline};
use crate::error::Result;
use crate::lock::lock;
use crate::supervisor::errors::shut_down;
use crate::supervisor::inner::{ERRANDS, Inner};
use crate::sys::fds;
use crate::sys::poll;
use crate::sys::reactor::{Reactor, Token, WakeUp};
use crate::sys::reserve::out_of_memory;

/// An errand has the token `ERRANDS + id * PLACES` (its time), and those after it (its descriptors).
const PLACES: u64 = 16;
/// So many turns are taken one after the other by a thread that finds it asked for again.
const IN_A_ROW: usize = 4;
/// A descriptor that was ready still after so many turns is set aside.
const IN_VAIN: u8 = 8;

thread_local! {
    /// Turns on this thread's stack.
    static TURNS: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread is in a turn.
pub(in crate::supervisor) fn in_turn() -> bool {
    TURNS.with(Cell::get) != 0
}

struct InTurn;

impl InTurn {
    fn begin() -> Self {
        TURNS.with(|turns| turns.set(turns.get() + 1));
        Self
    }
}

impl Drop for InTurn {
    fn drop(&mut self) {
        TURNS.with(|turns| turns.set(turns.get() - 1));
    }
}

/// One errand.
#[derive(Debug)]
pub(in crate::supervisor) struct Run {
    pub(super) id: u64,
    errand: Arc<dyn Errand>,
    turning: Mutex<Turning>,
    /// Touched by who has the turn, and by who has found it over.
    slots: Mutex<[Option<Slot>; MAX_FDS]>,
}

#[derive(Debug, Default)]
struct Turning {
    under_way: bool,
    /// It was asked for meanwhile.
    again: bool,
    over: bool,
    /// Places that were set aside meanwhile.
    aside: u16,
}

#[derive(Debug)]
struct Slot {
    wanted: Arc<OwnedFd>,
    writing: bool,
    is_watched: bool,
    /// In so many turns it was ready before and after.
    in_vain: u8,
}

impl Run {
    fn token(&self, place: u64) -> Token {
        Token(ERRANDS + self.id * PLACES + place)
    }
}

/// Those of one supervisor.
#[derive(Debug, Default)]
pub(in crate::supervisor) struct Errands {
    count: AtomicUsize,
    /// Somebody was poked in a turn.
    poked: AtomicBool,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    running: FxHashMap<u64, Arc<Run>>,
    last: u64,
    closed: bool,
    drivers: Vec<(ThreadId, Arc<WakeUp>)>,
    /// Of a drive that is over, for the next one: as long as there are errands.
    spare: Option<Arc<WakeUp>>,
}

/// A thread that drives; until it is dropped.
pub(super) struct Driver<'a> {
    of: &'a Errands,
    pub(super) wake_up: Option<Arc<WakeUp>>,
}

impl Driver<'_> {
    pub(super) fn heard(&self) {
        if let Some(wake_up) = &self.wake_up {
            wake_up.lower();
        }
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        let Some(wake_up) = self.wake_up.take() else { return };
        let mut table = lock(&self.of.table);
        table.drivers.retain(|(_, other)| !Arc::ptr_eq(other, &wake_up));
        // It may be up: who has it next looks once more than he had to.
        if table.spare.is_none() && !table.running.is_empty() {
            table.spare = Some(wake_up);
        }
    }
}

impl Errands {
    /// Whether there are any.
    pub(in crate::supervisor) fn any(&self) -> bool {
        self.count.load(Ordering::Relaxed) != 0
    }

    pub(super) fn enter(&self, errand: Arc<dyn Errand>) -> Result<Arc<Run>> {
        let mut table = lock(&self.table);
        if table.closed {
            return Err(shut_down());
        }
        table.running.try_reserve(1).map_err(out_of_memory)?;
        table.last += 1;
        let run = Arc::new(Run { id: table.last, errand, turning: Mutex::default(), slots: Mutex::default() });
        table.running.insert(run.id, run.clone());
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(run)
    }

    pub(super) fn find(&self, id: u64) -> Option<Arc<Run>> {
        lock(&self.table).running.get(&id).cloned()
    }

    pub(super) fn drive(&self) -> Driver<'_> {
        let spare = lock(&self.table).spare.take();
        let wake_up = spare.or_else(|| WakeUp::new().ok().map(Arc::new));
        let mut table = lock(&self.table);
        let wake_up = wake_up.filter(|_| table.drivers.try_reserve(1).is_ok());
        table.drivers.extend(wake_up.clone().map(|wake_up| (thread::current().id(), wake_up)));
        Driver { of: self, wake_up }
    }

    /// Rings all who drive, but this thread: that asks anew before it waits.
    pub(in crate::supervisor) fn rouse(&self) {
        let table = lock(&self.table);
        if table.drivers.is_empty() {
            return;
        }
        let own = thread::current().id();
        table.drivers.iter().filter(|(thread, _)| *thread != own).for_each(|(_, driver)| driver.raise());
    }
}

impl Inner {
    /// There is one more to look after.
    pub(super) fn errand_entered(&self) {
        self.busy.fetch_add(1, Ordering::Relaxed);
        // Who waits for a child of the default supervisor watches its set from now on.
        self.wake_all();
    }

    /// One of its descriptors is ready, or its time has come.
    pub(in crate::supervisor) fn look_at_errand(self: &Arc<Self>, token: Token) {
        let (id, place) = ((token.0 - ERRANDS) / PLACES, (token.0 - ERRANDS) % PLACES);
        if let Some(run) = self.errands.find(id) {
            self.take_turn(&run, Some(place).filter(|place| *place > 0));
        }
    }

    pub(super) fn poke_errand(self: &Arc<Self>, id: u64) {
        let Some(run) = self.errands.find(id) else { return };
        if !in_turn() {
            self.take_turn(&run, None);
            return self.follow_pokes();
        }
        let mut turning = lock(&run.turning);
        if turning.under_way {
            turning.again = true;
        } else if !turning.over {
            // Under the lock: a turn that begins now sets its time after this.
            let _ = self.reactor.set_due(run.token(0), Deadline::at(clock::now()));
            self.errands.poked.store(true, Ordering::Release);
        }
    }

    pub(super) fn poke_errand_from(&self, id: u64, from: i64) {
        let Some(run) = self.errands.find(id) else { return };
        let mut turning = lock(&run.turning);
        if turning.under_way {
            turning.again = true;
        } else if !turning.over && Deadline::at(from) < self.reactor.due(run.token(0)) {
            // Of the default supervisor, on whose set nobody waits as a rule: the next look finds it, and who is about to wait.
            let is_quiet = self.is_default && lock(&self.errands.table).drivers.is_empty();
            let set = if is_quiet { Reactor::set_due_quietly } else { Reactor::set_due };
            let _ = set(&self.reactor, run.token(0), Deadline::at(from));
        }
    }

    /// What was poked in a turn has its own now. Each once: two that poke each other have theirs in later looks.
    pub(in crate::supervisor) fn follow_pokes(self: &Arc<Self>) {
        if self.errands.poked.load(Ordering::Relaxed) && !in_turn() && self.errands.poked.swap(false, Ordering::AcqRel) {
            self.keep_times(&mut None);
        }
    }

    /// Takes its turn, unless another thread has it: that takes one more then. `by`: the place of the descriptor that is ready.
    pub(super) fn take_turn(self: &Arc<Self>, run: &Arc<Run>, by: Option<u64>) {
        {
            let mut turning = lock(&run.turning);
            if turning.over {
                return;
            }
            if turning.under_way {
                turning.again = true;
                if let Some(place) = by {
                    // Nothing can be done about it here until that turn is over.
                    self.reactor.set_aside(run.token(place));
                    turning.aside |= 1 << place;
                }
                return;
            }
            turning.under_way = true;
        }
        let mut by = by;
        for _ in 0..IN_A_ROW {
            let turned = {
                let _turn = InTurn::begin();
                catch_unwind(AssertUnwindSafe(|| run.errand.turn(clock::now())))
            };
            let wants = match turned {
                Ok(Some(wants)) => wants,
                Ok(None) => return self.end_errand(run),
                Err(panic) => {
                    self.end_errand(run);
                    run.errand.called_off();
                    self.errands.rouse();
                    resume_unwind(panic);
                }
            };
            self.want(run, wants, by.take());
            self.errands.rouse();
            let mut turning = lock(&run.turning);
            if turning.over {
                drop(turning);
                self.unwatch_errand(run);
                run.errand.called_off();
                return self.errands.rouse();
            }
            for place in (1..PLACES).filter(|place| turning.aside & (1 << place) != 0) {
                self.reactor.take_back(run.token(place));
            }
            turning.aside = 0;
            if !std::mem::take(&mut turning.again) {
                turning.under_way = false;
                return;
            }
        }
        // Asked for again in each of them: the others are to have theirs as well.
        let mut turning = lock(&run.turning);
        turning.under_way = false;
        if !turning.over {
            let _ = self.reactor.set_due(run.token(0), Deadline::at(clock::now()));
            return;
        }
        drop(turning);
        self.unwatch_errand(run);
        run.errand.called_off();
        self.errands.rouse();
    }

    /// Watches what it wants from now on, and no more what it wanted before.
    fn want(&self, run: &Run, wants: Wants, by: Option<u64>) {
        let Wants { fds, mut due } = wants;
        let mut slots = lock(&run.slots);
        let is_wanted = |slot: &Slot| fds.iter().any(|(fd, _)| Arc::ptr_eq(fd, &slot.wanted));
        for (place, slot) in (1..).zip(slots.iter_mut()) {
            if let Some(gone) = slot.take_if(|slot| !is_wanted(slot))
                && gone.is_watched
            {
                self.reactor.remove(run.token(place));
            }
        }
        let mut all = true;
        for (fd, writing) in fds {
            let there = slots.iter().position(|slot| slot.as_ref().is_some_and(|slot| Arc::ptr_eq(&slot.wanted, &fd)));
            let Some(index) = there.or_else(|| slots.iter().position(Option::is_none)) else {
                all = false;
                break;
            };
            let token = run.token(index as u64 + 1);
            let slot = slots[index].get_or_insert(Slot { wanted: fd, writing: false, is_watched: false, in_vain: 0 });
            slot.is_watched = slot.is_watched || self.watch_for(token, &slot.wanted);
            if slot.is_watched && self.reactor.set_writing(token, writing).is_err() {
                self.reactor.remove(token);
                slot.is_watched = false;
            }
            slot.writing = writing;
            all &= slot.is_watched;
        }
        if let Some(place) = by
            && let Some(slot) = slots[place as usize - 1].as_mut().filter(|slot| slot.is_watched)
        {
            slot.in_vain = if poll::is_ready(slot.wanted.as_fd(), slot.writing) { slot.in_vain.saturating_add(1) } else { 0 };
            if slot.in_vain > IN_VAIN {
                self.reactor.set_aside(run.token(place));
            }
        }
        drop(slots);
        if !all {
            due = due.min(Deadline::after(poll::PAUSE));
        }
        let _ = self.reactor.set_due(run.token(0), due);
    }

    /// A set knows a descriptor once; what the supervisor, or another errand, watches already is watched by a duplicate.
    fn watch_for(&self, token: Token, fd: &Arc<OwnedFd>) -> bool {
        match self.reactor.add(token, fd) {
            Ok(()) => true,
            Err(fault) if fault.errno == Errno::EEXIST => {
                fds::duplicate(fd).is_ok_and(|copy| self.reactor.add(token, &Arc::new(copy)).is_ok())
            }
            Err(_) => false,
        }
    }

    fn unwatch_errand(&self, run: &Run) {
        for (place, slot) in (1..).zip(lock(&run.slots).iter_mut()) {
            if slot.take().is_some_and(|slot| slot.is_watched) {
                self.reactor.remove(run.token(place));
            }
        }
        let _ = self.reactor.set_due(run.token(0), Deadline::NEVER);
    }

    /// Its last turn was taken.
    fn end_errand(&self, run: &Run) {
        {
            let mut turning = lock(&run.turning);
            (turning.over, turning.under_way) = (true, false);
        }
        self.unwatch_errand(run);
        let gone = {
            let mut table = lock(&self.errands.table);
            let gone = table.running.remove(&run.id);
            if table.running.is_empty() {
                table.spare = None;
            }
            gone
        };
        if gone.is_some() {
            self.errand_gone();
        }
        self.errands.rouse();
    }

    fn errand_gone(&self) {
        self.errands.count.fetch_sub(1, Ordering::Relaxed);
        self.busy.fetch_sub(1, Ordering::Relaxed);
    }

    /// The supervisor is closed: none has a turn any more.
    pub(in crate::supervisor) fn call_off_errands(&self) {
        let running = {
            let mut table = lock(&self.errands.table);
            table.closed = true;
            table.spare = None;
            std::mem::take(&mut table.running)
        };
        for run in running.into_values() {
            self.errand_gone();
            let under_way = {
                let mut turning = lock(&run.turning);
                turning.over = true;
                turning.under_way
            };
            if !under_way {
                self.unwatch_errand(&run);
                run.errand.called_off();
            }
        }
        self.errands.rouse();
    }
}
