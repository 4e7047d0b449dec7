//! What the host's machine is told, and what it answers.

use crate::clock::Deadline;

/// A request, by a number that is never used again. The smaller one is the older one.
pub type Id = u64;
/// A fork that was asked for, then the worker of it; never used again. The smaller one is the older one.
pub type Birth = u64;

/// Where the preloader is that is asked for workers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Preloader {
    /// There is none: it was not needed yet, or is none any more.
    Absent,
    /// Its process loads the application.
    Starting,
    /// It forks.
    Ready,
    /// There will be none.
    Closed,
}

/// Why a fork has given no worker that waits at its gate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Why {
    /// The preloader has said so: threads, no memory, no time left.
    Refused,
    /// Who came is none that may be taken in.
    Unproven,
    /// It has ended before it was at its gate.
    Died,
    /// It was not at its gate in its time.
    Late,
    /// What became of it cannot be known: something broke.
    Lost,
}

/// What has happened.
///
/// **Each `Fork` has one answer**: `Registered` or `BirthFailed`, also when the birth was discarded meanwhile (then whichever comes); births of a
/// generation that has ended or was left need none, and what comes of them is discarded. **Each `Adopt` has one**: `Ready`, `NotReady`, or `Died` if its gate
/// was not opened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// A worker is wanted, until then.
    Ask(Id, Deadline),
    /// The process and a full pool are wanted, until then.
    Warm(Id, Deadline),
    /// It is not wanted any more; who asked knows.
    CallOff(Id),
    /// The preloader of this generation is ready, by `Start` or by `Promote`.
    Started(u32),
    /// It will not be.
    StartFailed(u32),
    /// It has ended, or its channel has, read to its end; what it bore is settled.
    Ended(u32),
    /// The preloader has forked, and named the process.
    Born(Birth),
    /// It is proven, in the registry, and waits at its gate.
    Registered(Birth),
    /// There is none such.
    BirthFailed(Birth, Why),
    /// It has ended at its gate, which was not opened.
    Died(Birth),
    /// It serves.
    Ready(Birth),
    /// Its gate was opened, and it has died, or was late, before it was ready.
    NotReady(Birth),
    /// The application has changed.
    Reload,
    /// The preloader shall go; it comes back when it is needed.
    Stop,
    /// It shall go, and not come back.
    Close,
    /// How many workers shall be idle, and how old they may get; `None`: as old as they like.
    SetPool { idle: u32, max_age_ns: Option<i64> },
    /// How long the preloader may be of no use; `None`: for ever.
    SetIdle(Option<i64>),
    /// So many births in a row that died before they were ready, and nothing is born any more until it is replaced; 0: no matter how many.
    SetLimits { dead_births: u32 },
    /// The preloader of this generation has more memory than it may have.
    TooBig(u32),
    /// This worker, which is ready, shall be the next preloader by then.
    Promote(Birth, Deadline),
    /// Time has passed.
    Tick,
}

/// How a request ends without a worker.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum End {
    /// Its time was over in line, or while the preloader of this generation started.
    LateInLine(Option<u32>),
    /// Its time was over while this birth was under way for it.
    Late(Birth),
    /// The preloader, or its newborn, has died over it twice.
    Crashed,
    /// The preloader of this generation could not be started.
    NotStarted(u32),
    /// What is known of this birth says why.
    Failed(Birth, Why),
    /// The preloader of this generation has more memory than it may have, and so had the one before.
    TooBig(u32),
    /// So many births in a row have died that nothing is born any more.
    DeadBirths(u32),
    /// The preloader was stopped meanwhile.
    Stopped,
    /// There is no preloader any more.
    Closed,
}

/// Why a worker has not become the next preloader.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Unpromoted {
    /// There is no preloader that is ready, to stay until the new one has proved itself.
    NoPreloader,
    /// Another one is on its way, or has not proved itself yet.
    Busy,
    /// It is of a generation that was replaced.
    Old,
    /// It does not serve yet.
    NotReady,
    /// Its time was over.
    Late,
    /// It has said so, or died.
    Failed,
    /// Everything was replaced or stopped meanwhile, or the preloader has died.
    Overtaken,
}

/// What is to be done, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Make the process of this generation.
    Start(u32),
    /// It is not wanted any more, or has ended: close its channel; kill it when it has not gone in time.
    Leave(u32),
    /// Ask it for a worker: for this request, or for the pool.
    Fork(u32, Birth, Option<Id>),
    /// The worker at that gate is this request's: hand it over, then open the gate.
    Adopt(Birth, Id),
    /// Whoever was or will be born of it is not wanted: close its gate, reap.
    Discard(Birth),
    /// The process is there, and the pool is full.
    Warmed(Id),
    /// Ask this worker to become the preloader of this generation, over a channel of its own.
    Promote(Birth, u32),
    /// It is. It is left like any other one, when its time comes.
    Promoted(Birth, u32),
    /// It is not: close that channel, if there is one; the worker lives on.
    PromoteFailed(Birth, Unpromoted),
    /// It gets no worker.
    Fail(Id, End),
}
