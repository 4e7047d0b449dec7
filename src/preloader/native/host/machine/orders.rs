//! What begins and ends the processes of a preloader: starts, deaths, reloads, stops, promotions.

use super::births::{Stage, Waiting};
use super::words::{Action, Birth, End, Unpromoted};
use super::{Machine, Process, Promotion};
use crate::clock::Deadline;

impl Machine {
    pub(super) fn started(&mut self, generation: u32, now: i64, actions: &mut Vec<Action>) {
        let process = Process { generation, ready: true, heard: now, too_big: false };
        if let Some(promotion) = self.promotion.take_if(|promotion| promotion.generation == generation) {
            self.spare = self.serving.replace(process).map(|process| process.generation);
            actions.push(Action::Promoted(promotion.birth, generation));
        } else if self.is_starting(generation) {
            self.serving = Some(process);
        } else {
            return;
        }
        (self.last_used, self.refill) = (now, None);
    }

    pub(super) fn start_failed(&mut self, generation: u32, actions: &mut Vec<Action>) {
        if self.is_starting(generation) {
            self.refill = None;
            self.fail_everybody(End::NotStarted(generation), actions);
            self.leave_serving(actions);
        } else if self.promotion.is_some_and(|promotion| promotion.generation == generation) {
            self.unpromote(Unpromoted::Failed, actions);
        }
    }

    fn is_starting(&self, generation: u32) -> bool {
        self.serving.is_some_and(|process| !process.ready && process.generation == generation)
    }

    pub(super) fn ended(&mut self, generation: u32, now: i64, actions: &mut Vec<Action>) {
        if self.ready() == Some(generation) {
            self.crash(now, actions);
        } else if self.spare == Some(generation) {
            self.spare = None;
            let asked = self.births.settle(generation, actions);
            self.ask_again(&asked, actions);
            actions.push(Action::Leave(generation));
        } else {
            self.start_failed(generation, actions);
        }
    }

    /// The one that serves has died, or is as good as dead. Who waits at a gate of its own making is alive. What is told first is told of a process that
    /// can be asked still how it ended.
    pub(super) fn crash(&mut self, now: i64, actions: &mut Vec<Action>) {
        let Some(process) = self.serving.take() else { return };
        let asked = self.births.settle(process.generation, actions);
        self.ask_again(&asked, actions);
        self.miss_warm(End::Crashed, actions);
        self.unpromote(Unpromoted::Overtaken, actions);
        actions.push(Action::Leave(process.generation));
        self.fall_back(now);
    }

    /// Those who wait for a full pool wait for another one's; the second time they do not.
    pub(super) fn miss_warm(&mut self, end: End, actions: &mut Vec<Action>) {
        self.warm.retain(|id, waiting| {
            let over = std::mem::replace(&mut waiting.again, true);
            actions.extend(over.then_some(Action::Fail(*id, end)));
            !over
        });
    }

    /// The one before serves again, if it is there.
    fn fall_back(&mut self, now: i64) {
        self.serving = self.spare.take().map(|generation| Process { generation, ready: true, heard: now, too_big: false });
    }

    /// What was under way for these has died.
    fn ask_again(&mut self, asked: &[u64], actions: &mut Vec<Action>) {
        for id in asked {
            let Some(waiting) = self.line.get_mut(id) else { continue };
            waiting.birth = None;
            if std::mem::replace(&mut waiting.again, true) {
                self.line.remove(id);
                actions.push(Action::Fail(*id, End::Crashed));
            }
        }
    }

    /// A birth has died before it was ready. Where that is the fault of a promoted one, the one before serves again.
    pub(super) fn count_dead(&mut self, generation: u32, now: i64, actions: &mut Vec<Action>) {
        self.dead += 1;
        if self.is_blocked() && self.spare.is_some() && self.ready() == Some(generation) {
            self.leave_serving(actions);
            self.dead = 0;
            self.fall_back(now);
        }
    }

    pub(super) fn reload(&mut self, now: i64, actions: &mut Vec<Action>) {
        let was_there = self.serving.is_some();
        self.leave_all(actions);
        self.oldest = self.births.next;
        if was_there {
            self.want_pool(Deadline::NEVER, now);
        }
    }

    pub(super) fn stop(&mut self, end: End, actions: &mut Vec<Action>) {
        self.refill = None;
        self.fail_everybody(end, actions);
        self.leave_all(actions);
    }

    /// No process is ours any more, and nobody waits at a gate; who is in line stays there.
    pub(super) fn leave_all(&mut self, actions: &mut Vec<Action>) {
        self.unpromote(Unpromoted::Overtaken, actions);
        self.births.discard_if(|_| true, actions);
        self.leave_spare(actions);
        self.leave_serving(actions);
        self.births.rested();
        self.dead = 0;
    }

    /// It has proved itself that was promoted.
    pub(super) fn leave_spare(&mut self, actions: &mut Vec<Action>) {
        if let Some(generation) = self.spare.take() {
            self.leave(generation, actions);
        }
    }

    fn leave_serving(&mut self, actions: &mut Vec<Action>) {
        if let Some(process) = self.serving.take() {
            self.leave(process.generation, actions);
        }
    }

    fn leave(&mut self, generation: u32, actions: &mut Vec<Action>) {
        for id in self.births.settle(generation, actions) {
            if let Some(waiting) = self.line.get_mut(&id) {
                waiting.birth = None;
            }
        }
        self.births.discard_if(|newborn| newborn.generation == generation, actions);
        actions.push(Action::Leave(generation));
    }

    fn fail_everybody(&mut self, end: End, actions: &mut Vec<Action>) {
        for (id, waiting) in std::mem::take(&mut self.line) {
            if let Some(birth) = waiting.birth {
                self.births.give(birth, None);
            }
            actions.push(Action::Fail(id, end));
        }
        actions.extend(std::mem::take(&mut self.warm).into_keys().map(|id| Action::Fail(id, end)));
    }

    /// Those that nothing is under way for.
    pub(super) fn fail_line(&mut self, end: End, actions: &mut Vec<Action>) {
        let mut over = |id: &u64, waiting: &mut Waiting| {
            let over = waiting.birth.is_none();
            actions.extend(over.then_some(Action::Fail(*id, end)));
            !over
        };
        self.line.retain(&mut over);
        self.warm.retain(&mut over);
    }

    /// The start of what somebody wants, the end of what nobody waits for.
    pub(super) fn start_or_leave(&mut self, actions: &mut Vec<Action>) {
        let is_wanted = !self.line.is_empty() || !self.warm.is_empty() || (self.refill.is_some() && !self.is_blocked());
        match self.serving {
            _ if self.closed => {}
            None if is_wanted => {
                self.generation += 1;
                self.serving = Some(Process { generation: self.generation, ready: false, heard: 0, too_big: false });
                actions.push(Action::Start(self.generation));
            }
            Some(process) if !process.ready && !is_wanted => self.leave_serving(actions),
            _ => {}
        }
    }

    pub(super) fn promote(&mut self, birth: Birth, until: Deadline, actions: &mut Vec<Action>) {
        let why = match self.births.get(birth).map(|newborn| newborn.stage) {
            _ if birth < self.oldest => Unpromoted::Old,
            Some(Stage::Asked { .. } | Stage::Gone { .. } | Stage::Idle { .. } | Stage::Adopted { .. }) => Unpromoted::NotReady,
            None if self.ready().is_none() => Unpromoted::NoPreloader,
            None if self.promotion.is_some() || self.spare.is_some() => Unpromoted::Busy,
            None => {
                self.generation += 1;
                self.promotion = Some(Promotion { birth, generation: self.generation, until });
                return actions.push(Action::Promote(birth, self.generation));
            }
        };
        actions.push(Action::PromoteFailed(birth, why));
    }

    pub(super) fn unpromote(&mut self, why: Unpromoted, actions: &mut Vec<Action>) {
        if let Some(promotion) = self.promotion.take() {
            actions.push(Action::PromoteFailed(promotion.birth, why));
        }
    }
}
