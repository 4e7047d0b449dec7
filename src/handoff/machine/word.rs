//! The word that decides who owns: one 64-bit number in memory that both generations share, changed by compare-and-swap only.
//!
//! ```text
//!   63 .. 32      31 .. 8     7 .. 0
//!   generation    handoff     stage
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
pub enum Stage {
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
    pub stage: Stage,
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
pub enum View {
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
        let stage = match self.stage {
            Stage::Settled => 1,
            Stage::Offered => 2,
            Stage::Committed => 3,
            Stage::Live => 4,
            Stage::Returned => 5,
            Stage::Condemned => 6,
        };
        u64::from(self.generation) << 32 | u64::from(self.handoff & HANDOFFS) << 8 | stage
    }

    /// From a number, if it can be one.
    pub fn from_raw(raw: u64) -> Option<Self> {
        let stage = match raw & 0xFF {
            1 => Stage::Settled,
            2 => Stage::Offered,
            3 => Stage::Committed,
            4 => Stage::Live,
            5 => Stage::Returned,
            6 => Stage::Condemned,
            _ => return None,
        };
        Some(Self { generation: (raw >> 32) as u32, handoff: (raw >> 8) as u32 & HANDOFFS, stage })
    }

    /// The ticket of the next attempt.
    pub fn next_ticket(self) -> Ticket {
        Ticket { generation: self.generation, handoff: if self.handoff >= HANDOFFS { 1 } else { self.handoff + 1 } }
    }

    /// What the holder of a ticket sees.
    pub fn view(self, ticket: Ticket) -> View {
        let mine = self.handoff == ticket.handoff;
        let (old, new) = (self.generation == ticket.generation, self.generation == ticket.generation.wrapping_add(1));
        match self.stage {
            Stage::Settled if old && mine => View::Base,
            Stage::Settled if new && mine => View::Next,
            Stage::Offered if old && mine => View::Offered,
            Stage::Committed if new && mine => View::Committed,
            Stage::Live if new && mine => View::Live,
            Stage::Returned if new && mine => View::Returned,
            Stage::Condemned if new && mine => View::Condemned,
            _ => View::Other,
        }
    }

    /// The word after a change, if the change is allowed now. The one table of who may do what when.
    pub fn after(self, ask: Ask, ticket: Ticket) -> Option<Self> {
        let word = |ahead: u32, stage| Some(Self { generation: ticket.generation.wrapping_add(ahead), handoff: ticket.handoff, stage });
        match (ask, self.view(ticket)) {
            (Ask::Offer, _) if self.stage == Stage::Settled && self.generation == ticket.generation => word(0, Stage::Offered),
            (Ask::Withdraw | Ask::Renounce, View::Offered) => word(0, Stage::Settled),
            (Ask::Commit, View::Offered) => word(1, Stage::Committed),
            // Condemned: the standby died before it could kill, and nobody else may act.
            (Ask::Promote, View::Offered | View::Base | View::Condemned) => word(1, Stage::Settled),
            (Ask::Confirm, View::Committed) => word(1, Stage::Live),
            (Ask::Settle, View::Committed | View::Live) => word(1, Stage::Settled),
            (Ask::Return, View::Committed | View::Live) => word(1, Stage::Returned),
            (Ask::CondemnUnopened, View::Committed) => word(1, Stage::Condemned),
            (Ask::Condemn, View::Committed | View::Live) => word(1, Stage::Condemned),
            (Ask::TakeBack, View::Committed | View::Live | View::Condemned | View::Returned | View::Next) => word(2, Stage::Settled),
            (Ask::Reclaim, View::Returned) => word(2, Stage::Settled),
            _ => None,
        }
    }
}
