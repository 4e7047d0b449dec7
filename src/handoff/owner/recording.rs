//! What an owner writes down of a handoff, step by step: from the phases of its machine, so that nothing is forgotten and nothing asked for twice.
//!
//! The trap is the gap. Between SEAL's answer and LIVE this runs as well, so it makes no system call and allocates nothing: a time is written into a
//! record that is there.

use super::side::OwnerSide;
use crate::handoff::core::Core;
use crate::handoff::machine::owner::Phase;
use crate::handoff::machine::standing::{Seal, Standing};
use crate::handoff::outcome::Step;
use crate::handoff::wire::{self, Message};
use crate::sys::getpid;

impl OwnerSide {
    /// A handoff begins; its time counts from `began` on.
    pub(super) fn begin_record(core: &mut Core, began: i64) {
        let (build, pid, peer) = (core.outcomes.build, getpid(), core.peer_pid);
        let outcome = core.begin_record(began);
        (outcome.old_build, outcome.old_pid, outcome.new_pid) = (build, pid, peer);
    }

    /// The machine has come from that phase to where it is.
    pub(super) fn record_step(&mut self, core: &mut Core, before: Phase, now: i64) {
        use Phase as P;
        let after = self.machine.phase;
        if core::mem::discriminant(&before) == core::mem::discriminant(&after) {
            return;
        }
        let (seal, peer, generation) = (core.seal, core.peer_pid, u64::from(core.attempt.ticket.generation) + 1);
        let was = core.outcomes.under_way().map(|outcome| outcome.phase);
        let (phase, passed) = (Standing::of_handoff(after, core.attempt.mode), core.estate.holdings.passed());
        core.outcomes.note(|outcome| {
            let step = match (before, after) {
                (_, P::Offering(_)) => Some(Step::Greeted),
                (P::Offering(_), P::Warming) => Some(Step::Offered),
                (P::Warming, P::Draining) => Some(Step::Warm),
                (P::Draining, P::Probing(_) | P::Sealing | P::Updating(_) | P::Committing) => Some(Step::Drained),
                (P::Sealing, P::Updating(_) | P::Committing) => Some(Step::Sealed),
                (P::Closing, P::Probation) => (seal == Seal::Answered).then_some(Step::Sealed),
                (P::Committing, P::Handing) => Some(Step::Committed),
                (P::Handing | P::Condemning, P::Closing | P::Probation) => Some(Step::Live),
                (_, P::Parting | P::Retired) => Some(Step::Settled),
                _ => None,
            };
            if let Some(step) = step {
                outcome.reach(step, now);
            }
            outcome.new_pid = peer;
            match after {
                P::Handing => {
                    let connections = &mut outcome.connections;
                    (connections.passed, connections.left) = (passed, connections.open.saturating_sub(passed));
                    outcome.new_generation = generation;
                }
                // Its LIVE may have been lost with the channel.
                P::Retired if outcome.at(Step::Live) == 0 => outcome.reach(Step::Live, now),
                _ => {}
            }
            if let Some(phase) = phase {
                outcome.phase = phase;
            }
        });
        if let Some(phase) = phase.filter(|phase| was != Some(*phase) || matches!(after, P::Greeting | P::Offering(_))) {
            let id = wire::id_of(core.attempt.ticket);
            if (before, after) == (P::Warming, P::Draining) {
                self.note_progress(id, Standing::Warm, peer, now);
            }
            self.note_progress(id, phase, peer, now);
        }
    }

    /// What the successor says of itself.
    pub(super) fn learn(core: &mut Core, message: &Message) {
        if let Some(half) = message.body.half.as_deref().filter(|half| half.id == message.id) {
            core.outcomes.note(|outcome| outcome.learn_of_new(half));
        }
    }

    /// How many connections are open, by the application's word.
    pub(super) fn count_open(core: &mut Core, open: u32) {
        core.outcomes.note(|outcome| outcome.connections.open = open);
    }
}
