//! What a successor writes down of its handoff: what it sees itself, and what the owner tells of its side as it goes along.
//!
//! The trap: an owner may die at any moment, and an older one tells nothing. So what this side can see it notes by itself, and what it is told fills
//! in the rest.

use super::side::SuccessorSide;
use crate::clock;
use crate::handoff::core::Core;
use crate::handoff::machine::standing::Standing;
use crate::handoff::machine::successor::Phase;
use crate::handoff::outcome::Step;
use crate::handoff::wire::{Kind, Message};
use crate::sys::getpid;

impl SuccessorSide {
    /// The first part of the offer says which handoff it is; and it has brought what came of those before.
    pub(super) fn begin_record(core: &mut Core, offer: &Message, owner: i32) {
        core.outcomes.inherit(offer.body.records.clone());
        let build = core.outcomes.build;
        let outcome = core.begin_record(clock::now());
        (outcome.old_pid, outcome.new_pid, outcome.new_build) = (owner, getpid(), build);
        outcome.old_build = offer.body.build.unwrap_or_default();
    }

    /// The machine has come from that phase to where it is.
    pub(super) fn record_step(&self, core: &mut Core, before: Phase, now: i64) {
        use Phase as P;
        let (after, generation) = (self.machine.phase, u64::from(core.generation));
        if core::mem::discriminant(&before) == core::mem::discriminant(&after) {
            return;
        }
        core.outcomes.note(|outcome| {
            let step = match (before, after) {
                (P::Greeting | P::Receiving(_), P::Loading) => Some(Step::Offered),
                (P::Loading, P::Warm | P::Promoting) => Some(Step::Warm),
                (_, P::Opening) => Some(Step::Committed),
                (P::Opening, P::Confirming | P::Settling | P::Settled) => Some(Step::Live),
                (_, P::Announcing | P::Settled) => Some(Step::Settled),
                _ => None,
            };
            if let Some(step) = step {
                outcome.reach(step, now);
            }
            if after == P::Opening {
                outcome.new_generation = generation;
            }
            // Beside a dead owner one step is two.
            if after == P::Settled {
                outcome.reach(Step::Settled, now);
            }
            if let Some(phase) = Standing::of_handoff_beside(after) {
                outcome.phase = phase;
            }
        });
    }

    /// What the owner says of its side; and, while this one can only wait, how far it is.
    pub(super) fn learn(&self, core: &mut Core, message: &Message) {
        let Some(half) = message.body.half.as_deref().filter(|half| half.id == message.id) else { return };
        let is_waiting = matches!(self.machine.phase, Phase::Greeting | Phase::Receiving(_) | Phase::Loading | Phase::Warm);
        let is_told = matches!(message.kind, Kind::Delta | Kind::Abort);
        core.outcomes.note(|outcome| {
            outcome.learn_of_old(half);
            if is_waiting && is_told {
                outcome.phase = half.phase;
            }
        });
    }

    /// How many connections were passed on, where an older owner has not said so.
    pub(super) fn count_passed(core: &mut Core) {
        let left = core.estate.received.connections();
        core.outcomes.note(|outcome| {
            let connections = &mut outcome.connections;
            connections.passed = connections.passed.max(connections.taken.saturating_add(left));
        });
    }
}
