//! What becomes of a birth that was asked for, and of the request that was to have it.

use super::Machine;
use super::births::{Stage, Waiting};
use super::words::{Action, Birth, End, Id, Why};

impl Machine {
    pub(super) fn call_off(&mut self, id: Id) {
        self.warm.remove(&id);
        if let Some(birth) = self.line.remove(&id).and_then(|waiting| waiting.birth) {
            self.births.give(birth, None);
        } else if let Some(birth) = self.births.adopted_by(id) {
            self.births.remove(birth);
        }
    }

    pub(super) fn registered(&mut self, birth: Birth, now: i64, actions: &mut Vec<Action>) {
        self.heard(birth, now);
        match self.births.get(birth).map(|newborn| newborn.stage) {
            Some(Stage::Asked { whose, .. }) => {
                self.births.rested();
                self.births.set(birth, Stage::Idle { since: now });
                if let Some(id) = whose.or_else(|| self.first_in_line(false)) {
                    self.adopt(birth, id, false, now, actions);
                }
            }
            Some(Stage::Idle { .. } | Stage::Adopted { .. }) => {}
            // Nobody waits for it any more.
            Some(Stage::Gone { .. }) | None => {
                self.births.remove(birth);
                actions.push(Action::Discard(birth));
            }
        }
    }

    pub(super) fn adopt(&mut self, birth: Birth, id: Id, pooled: bool, now: i64, actions: &mut Vec<Action>) {
        let Some(request) = self.line.remove(&id) else { return };
        self.last_used = now;
        if pooled {
            self.births.pause(now);
        }
        if let Some(other) = request.birth.filter(|other| *other != birth) {
            self.births.give(other, None);
        }
        self.births.set(birth, Stage::Adopted { id, request: Waiting { birth: None, ..request }, pooled });
        actions.push(Action::Adopt(birth, id));
    }

    pub(super) fn birth_failed(&mut self, birth: Birth, why: Why, now: i64, actions: &mut Vec<Action>) {
        self.heard(birth, now);
        let Some(newborn) = self.births.get(birth) else { return };
        let Stage::Asked { whose, .. } = newborn.stage else {
            if let Stage::Gone { .. } = newborn.stage {
                self.births.remove(birth);
            }
            return;
        };
        self.births.remove(birth);
        self.births.fail(now);
        self.miss(whose, birth, why, actions);
        if matches!(why, Why::Died | Why::Late) {
            self.count_dead(newborn.generation, now, actions);
        }
    }

    /// This birth has come to nothing, and so has what waits for it; unless that is asked once more.
    fn miss(&mut self, whose: Option<Id>, birth: Birth, why: Why, actions: &mut Vec<Action>) {
        let for_good = matches!(why, Why::Refused | Why::Unproven);
        let mut is_over = |waiting: &mut Waiting| {
            waiting.birth = None;
            for_good || std::mem::replace(&mut waiting.again, true)
        };
        match whose {
            Some(id) if self.line.get_mut(&id).is_some_and(&mut is_over) => {
                self.line.remove(&id);
                actions.push(Action::Fail(id, End::Failed(birth, why)));
            }
            Some(_) => {}
            None => self.warm.retain(|id, waiting| {
                let over = is_over(waiting);
                actions.extend(over.then_some(Action::Fail(*id, End::Failed(birth, why))));
                !over
            }),
        }
    }

    pub(super) fn died(&mut self, birth: Birth, now: i64, actions: &mut Vec<Action>) {
        let Some(newborn) = self.births.get(birth) else { return };
        if let Stage::Asked { .. } | Stage::Gone { .. } = newborn.stage {
            return self.birth_failed(birth, Why::Died, now, actions);
        }
        self.births.remove(birth);
        self.births.fail(now);
        if let Stage::Adopted { id, request, pooled } = newborn.stage {
            if self.closed {
                return actions.push(Action::Fail(id, End::Closed));
            }
            self.line.insert(id, request);
            if !pooled {
                self.miss(Some(id), birth, Why::Died, actions);
                self.count_dead(newborn.generation, now, actions);
            }
        }
    }

    pub(super) fn is_ready(&mut self, birth: Birth, now: i64, actions: &mut Vec<Action>) {
        let Some(newborn) = self.births.get(birth) else { return };
        if let Stage::Adopted { .. } = newborn.stage {
            self.births.remove(birth);
            (self.dead, self.last_used) = (0, now);
            if self.ready() == Some(newborn.generation) && self.spare.is_some() {
                self.births.discard_if(|idle| idle.generation < newborn.generation, actions);
                self.leave_spare(actions);
            }
        }
    }

    /// It does not come to its gate.
    pub(super) fn give_up(&mut self, birth: Birth, now: i64, actions: &mut Vec<Action>) {
        let Some(newborn) = self.births.get(birth) else { return };
        let Stage::Asked { at, whose, born } = newborn.stage else { return };
        self.births.set(birth, Stage::Gone { at });
        self.births.fail(now);
        actions.push(Action::Discard(birth));
        self.miss(whose, birth, Why::Late, actions);
        if born {
            self.count_dead(newborn.generation, now, actions);
        }
    }

    pub(super) fn is_not_ready(&mut self, birth: Birth, now: i64, actions: &mut Vec<Action>) {
        let Some(newborn) = self.births.get(birth) else { return };
        if let Stage::Adopted { .. } = newborn.stage {
            self.births.remove(birth);
            self.count_dead(newborn.generation, now, actions);
        }
    }
}
