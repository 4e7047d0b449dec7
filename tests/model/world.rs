//! What is true at one moment: the word, the processes with their machines, applications and channels.
//!
//! A process has at most one channel of the handoff, to its `peer`: two directed queues of whole messages (SEQPACKET), each kept at
//! its receiver. The end of a channel is seen after what was sent before it, except when it was cut: then that is lost.

use crate::machine::owner::{self, Owner};
use crate::machine::successor::{self, Successor};
use crate::machine::word::{Stage, Ticket, Word};
use crate::machine::{Notice, Reason};

use super::fifo::Fifo;

/// How many processes there are at once.
pub const SLOTS: usize = 3;

/// A process, by its place.
pub type Slot = u8;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Life {
    /// Never started.
    Absent,
    Running,
    /// By SIGSTOP.
    Stopped,
    /// It writes its core, for as long as that takes: it does nothing any more, and keeps all that it holds; its channel is open and its pidfd not
    /// readable. Who looks can see it.
    Dumping,
    /// Its files are closed, its pidfd is not readable yet: the peer sees the end of the channel first.
    Dying,
    /// Its pidfd is readable; its parent has not reaped it.
    Zombie,
    Gone,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Machine {
    /// Spawned, not yet as far as HELLO; or over.
    None,
    Owner(Owner),
    Successor(Successor),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Message {
    Hello,
    Offer(u16),
    Ack(u16),
    Warm,
    Delta(u16),
    Commit,
    Live,
    Settle,
    Settled,
    Abort(Reason),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    Owner(owner::Action),
    Successor(successor::Action),
}

/// What the application owes an answer to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Due {
    Nothing,
    Drained,
    Sealed,
    Warm,
    Live,
    /// It works off COMMITTED, and will come back.
    Return,
}

/// The server around the library.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct App {
    /// Told, not taken yet.
    pub notices: Fifo<Notice, 8>,
    pub due: Due,
    /// It accepts, and in exclusive mode it writes.
    pub serves: bool,
    /// Storage has changed since it was read: what this process would write is wrong (S3).
    pub stale: bool,
    /// It never does anything again by itself.
    pub hangs: bool,
    /// A successor's, that said it cannot serve.
    pub failed: bool,
    /// It will exit.
    pub leaves: bool,
    /// Watches the order of hooks (S12).
    pub told_drain: bool,
    pub told_seal: bool,
    /// A successor's, that has worked COMMITTED off, or had LIVE's time for it (S15).
    pub knows: bool,
}

/// The channel, seen from one end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Channel {
    None,
    /// Connected to the control path, not accepted yet.
    Waiting,
    Open,
    /// The other end is closed, and this one does not know yet.
    Ended,
    /// It knows.
    Seen,
}

/// The lock and two listeners.
pub const LOCK: u8 = 1;
pub const LISTENERS: [u8; 2] = [2, 4];
pub const ALL: u8 = 7;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Process {
    pub life: Life,
    pub machine: Machine,
    /// What is left of the last step, in order.
    pub todo: Fifo<Action, 8>,
    /// A send of it has failed.
    pub trouble: bool,
    pub app: App,
    pub peer: Option<Slot>,
    pub channel: Channel,
    pub inbox: Fifo<Message, 5>,
    /// It was told that its peer's pidfd is readable.
    pub knows_death: bool,
    pub ticket: Ticket,
    pub parent: Option<Slot>,
    /// The parent's library stops and reaps it.
    pub dismissed: bool,
    /// What it holds of [`ALL`].
    pub holds: u8,
}

impl Process {
    pub const fn absent(life: Life) -> Self {
        Self {
            life,
            machine: Machine::None,
            todo: Fifo::new(),
            trouble: false,
            app: App {
                notices: Fifo::new(),
                due: Due::Nothing,
                serves: false,
                stale: true,
                hangs: false,
                failed: false,
                leaves: false,
                told_drain: false,
                told_seal: false,
                knows: false,
            },
            peer: None,
            channel: Channel::None,
            inbox: Fifo::new(),
            knows_death: false,
            ticket: Ticket { generation: 0, handoff: 0 },
            parent: None,
            dismissed: false,
            holds: 0,
        }
    }

    /// It can act some day, or is stopped.
    pub fn lives(&self) -> bool {
        matches!(self.life, Life::Running | Life::Stopped)
    }

    /// A fault keeps it from serving.
    pub fn is_harmed(&self) -> bool {
        self.life != Life::Running || self.app.hangs || self.app.failed
    }

    /// Its peer can see that it does nothing any more: by the pidfd, or because it dumps.
    pub fn is_seen_dead(&self) -> bool {
        self.is_dead() || self.life == Life::Dumping
    }

    /// Its pidfd is readable.
    pub fn is_dead(&self) -> bool {
        matches!(self.life, Life::Zombie | Life::Gone)
    }

    pub fn owner(&self) -> Option<Owner> {
        if let Machine::Owner(owner) = self.machine { Some(owner) } else { None }
    }

    pub fn successor(&self) -> Option<Successor> {
        if let Machine::Successor(successor) = self.machine { Some(successor) } else { None }
    }

    pub fn deadline(&self) -> Option<i64> {
        match self.machine {
            Machine::None => None,
            Machine::Owner(owner) => owner.deadline.nanos(),
            Machine::Successor(successor) => successor.deadline.nanos(),
        }
    }
}

/// Which law was broken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Broken {
    S1,
    S2,
    S3,
    S4,
    S5,
    S6,
    S7,
    S8,
    S9,
    S11,
    S12,
    S14,
    S15,
    S16,
    L1,
    L2,
    L3,
    L6,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct World {
    pub word: Word,
    /// Whose the ownership is, by the word.
    pub owner: Slot,
    /// The newest generation, and whose it was first (S4).
    pub newest: (u32, Slot),
    pub processes: [Process; SLOTS],
    /// Who must go on after the death of its peer, unless something happens to it too.
    pub heir: Option<Slot>,
    /// What is in storage is what the last owner has sealed (S3).
    pub sealed: bool,
    /// Begun so far.
    pub handoffs: u8,
    pub faults: u8,
    /// Virtual time; the explorer has none.
    pub now: i64,
    /// The first law that was broken, and how.
    pub broken: Option<(Broken, &'static str)>,
}

impl World {
    pub fn at(&self, slot: Slot) -> &Process {
        &self.processes[slot as usize]
    }

    pub fn at_mut(&mut self, slot: Slot) -> &mut Process {
        &mut self.processes[slot as usize]
    }

    pub fn slots() -> impl Iterator<Item = Slot> {
        0..SLOTS as Slot
    }

    pub fn breaks(&mut self, law: Broken, how: &'static str) {
        self.broken.get_or_insert((law, how));
    }

    /// The first generation, before its application has opened.
    pub fn new(owner: Owner) -> Self {
        let mut first = Process::absent(Life::Running);
        first.machine = Machine::Owner(owner);
        first.app.notices.push(Notice::Live { unsealed: false });
        first.app.stale = false;
        first.holds = ALL;
        Self {
            word: Word { generation: 1, handoff: 0, stage: Stage::Settled },
            owner: 0,
            newest: (1, 0),
            processes: [first, Process::absent(Life::Absent), Process::absent(Life::Absent)],
            heir: None,
            sealed: true,
            handoffs: 0,
            faults: 0,
            now: 0,
            broken: None,
        }
    }

    /// Who serves and is not kept from it.
    pub fn servers(&self) -> impl Iterator<Item = Slot> + '_ {
        Self::slots().filter(|slot| self.at(*slot).app.serves && !self.at(*slot).is_harmed())
    }
}
