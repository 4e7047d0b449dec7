//! The words of that machine: what is known of the two others, what happens, what it has done, and how it can end.

use super::super::Reason;
use crate::clock::Deadline;

/// How it ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum End {
    /// The successor serves. `unsealed`: the owner had died before it had sealed.
    Committed {
        /// It has run crash recovery, if it knows how.
        unsealed: bool,
    },
    /// The owner stays. `confirmed`: it was untouched, or has said that it goes on.
    Aborted {
        /// Why.
        reason: Reason,
        /// Else it is not known whether it serves: it is hung, or still in its hook; it goes on by itself once that is over.
        confirmed: bool,
    },
    /// Neither is left.
    Lost(Reason),
}

/// Where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Phase {
    /// Connected with the owner, and the successor's process is made: their Hellos are awaited, in any order.
    Greeting,
    /// The owner's channel has ended, or it dumps its core: is it dead?
    Doubting,
    /// The owner stops accepting.
    Draining,
    /// It makes everything durable, and gives up the lock.
    Sealing,
    /// The successor takes the lock and opens.
    Opening,
    /// Its way to us is shut; what it had said before is being read.
    Closing,
    /// It was killed; its death is awaited.
    Ending,
    /// The owner was told to go on; a sign of it is awaited.
    Resuming,
    /// Over.
    Over(End),
}

/// The process that is replaced.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Owner {
    /// As far as is known.
    Lives,
    /// It dumps its core, and holds its lock until that is written.
    Crashed,
    /// Proven.
    Dead,
}

/// The channel to it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Session {
    /// Both ways.
    Open,
    /// It speaks nonsense, and is not listened to; but it must not see an end of the channel, which would make it take its lock.
    Deaf,
    /// Ended.
    Closed,
}

/// What the owner is doing for us, and will answer before anything else.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Owes {
    /// Nothing: the next heartbeat is an answer to ours.
    Nothing,
    /// Drained.
    Drained,
    /// SealComplete, or SealFailed.
    Sealed,
}

/// The process that is to come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Successor {
    /// It has not greeted.
    Started,
    /// It waits for its Begin.
    Greeted,
    /// It may hold the lock.
    Begun,
    /// It is dead, or was dismissed before it could begin.
    Gone,
}

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// The owner's Hello, or that of a second connection while it is to go on.
    OwnerGreeted,
    /// The successor's Hello.
    Greeted,
    /// Drained.
    Drained,
    /// SealComplete of this handoff.
    SealComplete,
    /// SealFailed of this handoff.
    SealFailed,
    /// A heartbeat of the owner, or SealProgress.
    OwnerBeat,
    /// What the owner says is not what it may say now; or something could not be sent to it.
    OwnerTrouble(Reason),
    /// The end of its channel.
    OwnerHungUp,
    /// It dumps its core.
    OwnerCrashed,
    /// It is dead.
    OwnerDied,
    /// Ready of this handoff, of a successor that lives.
    Ready,
    /// A heartbeat of the successor.
    Beat,
    /// As with the owner.
    Trouble(Reason),
    /// As with the owner.
    HungUp,
    /// The successor is dead.
    Died,
    /// Closing: there is nothing more that it could have said.
    Empty,
    /// The application calls it off.
    Cancel,
    /// The deadline has come. Before it is told of this, of a cancellation or of trouble, the driver looks whether the owner is dead.
    Timeout,
}

/// What the driver shall do, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// HelloAck to the owner.
    AckOwner,
    /// HelloAck to the successor.
    Ack,
    /// PrepareHandoff: what is left until the first, and of that for the drain.
    Prepare(Deadline, i64),
    /// SealRequest.
    RequestSeal,
    /// Begin; and whatever becomes of this process, the successor's channel stays open from here on (B2).
    Begin,
    /// Commit.
    Commit,
    /// Abort to the successor, and it is ended. It has no lock.
    Dismiss,
    /// Nobody can say anything to us on the successor's channel any more; what was said is read, then `Empty`.
    Shut,
    /// Kill the successor, and its group. It may have the lock.
    Kill,
    /// ResumeAfterAbort to the owner.
    Resume,
    /// A heartbeat to the owner.
    Ping,
    /// The owner's channel is read no more.
    Ignore,
    /// It is closed.
    Leave,
    /// Connect again, by the clock, until the owner greets.
    Reconnect,
    /// For the journal; nothing waits for it.
    Journal(Record),
    /// A phase has begun: Draining, Sealing, Opening or Resuming.
    Progress(Phase),
    /// It is over.
    Tell(End),
}

/// What stands in the journal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Record {
    /// Both have greeted.
    Negotiating,
    /// The owner has drained.
    Draining,
    /// The successor was told to begin.
    AwaitingReady,
    /// The owner was told to exit.
    Committed,
    /// It was told to go on.
    ResumingAfterAbort,
    /// Nothing: the journal is taken away.
    Clear,
}
