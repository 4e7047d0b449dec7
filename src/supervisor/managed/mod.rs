//! One child under a supervisor: what a child handle in C stands for. It outlives its processes: it may wait for its first
//! one in the queue, and have one after another.
//!
//! ```text
//!   Waiting --turn--> Starting --made--> Live --ended, and not to be started again--> Over
//!      |  ^               |                 |
//!      |  '---------------+-----------------'   after a wait, if its command says so
//!      '--cancelled, or could not be started--> Over
//! ```
//!
//! This is what its owner sees of the scheduler's stages; they change when the decisions are carried out (`carry_out.rs`). A child that is never
//! started again stays Live: whether it has ended is its process's own business (`process/child.rs`).
//! Trap: whoever waits for a child must hear of a new stage, which no descriptor tells: so each waiter leaves a wake-up here, and
//! every new stage raises it. `calls.rs` has what its owner asks and does, `ready.rs` how he waits for it to be ready, `several.rs` who waits for many,
//! `input.rs` how he feeds it.

mod calls;
mod input;
mod ready;
mod several;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Inner;
use super::errands::{Promise, Start};
use super::inner::{MAX_UNREAD, MAX_UNREAD_LINES};
use super::restart::Next;
use super::scheduler::Id;
use crate::clock;
use crate::coordination::budget::Refusal;
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::belongings::Belongings;
use crate::process::child::Child;
use crate::process::command::{Budgeted, Command, Restart};
use crate::process::spawn::{self, Undo};
use crate::sys::reactor::WakeUp;

/// So many events of a child's being stopped wait at a time: a stop and its continue.
const STOPS_WAITING: u32 = 2;

/// A child and the supervisor that looks after it.
#[derive(Debug)]
pub struct Managed {
    supervisor: Arc<Inner>,
    /// What the scheduler knows it by; nothing under the default supervisor, which has none.
    id: Id,
    run: Mutex<Run>,
    /// The budget that it is bound to.
    budgeted: Option<Arc<Budgeted>>,
    /// What is needed to start it, if it waits or may come back.
    recipe: Option<Box<Recipe>>,
    token: AtomicU64,
    user_data: u64,
    /// Its output comes as lines.
    speaks: bool,
    /// What its process is watched by; 0: none yet.
    key: AtomicU64,
    /// It shall not be started any more.
    halted: AtomicBool,
    exit_taken: AtomicBool,
    let_go: AtomicBool,
    /// It is to be told that it has said something of itself.
    said: AtomicBool,
    /// It is to be told that there is room for its input.
    room: AtomicBool,
    /// Events of its being stopped that wait in the queue.
    stops_waiting: AtomicU32,
    /// Threads that wait for it.
    waiting: AtomicU32,
    /// Its entries in the queue of events; the memory that output takes there, and its lines.
    entries: AtomicU32,
    unread_lines: AtomicU32,
    unread: AtomicU32,
}

#[derive(Debug)]
struct Recipe {
    restart: Restart,
    /// Given to its one process, or kept as long as it comes back: with it go the duplicates of lent descriptors.
    stock: Mutex<Option<Stock>>,
    /// Who makes its process, where that may take its time.
    promise: Option<Promise>,
    /// The birth that a spawner was asked for; 0: none.
    birth: AtomicU64,
}

impl Recipe {
    fn new(restart: Restart, stock: Option<Stock>, promise: Option<Promise>) -> Box<Self> {
        Box::new(Self { restart, stock: Mutex::new(stock), promise, birth: AtomicU64::new(0) })
    }
}

#[derive(Debug)]
struct Stock {
    command: Arc<Command>,
    belongings: Belongings,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Waiting,
    Starting,
    /// Under the default supervisor: its start takes its time.
    Promised,
    Live,
    Over,
}

#[derive(Debug)]
struct Run {
    stage: Stage,
    /// The process it has, or had last.
    child: Option<Arc<Child>>,
    /// How many processes it has had.
    number: u32,
    /// Why it was never started, or not again.
    error: Option<Box<Error>>,
    /// The same for one that was called off: the error is made for who asks, for all may be called off at once.
    called_off: Option<Status>,
    /// What few have.
    rare: Option<Box<Rare>>,
}

/// What only a child has that has no process, or is between two.
#[derive(Debug, Default)]
struct Rare {
    /// Its stop plan is to run as soon as it has a process, with this grace for its first step (-1: its own).
    stop: Option<i64>,
    /// Who waits for its next stage.
    waiters: Vec<Arc<WakeUp>>,
}

impl Run {
    fn stop_by(&mut self, grace_ms: i64) {
        let shorter = |known: i64| if known < 0 || grace_ms < 0 { known.max(grace_ms) } else { known.min(grace_ms) };
        let rare = self.rare.get_or_insert_default();
        rare.stop = Some(rare.stop.map_or(grace_ms, shorter));
    }

    /// Whether its stop plan is to run as soon as it has a process.
    fn is_to_stop(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.stop.is_some())
    }

    /// One waits for its next stage.
    fn wait_with(&mut self, waiter: &Arc<WakeUp>) {
        let waiters = &mut self.rare.get_or_insert_default().waiters;
        if !waiters.iter().any(|other| Arc::ptr_eq(other, waiter)) {
            waiters.push(waiter.clone());
        }
    }

    /// And does so no more.
    fn wait_no_more(&mut self, waiter: &Arc<WakeUp>) {
        if let Some(rare) = &mut self.rare {
            rare.waiters.retain(|other| !Arc::ptr_eq(other, waiter));
        }
    }
}

impl Managed {
    /// A child that runs and is not watched.
    pub(super) fn running(supervisor: Arc<Inner>, command: &Command, child: Arc<Child>) -> Self {
        let made = Self::new(supervisor, Id(0), command, None);
        made.publish(child);
        made
    }

    /// A child that is being made.
    pub(super) fn starting(supervisor: Arc<Inner>, id: Id, command: &Command, again: Option<(Arc<Command>, Belongings)>) -> Self {
        let made = Self::new(supervisor, id, command, again);
        lock(&made.run).stage = Stage::Starting;
        made
    }

    /// A child that waits for its turn.
    pub(super) fn waiting(supervisor: Arc<Inner>, id: Id, command: Arc<Command>, belongings: Belongings) -> Self {
        Self::new(supervisor, id, &command.clone(), Some((command, belongings)))
    }

    /// A child whose start may take its time.
    pub(super) fn begun(supervisor: Arc<Inner>, id: Id, command: &Command, start: Arc<dyn Start>) -> Self {
        let mut made = Self::new(supervisor, id, command, None);
        made.recipe = Some(Recipe::new(command.get_restart(), None, Some(Promise::new(start))));
        made
    }

    /// A child whose process a spawner is asked for. `kept`: what it owns stays with the handle while processes come and go.
    pub(super) fn asked(supervisor: Arc<Inner>, id: Id, command: Arc<Command>, kept: Option<Belongings>) -> Self {
        let mut made = Self::new(supervisor, id, &command, None);
        made.run.get_mut().unwrap_or_else(PoisonError::into_inner).stage = Stage::Starting;
        let restart = command.get_restart();
        made.recipe = Some(Recipe::new(restart, kept.map(|belongings| Stock { command, belongings }), None));
        made
    }

    fn new(supervisor: Arc<Inner>, id: Id, command: &Command, recipe: Option<(Arc<Command>, Belongings)>) -> Self {
        let restart = command.get_restart();
        let run = Run { stage: Stage::Waiting, child: None, number: 0, error: None, called_off: None, rare: None };
        Self {
            supervisor,
            id,
            run: Mutex::new(run),
            budgeted: command.get_budget().cloned(),
            recipe: recipe.map(|(command, belongings)| {
                let stock = Stock { command, belongings };
                Recipe::new(restart, Some(stock), None)
            }),
            token: AtomicU64::new(0),
            user_data: command.get_user_data(),
            speaks: command.has_output_lines(),
            key: AtomicU64::new(0),
            halted: AtomicBool::new(false),
            exit_taken: AtomicBool::new(false),
            let_go: AtomicBool::new(false),
            said: AtomicBool::new(false),
            room: AtomicBool::new(false),
            stops_waiting: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            entries: AtomicU32::new(0),
            unread_lines: AtomicU32::new(0),
            unread: AtomicU32::new(0),
        }
    }

    pub(super) fn budgeted(&self) -> Option<&Arc<Budgeted>> {
        self.budgeted.as_ref()
    }

    /// Below which length a run that succeeds has not done its work; 0 where success is the end.
    pub(super) fn early_exit_ns(&self) -> i64 {
        let early = |recipe: &Recipe| recipe.restart.early_exit_ms.saturating_mul(clock::MILLI);
        self.recipe.as_deref().map_or(0, early)
    }

    pub(super) fn id(&self) -> Id {
        self.id
    }

    /// Any number, another for each child and moment: waits are spread by it.
    pub(super) fn chance(&self) -> u64 {
        (clock::now() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ self.key()
    }

    pub(super) fn key(&self) -> u64 {
        self.key.load(Ordering::Acquire)
    }

    pub(super) fn set_key(&self, key: u64) {
        self.key.store(key, Ordering::Release);
    }

    /// The owner has seen the exit and let the child go: its events are of no use.
    pub(super) fn is_forgotten(&self) -> bool {
        self.let_go.load(Ordering::Acquire) && self.exit_taken.load(Ordering::Acquire)
    }

    /// An entry of it has come into the queue, with output that takes so much memory, and is so many lines.
    pub(super) fn count_entry(&self, bytes: usize, lines: usize) {
        self.entries.fetch_add(1, Ordering::Relaxed);
        self.unread.fetch_add(bytes as u32, Ordering::Relaxed);
        self.unread_lines.fetch_add(lines as u32, Ordering::Relaxed);
    }

    /// And has left it, with lines that nobody took.
    pub(super) fn count_entry_gone(&self, bytes: usize, lines: usize) {
        self.entries.fetch_sub(1, Ordering::Relaxed);
        self.unread.fetch_sub(bytes as u32, Ordering::Relaxed);
        self.unread_lines.fetch_sub(lines as u32, Ordering::Relaxed);
    }

    /// Somebody took one.
    pub(super) fn count_line_taken(&self) {
        self.unread_lines.fetch_sub(1, Ordering::Relaxed);
    }

    /// It has said something of itself. `true`: that it has is in the queue already.
    pub(super) fn note_said(&self) -> bool {
        self.said.swap(true, Ordering::Relaxed)
    }

    /// What it says from now on is told again.
    pub(super) fn take_said(&self) {
        self.said.store(false, Ordering::Relaxed);
    }

    /// There is room for its input. `true`: that there is is in the queue already.
    pub(super) fn note_room(&self) -> bool {
        self.room.swap(true, Ordering::Relaxed)
    }

    /// Whether that waits to be told.
    pub(super) fn has_room_told(&self) -> bool {
        self.room.load(Ordering::Relaxed)
    }

    /// It was told.
    pub(super) fn take_room(&self) {
        self.room.store(false, Ordering::Relaxed);
    }

    /// Whether its being stopped, or not any more, can be told now. It chooses how often it is: the rest waits until these are taken, and comes to
    /// the difference then.
    pub(super) fn may_tell_stop(&self) -> bool {
        self.stops_waiting.load(Ordering::Relaxed) < STOPS_WAITING
    }

    /// An event of it has come into the queue.
    pub(super) fn count_stop_told(&self) {
        self.stops_waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// And was taken.
    pub(super) fn count_stop_taken(&self) {
        self.stops_waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether anything of it is in the queue.
    pub(super) fn has_entries(&self) -> bool {
        self.entries.load(Ordering::Relaxed) != 0
    }

    /// The memory that output takes which nobody has taken.
    pub(super) fn unread(&self) -> usize {
        self.unread.load(Ordering::Relaxed) as usize
    }

    /// So much of its output waits that no more is read: in memory, or in events that would stand before those of others.
    pub(super) fn is_ahead(&self) -> bool {
        self.is_ahead_of(MAX_UNREAD, MAX_UNREAD_LINES)
    }

    /// Not even half of that: reading goes on.
    pub(super) fn is_caught_up(&self) -> bool {
        !self.is_ahead_of(MAX_UNREAD / 2, MAX_UNREAD_LINES / 2)
    }

    fn is_ahead_of(&self, bytes: usize, lines: usize) -> bool {
        self.unread() > bytes || self.unread_lines.load(Ordering::Relaxed) as usize > lines
    }

    pub(super) fn set_token(&self, token: u64) {
        self.token.store(token, Ordering::Release);
    }

    /// Its process, also when it has ended.
    pub(super) fn child(&self) -> Option<Arc<Child>> {
        lock(&self.run).child.clone()
    }

    /// How many processes it has had.
    pub(super) fn run_number(&self) -> u32 {
        lock(&self.run).number
    }

    /// Whether an end is not the end.
    pub(super) fn comes_back(&self) -> bool {
        self.restarts() && !self.is_halted()
    }

    fn restarts(&self) -> bool {
        self.recipe.as_ref().is_some_and(|recipe| recipe.restart.when != crate::process::command::RestartWhen::Never)
    }

    /// Makes its process: its turn has come. Blocks as a spawn does. Nobody sees the process before it is watched (`publish`): who saw it
    /// could reap it before anybody counts on it.
    pub(super) fn make(&self) -> Result<Arc<Child>> {
        let (command, belongings) = self.take_recipe()?;
        spawn::spawn(&command, belongings).map(Arc::new)
    }

    /// What its next process is made of, and owns.
    pub(super) fn take_recipe(&self) -> Result<(Arc<Command>, Belongings)> {
        let none = || Error::new(Status::Cancelled, "start", "the child was called off");
        let mut stock = lock(&self.recipe.as_ref().ok_or_else(none)?.stock);
        if self.restarts() {
            return Ok((stock.as_ref().ok_or_else(none)?.command.clone(), Belongings::default()));
        }
        let stock = stock.take().ok_or_else(none)?;
        Ok((stock.command, stock.belongings))
    }

    /// Whether it keeps something for its next process.
    pub(super) fn owns(&self) -> bool {
        self.recipe.as_ref().is_some_and(|recipe| lock(&recipe.stock).as_ref().is_some_and(|stock| !stock.belongings.is_empty()))
    }

    /// Whether a spawner may make its process.
    pub(super) fn may_be_asked(&self) -> bool {
        let made_here = |recipe: &Recipe| lock(&recipe.stock).as_ref().is_some_and(|stock| stock.command.is_made_here());
        !self.recipe.as_deref().is_some_and(made_here)
    }

    /// Whether it may begin on a processor of our choice: what it is given for its own holds for the process of its program, and for no init.
    pub(super) fn may_be_held(&self) -> bool {
        let plain =
            |recipe: &Recipe| recipe.promise.is_none() && lock(&recipe.stock).as_ref().is_some_and(|stock| !stock.command.is_contained());
        self.recipe.as_deref().is_some_and(plain)
    }

    /// The birth that a spawner was asked for; 0: none.
    pub(super) fn birth(&self) -> u64 {
        self.recipe.as_ref().map_or(0, |recipe| recipe.birth.load(Ordering::SeqCst))
    }

    pub(super) fn set_birth(&self, id: u64) {
        if let Some(recipe) = &self.recipe {
            recipe.birth.store(id, Ordering::SeqCst);
        }
    }

    /// That one is over.
    pub(super) fn clear_birth(&self, id: u64) {
        if let Some(recipe) = &self.recipe {
            let _ = recipe.birth.compare_exchange(id, 0, Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    /// It has this process from now on.
    pub(super) fn publish(&self, child: Arc<Child>) {
        let mut run = lock(&self.run);
        (run.stage, run.child) = (Stage::Live, Some(child));
        run.number += 1;
        wake(&mut run);
    }

    pub(super) fn promise(&self) -> Option<&Promise> {
        self.recipe.as_ref()?.promise.as_ref()
    }

    /// Whether its process is made by a room above.
    pub(super) fn is_begun(&self) -> bool {
        self.promise().is_some()
    }

    pub(super) fn take_promise(&self) -> Option<Arc<dyn Start>> {
        self.promise()?.take()
    }

    pub(super) fn supervisor(&self) -> &Arc<Inner> {
        &self.supervisor
    }

    /// Under the default supervisor: its start takes its time. `false`: it was stopped while it was being made, and shall not be any more.
    pub(super) fn set_promised(&self) -> bool {
        let mut run = lock(&self.run);
        match (run.stage, run.is_to_stop()) {
            (Stage::Starting, false) => run.stage = Stage::Promised,
            (Stage::Starting, true) => {
                (run.stage, run.called_off) = (Stage::Over, Some(Status::Cancelled));
                wake(&mut run);
                return false;
            }
            _ => {}
        }
        true
    }

    /// Under the default supervisor: it is stopped while it has no process. `false`: it has one, or it is over.
    pub(super) fn stop_promised(&self, grace_ms: i64) -> bool {
        {
            let mut run = lock(&self.run);
            match run.stage {
                Stage::Promised => (run.stage, run.called_off) = (Stage::Over, Some(Status::Cancelled)),
                Stage::Starting => {
                    run.stop_by(grace_ms);
                    return true;
                }
                _ => return false,
            }
            wake(&mut run);
        }
        self.tell_called_off();
        true
    }

    /// Whoever would have made its process hears that there is no need.
    pub(super) fn tell_called_off(&self) {
        if let Some(start) = self.take_promise() {
            start.called_off();
            self.supervisor.errands.rouse();
        }
    }

    /// Under the default supervisor: it has this process from now on, unless it shall not be any more, or has one.
    pub(super) fn publish_if_wanted(&self, child: Arc<Child>) -> bool {
        let mut run = lock(&self.run);
        let wanted = matches!(run.stage, Stage::Starting | Stage::Promised);
        if wanted {
            (run.stage, run.child) = (Stage::Live, Some(child));
            run.number += 1;
            wake(&mut run);
        }
        wanted
    }

    /// Under the default supervisor: it gets no process, for this reason.
    pub(super) fn fail_unlisted(&self, error: Error) {
        let mut run = lock(&self.run);
        if matches!(run.stage, Stage::Starting | Stage::Promised) {
            (run.stage, run.error) = (Stage::Over, Some(Box::new(error)));
            wake(&mut run);
        }
    }

    /// It is to be stopped as soon as it has a process; of several graces the shortest counts.
    pub(super) fn set_stop(&self, grace_ms: i64) {
        lock(&self.run).stop_by(grace_ms);
    }

    pub(super) fn take_stop(&self) -> Option<i64> {
        lock(&self.run).rare.as_mut().and_then(|rare| rare.stop.take())
    }

    /// Its turn has come.
    pub(super) fn set_starting(&self) {
        lock(&self.run).stage = Stage::Starting;
    }

    /// It shall not be started any more.
    pub(super) fn halt(&self) {
        let _run = lock(&self.run);
        self.halted.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_halted(&self) -> bool {
        self.halted.load(Ordering::SeqCst)
    }

    /// What it was given is its own from now on.
    pub(super) fn bind(&self) {
        if let Some(recipe) = &self.recipe
            && let Some(stock) = lock(&recipe.stock).as_mut()
        {
            stock.belongings.bind();
        }
    }

    /// It will not be: what it was given is the command's again.
    pub(super) fn give_back(&self) {
        let stock = self.recipe.as_ref().and_then(|recipe| lock(&recipe.stock).take());
        if let Some(stock) = stock {
            stock.belongings.give_back();
        }
    }

    /// The call that has made it fails after all: ends it, and then what it was given is its command's again (unless it has ended before, and has taken
    /// that along).
    pub(crate) fn undo(self: &Arc<Self>) {
        let stock = self.recipe.as_ref().and_then(|recipe| lock(&recipe.stock).take());
        let _kept = stock.map(|stock| Undo::of(stock.belongings.unbind()));
        let _given = self.child().map(|child| spawn::take_back(&child));
        let _ = self.terminate(0);
    }

    /// Whether its owner has freed it.
    pub fn is_let_go(&self) -> bool {
        self.let_go.load(Ordering::Acquire)
    }

    /// Enters the stage that this leads to, after the end of its process or a failed start. What it kept for its next process is released
    /// first, unless there is one: that takes the file system's time.
    pub(super) fn enter(&self, next: Next, error: Option<Box<Error>>) {
        if !matches!(next, Next::Again(_)) {
            self.release();
        }
        let mut run = lock(&self.run);
        match next {
            Next::Again(_) => run.stage = Stage::Waiting,
            _ if self.restarts() || error.is_some() => {
                run.stage = Stage::Over;
                run.error = error;
            }
            _ => {}
        }
        wake(&mut run);
    }

    /// It will not be started (again), for this reason.
    pub(super) fn call_off(&self, why: Status) {
        self.release();
        let mut run = lock(&self.run);
        run.stage = Stage::Over;
        if run.child.is_none() {
            run.called_off = Some(why);
        }
        wake(&mut run);
        drop(run);
        self.call_off_birth();
        self.tell_called_off();
    }

    /// It will not be started (again): its budget is used up for so many nanoseconds.
    pub(super) fn give_up(&self, retry_ns: i64) {
        self.release();
        let refusal = Refusal::Exhausted { retry_after_ns: retry_ns, storm: false };
        let error = self.budgeted.as_ref().map(|budgeted| Box::new(refusal.into_error(&budgeted.key)));
        let mut run = lock(&self.run);
        run.stage = Stage::Over;
        if run.child.is_none() {
            run.error = error;
        }
        wake(&mut run);
    }

    /// What it kept for its next process.
    fn release(&self) {
        let released = self.recipe.as_ref().and_then(|recipe| lock(&recipe.stock).take());
        if let Some(errno) = released.and_then(|stock| stock.belongings.release())
            && let Some(child) = self.child()
        {
            child.note_removal(errno);
        }
    }

    /// Wakes those who wait for a new stage.
    pub(super) fn wake_waiters(&self) {
        wake(&mut lock(&self.run));
    }
}

fn wake(run: &mut Run) {
    for waiter in run.rare.iter_mut().flat_map(|rare| rare.waiters.drain(..)) {
        waiter.raise();
    }
}
