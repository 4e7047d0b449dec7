//! The word that decides who owns: one 64-bit number in memory that both generations share, changed by compare-and-swap only.
//!
//! ```text
//!   63 .. 32      31 .. 8     7 .. 0
//!   generation    handoff     phase
//!
//!              offer              commit                 confirm             settle
//!   Settled(g) -----> Offered(g) --------> Committed(g+1) -------> Live(g+1) -------> Settled(g+1)
//!      ^                 |  |                |   |   |               |   |
//!      |    withdraw or  |  | promote        |   |   +---- condemn --+---|----> Condemned(g+1) --+
//!      +---- renounce ---+  | (owner dead)   |   +-------- return ---+---+----> Returned(g+1) ---+--> Settled(g+2)
//!                           v                +----------- (successor dead) ----------------------+   take back
//!                        Settled(g+1)
//! ```
//!
//! The handoff number makes a candidate of an earlier attempt harmless: its compare-and-swap no longer fits.

/// How far the ownership of a generation is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Phase {
    /// Its owner stands alone.
    Settled,
    /// Its owner has a candidate for the next.
    Offered,
    /// It belongs to the successor, which has not confirmed it.
    Committed,
    /// The successor serves, on probation.
    Live,
    /// The successor gave it back.
    Returned,
    /// The standby is ending a successor that does not answer.
    Condemned,
}

/// The word, taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Word {
    /// Strictly increasing (S4).
    pub generation: u32,
    /// Counts attempts; 24 bits.
    pub handoff: u32,
    /// How far it is.
    pub phase: Phase,
}

/// One handoff: the generation it began in, and its number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ticket {
    /// The owner's generation when it began.
    pub generation: u32,
    /// The number of the attempt.
    pub handoff: u32,
}

/// A change that a party asks of the word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ask {
    /// Owner: there is a candidate.
    Offer,
    /// Owner: there is none any more.
    Withdraw,
    /// Owner: it is the candidate's now.
    Commit,
    /// Owner: the successor has not opened in time and shall die.
    CondemnUnopened,
    /// Owner: the successor does not answer and shall die.
    Condemn,
    /// Owner, when the successor is dead: it is mine again.
    TakeBack,
    /// Owner: what was returned is mine again.
    Reclaim,
    /// Successor: I am no candidate any more.
    Renounce,
    /// Successor, when the owner is dead: it is mine, unsealed.
    Promote,
    /// Successor: I serve.
    Confirm,
    /// Successor: I stand alone.
    Settle,
    /// Successor: I cannot serve.
    Return,
    /// Either: only look.
    Look,
}

/// What a party sees, relative to its handoff.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Seen {
    /// Settled in the old generation: withdrawn or renounced.
    Base,
    /// Offered.
    Offered,
    /// Committed.
    Committed,
    /// Live.
    Live,
    /// Returned.
    Returned,
    /// Condemned.
    Condemned,
    /// Settled in the new generation.
    Next,
    /// Anything else: time has gone on without this party.
    Other,
}

/// The largest handoff number; the next is 1.
const HANDOFFS: u32 = 0xFF_FFFF;

impl Word {
    /// As a number; never 0.
    pub fn raw(self) -> u64 {
        let phase = match self.phase {
            Phase::Settled => 1,
            Phase::Offered => 2,
            Phase::Committed => 3,
            Phase::Live => 4,
            Phase::Returned => 5,
            Phase::Condemned => 6,
        };
        u64::from(self.generation) << 32 | u64::from(self.handoff & HANDOFFS) << 8 | phase
    }

    /// From a number, if it can be one.
    pub fn from_raw(raw: u64) -> Option<Self> {
        let phase = match raw & 0xFF {
            1 => Phase::Settled,
            2 => Phase::Offered,
            3 => Phase::Committed,
            4 => Phase::Live,
            5 => Phase::Returned,
            6 => Phase::Condemned,
            _ => return None,
        };
        Some(Self { generation: (raw >> 32) as u32, handoff: (raw >> 8) as u32 & HANDOFFS, phase })
    }

    /// The ticket of the next attempt.
    pub fn next_ticket(self) -> Ticket {
        Ticket { generation: self.generation, handoff: if self.handoff >= HANDOFFS { 1 } else { self.handoff + 1 } }
    }

    /// What the holder of a ticket sees.
    pub fn seen(self, ticket: Ticket) -> Seen {
        let mine = self.handoff == ticket.handoff;
        let (old, new) = (self.generation == ticket.generation, self.generation == ticket.generation.wrapping_add(1));
        match self.phase {
            Phase::Settled if old && mine => Seen::Base,
            Phase::Settled if new && mine => Seen::Next,
            Phase::Offered if old && mine => Seen::Offered,
            Phase::Committed if new && mine => Seen::Committed,
            Phase::Live if new && mine => Seen::Live,
            Phase::Returned if new && mine => Seen::Returned,
            Phase::Condemned if new && mine => Seen::Condemned,
            _ => Seen::Other,
        }
    }

    /// The word after a change, if the change is allowed now. The one table of who may do what when.
    pub fn after(self, ask: Ask, ticket: Ticket) -> Option<Self> {
        let word = |ahead: u32, phase| Some(Self { generation: ticket.generation.wrapping_add(ahead), handoff: ticket.handoff, phase });
        match (ask, self.seen(ticket)) {
            (Ask::Offer, _) if self.phase == Phase::Settled && self.generation == ticket.generation => word(0, Phase::Offered),
            (Ask::Withdraw | Ask::Renounce, Seen::Offered) => word(0, Phase::Settled),
            (Ask::Commit, Seen::Offered) => word(1, Phase::Committed),
            // Condemned: the standby died before it could kill, and nobody else may act.
            (Ask::Promote, Seen::Offered | Seen::Base | Seen::Condemned) => word(1, Phase::Settled),
            (Ask::Confirm, Seen::Committed) => word(1, Phase::Live),
            (Ask::Settle, Seen::Committed | Seen::Live) => word(1, Phase::Settled),
            (Ask::Return, Seen::Committed | Seen::Live) => word(1, Phase::Returned),
            (Ask::CondemnUnopened, Seen::Committed) => word(1, Phase::Condemned),
            (Ask::Condemn, Seen::Committed | Seen::Live) => word(1, Phase::Condemned),
            (Ask::TakeBack, Seen::Committed | Seen::Live | Seen::Condemned | Seen::Returned | Seen::Next) => word(2, Phase::Settled),
            (Ask::Reclaim, Seen::Returned) => word(2, Phase::Settled),
            _ => None,
        }
    }
}
