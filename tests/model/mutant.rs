//! Mistakes that are put into the machines, to see that the search finds them.

use crate::clock::Deadline;
use crate::machine::owner::{self, Owner};
use crate::machine::successor::{self, Successor};
use crate::machine::word::{Ask, Stage, Ticket, View, Word};
use crate::machine::{Actions, Notice, Reason};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mutant {
    None,
    /// B2, B8: the successor ends when the channel does, after the commit.
    EndsOnHangup,
    /// B3: the successor ends when the owner dies.
    EndsBesideDeadOwner,
    /// B4: the owner retires as soon as the successor serves.
    NoProbation,
    /// B6, B7: a hook that fails resumes nothing.
    NoResume,
    /// B8: the owner waits for ever for a successor that opens.
    NoDeadlineInHanding,
    /// B8: the owner waits for ever for its seal.
    NoDeadlineInSealing,
    /// B14: the successor serves before it was committed to.
    OpensWhenWarm,
    /// The successor believes the message.
    OpensWithoutLooking,
    /// The standby kills whoever is late.
    CondemnsWithoutAsking,
    TakesBackFromTheLiving,
    TakesBackWithoutReload,
    /// The end of the channel is taken for a death.
    PromotesOnHangup,
    CommitsBeforeSealed,
    ResumesTwice,
    KeepsTheChild,
    RetiresOnHangup,
    /// Give-up and commit do not exclude each other.
    RenouncesWithoutAsking,
    /// The word: a taken-back ownership keeps its generation.
    SameGeneration,
    /// The word: a settled successor can still be condemned.
    CondemnsTheSettled,
    /// The end of the channel, which a crash shows before the death, ends a candidate.
    LeavesOnHangup,
    /// A successor that finds itself condemned ends at once, though its standby may be dead.
    EndsWhenCondemned,
    /// A second COMMIT opens a second time.
    OpensTwice,
    /// The successor says that it has settled before its application knows.
    SettlesUntold,
    /// The owner retires as soon as the word says that the successor has settled.
    RetiresUnheard,
    /// A kill is taken for a death.
    TakesBackAfterTheKill,
}

impl Mutant {
    pub fn owner(self, machine: Owner, event: owner::Event, now: i64) -> (Owner, Actions<owner::Action>) {
        use owner::{Action as A, Event as E, Phase as P};
        let (mut next, mut actions) = machine.step(event, now);
        match (self, machine.phase, event) {
            (Mutant::NoProbation, P::Handing, E::Live) => {
                (next.phase, next.deadline) = (P::Retired, Deadline::NEVER);
                actions = Actions::of(&[A::Tell(Notice::Retire), A::Release]);
            }
            (Mutant::NoResume, _, E::Failed) => actions = without(&actions, |action| matches!(action, A::Tell(Notice::Resume { .. }))),
            (Mutant::ResumesTwice, P::Sealing, E::Timeout) => actions.push(A::Tell(Notice::Resume { unsealed: false })),
            (Mutant::CondemnsWithoutAsking, P::Asking | P::Handing, E::Timeout) => {
                next.phase = P::Killing;
                next.deadline = Deadline::at(now);
                actions = Actions::of(&[A::Kill]);
            }
            (Mutant::TakesBackFromTheLiving, P::Handing, E::Timeout) => {
                (next.phase, next.deadline) = (P::Reclaiming, Deadline::NEVER);
                actions = Actions::of(&[A::Ask(Ask::TakeBack)]);
            }
            (Mutant::TakesBackWithoutReload, P::Reclaiming, _) => {
                actions = map(&actions, |action| match action {
                    A::Tell(Notice::Resume { .. }) => A::Tell(Notice::Resume { unsealed: false }),
                    other => other,
                });
            }
            (Mutant::CommitsBeforeSealed, P::Draining, E::Drained(_)) => {
                (next.phase, next.deadline) = (P::Committing, Deadline::NEVER);
                actions = Actions::of(&[A::Disown, A::Ask(Ask::Commit), A::Tell(Notice::Seal)]);
            }
            (Mutant::KeepsTheChild, ..) => actions = without(&actions, |action| action == A::Dismiss),
            (Mutant::RetiresUnheard, P::Asking, E::Record(Ask::Look, _, View::Next)) => {
                (next.phase, next.deadline) = (P::Retired, Deadline::NEVER);
                actions = Actions::of(&[A::Tell(Notice::Retire), A::Release]);
            }
            (Mutant::TakesBackAfterTheKill, P::Killing, E::Timeout) => {
                (next.phase, next.deadline) = (P::Reclaiming, Deadline::NEVER);
                actions = Actions::of(&[A::Ask(Ask::TakeBack)]);
            }
            (Mutant::RetiresOnHangup, P::Handing | P::Probation, E::Hangup) => {
                (next.phase, next.deadline) = (P::Retired, Deadline::NEVER);
                actions = Actions::of(&[A::Tell(Notice::Retire), A::Release]);
            }
            _ => {}
        }
        if (self == Mutant::NoDeadlineInHanding && next.phase == P::Handing)
            || (self == Mutant::NoDeadlineInSealing && next.phase == P::Sealing)
        {
            next.deadline = Deadline::NEVER;
        }
        (next, actions)
    }

    pub fn successor(self, machine: Successor, event: successor::Event, now: i64) -> (Successor, Actions<successor::Action>) {
        use successor::{Action as A, Event as E, Phase as P};
        let (mut next, mut actions) = machine.step(event, now);
        let ends = [A::Tell(Notice::Aborted(Reason::HungUp)), A::Release];
        let opens = [A::Tell(Notice::Live { unsealed: false })];
        match (self, machine.phase, event) {
            (Mutant::EndsOnHangup, P::Opening | P::Live, E::Hangup) | (Mutant::EndsBesideDeadOwner, P::Loading | P::Warm, E::PeerGone) => {
                (next.phase, next.deadline) = (P::Ended, Deadline::NEVER);
                actions = Actions::of(&ends);
            }
            (Mutant::OpensWhenWarm, P::Loading, E::Warm) => {
                (next.phase, next.deadline) = (P::Opening, Deadline::NEVER);
                actions = Actions::of(&[A::SendWarm, opens[0]]);
            }
            (Mutant::OpensWithoutLooking, P::Warm, E::Commit) => {
                (next.phase, next.deadline) = (P::Opening, Deadline::NEVER);
                actions = Actions::of(&opens);
            }
            (Mutant::LeavesOnHangup, P::Warm, E::Hangup) => {
                (next.phase, next.deadline) = (P::Renouncing, Deadline::NEVER);
                actions = Actions::of(&[A::Ask(Ask::Renounce)]);
            }
            (Mutant::EndsWhenCondemned, _, E::Record(_, false, View::Condemned)) => {
                (next.phase, next.deadline) = (P::Ended, Deadline::NEVER);
                actions = Actions::of(&ends);
            }
            (Mutant::SettlesUntold, P::Settling, E::Record(_, true, _)) => {
                (next.phase, next.deadline) = (P::Settled, Deadline::NEVER);
                actions = Actions::of(&[A::SendSettled, A::Tell(Notice::Committed), A::Release]);
            }
            (Mutant::OpensTwice, P::Opening, E::Commit) => actions = Actions::of(&opens),
            (Mutant::PromotesOnHangup, P::Warm, E::Hangup) => {
                (next.phase, next.deadline) = (P::Promoting, Deadline::NEVER);
                actions = Actions::of(&[A::Ask(Ask::Promote)]);
            }
            (Mutant::RenouncesWithoutAsking, P::Warm, E::Timeout) => {
                (next.phase, next.deadline) = (P::Ended, Deadline::NEVER);
                actions = Actions::of(&ends);
            }
            _ => {}
        }
        (next, actions)
    }

    pub fn after(self, word: Word, ask: Ask, ticket: Ticket) -> Option<Word> {
        match (self, ask, word.view(ticket)) {
            (Mutant::SameGeneration, Ask::TakeBack | Ask::Reclaim, _) => {
                word.after(ask, ticket).map(|word| Word { generation: word.generation - 1, ..word })
            }
            (Mutant::CondemnsTheSettled, Ask::Condemn | Ask::CondemnUnopened, View::Next) => Some(Word { stage: Stage::Condemned, ..word }),
            _ => word.after(ask, ticket),
        }
    }
}

fn without<A: Copy>(actions: &Actions<A>, drop: impl Fn(A) -> bool) -> Actions<A> {
    let mut kept = Actions::none();
    actions.iter().filter(|action| !drop(*action)).for_each(|action| kept.push(action));
    kept
}

fn map<A: Copy>(actions: &Actions<A>, change: impl Fn(A) -> A) -> Actions<A> {
    let mut changed = Actions::none();
    actions.iter().for_each(|action| changed.push(change(action)));
    changed
}
