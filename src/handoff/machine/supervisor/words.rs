//! The words of the supervisor's machine: where it stands, what happens to it, what it has done, and what is told of that.

use crate::clock::Deadline;

/// Where it stands; the table above.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Phase {
    Idle,
    Starting,
    Opening,
    Watching,
    Preparing,
    Replacing,
    CallingOff,
    Aborting,
    Looking,
    Freezing,
    Judging,
    Killing,
    Concluding,
    Bereft,
    Orphaned,
    Searching,
    Resting,
    Stopping,
}

/// Who has sent his estate: who owns, and stands alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Who {
    /// The owner that is known.
    Owner,
    /// The child that was started last.
    Child,
    /// Somebody else.
    Other,
}

/// What the word says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Seen {
    /// It is the known owner's, with no candidate.
    Base,
    /// The same, with one.
    Offered,
    /// A successor has it, who does not stand alone yet; or the two are about to settle who has it.
    Handing,
    /// The child's alone.
    Child,
    /// Somebody else's alone.
    Other,
    /// It cannot be seen.
    Unknown,
}

/// Why a replacement came to nothing, where that is the supervisor's own word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Why {
    /// The owner has said so, and why.
    Said,
    /// It was not done in time.
    Late,
    /// The successor has ended.
    Ended,
    /// It was called off.
    Cancelled,
}

/// What happens to the supervisor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// Application: a first generation.
    Start,
    /// Application: what runs is to be found.
    Recover,
    /// Nobody was found in time.
    Forget,
    /// Application: another generation, by then.
    Replace {
        /// When the owner calls it off by itself.
        whole: Deadline,
    },
    /// Application: not that one.
    Cancel,
    /// Application: none at all.
    Stop,
    /// What was to be spawned is there.
    Born,
    /// It is not.
    NotBorn,
    /// The owner's pidfd is readable.
    OwnerGone,
    /// The child's.
    ChildGone,
    /// Somebody owns, and has connected us.
    Estate(Who),
    /// The owner says what came of the child's handoff.
    Ended {
        /// It owns.
        committed: bool,
    },
    /// The owner does not take what it was asked.
    Refused,
    /// The child that was stopped stands still, or does not in time.
    Still(bool),
    /// What the word says.
    Seen(Seen),
    /// Nobody holds the lock.
    LockFree,
    /// Whether another may be started.
    Permit(bool),
    /// The deadline has come.
    Timeout,
}

/// What is told to the application.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Told {
    Serving,
    Committed,
    Aborted(Why),
    OwnerEnded,
    GaveUp,
    Stopped,
}

/// What its driver shall do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Spawn a generation that finds nobody before it.
    SpawnFirst,
    /// Say that a child will come, with its limits, and spawn it.
    SpawnSuccessor,
    /// Say which process it is.
    Expect,
    /// Ask the owner to call it off.
    CallOff,
    /// Stop the child (SIGSTOP), and say when it stands still.
    Freeze,
    /// Continue it.
    Thaw,
    /// Kill it, and it alone.
    Kill,
    /// End it, by a stop plan.
    StopChild,
    /// The same for the owner.
    StopOwner,
    /// The child is the owner from here on; the one before goes its own way.
    Adopt,
    /// Look at the word.
    Look,
    /// Ask whether another may be started.
    AskPermit,
    /// Tell the application.
    Tell(Told),
}
