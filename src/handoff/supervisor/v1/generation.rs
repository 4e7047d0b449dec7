//! What follows for the generation: it is found, it ends, it is replaced or not, another is started; and what the journal of another supervisor says.

use super::*;

impl V1 {
    pub(super) fn look_at_owner(&mut self, core: &mut Core) {
        let Some(owner) = &mut self.owner else { return };
        if owner.process.is_ending() && !owner.process.is_dead() {
            owner.ended = owner.process.tick();
        }
        if !owner.process.is_dead() {
            return;
        }
        // What it has said is heard before its death is believed.
        if let Some(change) = &mut self.change {
            change.owner_died(core, &mut self.journal);
        }
        self.owner_ended(core);
        self.finish(core);
    }

    pub(super) fn owner_ended(&mut self, core: &mut Core) {
        let Some(mut owner) = self.owner.take_if(|owner| owner.process.is_dead()) else { return };
        core.reactor.forget(owner.token);
        if let Some((probe, _)) = owner.probe.take() {
            probe.end(core);
        }
        let pid = owner.process.pid;
        let ended = owner.ended.or_else(|| owner.process.tick());
        let Ended { known, code, signal } = ended.unwrap_or_default();
        if ended.is_none() {
            // A tracer has it: it is reaped when it can be.
            core.end(owner.process);
        }
        // In the middle of a replacement it is not known yet who is to be stopped.
        let stopping = self.change.is_none() && std::mem::take(&mut self.stopping);
        let kind = if stopping { EventKind::Stopped } else { EventKind::OwnerEnded };
        let reason = if known { Status::Ok } else { Status::NotFound };
        core.tell(Happened { pid, generation: owner.number, exit_code: code, exit_signal: signal, reason, ..Happened::now(kind) });
        if !stopping && self.change.is_none() {
            self.again(core);
        }
    }

    /// None is left: another one is started, as often as the budget allows.
    pub(super) fn again(&mut self, core: &mut Core) {
        let reason = match self.try_again(core) {
            Ok(()) => return,
            Err(status) => status,
        };
        core.tell(Happened { reason, ..Happened::now(EventKind::GaveUp) });
    }

    fn try_again(&mut self, core: &mut Core) -> std::result::Result<(), Status> {
        let command = self.last_good.clone().ok_or(Status::NotFound)?;
        let budget = core.settings.restart.clone().ok_or(Status::BudgetExhausted)?;
        let permit = budget.begin_kept(KEY, false).map_err(|refusal| match refusal {
            Refusal::Failed(error) => error.status,
            _ => Status::BudgetExhausted,
        })?;
        // Each counts until its window is over.
        let _ = budget.finish(permit, false);
        self.order_start(core, command).map_err(|error| error.status)
    }

    // ---- a replacement ----

    pub(super) fn finish(&mut self, core: &mut Core) {
        let Some(end) = self.change.as_ref().and_then(|change| change.end) else { return };
        let Some(mut change) = self.change.take() else { return };
        let (now, words) = (clock::now(), change.words().to_owned());
        let id = change.id();
        let old = self.owner.as_ref().map_or(change.outcome.old_pid, |owner| owner.process.pid);
        match end {
            End::Committed { unsealed } => {
                if let Some(owner) = self.owner.take() {
                    // Told to exit: it does so when its application has come to its end.
                    core.reactor.forget(owner.token);
                    core.end(owner.process);
                }
                change.outcome.unsealed = unsealed;
                change.outcome.new_generation = self.generation + 1;
                change.outcome.commit(now);
                change.outcome.words = words;
                self.generation += 1;
                let pid = change.successor_pid();
                let committed =
                    Happened { handoff_id: id, pid, peer_pid: old, generation: self.generation, ..Happened::now(EventKind::Committed) };
                core.metrics.last_gap = change.outcome.gap();
                core.metrics.last_whole = now.saturating_sub(change.outcome.began);
                core.metrics.sum_whole = core.metrics.sum_whole.saturating_add(core.metrics.last_whole);
                core.outcomes.keep(change.outcome.clone());
                core.tell(committed);
                match change.process.take() {
                    Some(process) => {
                        self.set_owner(core, process, Some(change.command.clone()));
                        self.tell_serving(core);
                    }
                    None if self.stopping => {}
                    None => self.again(core),
                }
            }
            End::Aborted { reason, .. } | End::Lost(reason) => {
                let reason = verdict::status_of(reason);
                let text = match end {
                    End::Aborted { confirmed: false, .. } => "; the owner has not said that it goes on",
                    End::Lost(_) => "; no generation is left",
                    _ => "",
                };
                let words = format!("{}{text}", if words.is_empty() { "the handoff was called off" } else { &words });
                change.outcome.abort(reason, &words, now);
                core.outcomes.keep(change.outcome.clone());
                let peer_pid = change.successor_pid();
                core.tell(Happened { handoff_id: id, pid: old, peer_pid, reason, ..Happened::now(EventKind::Aborted) });
                if let Some(process) = change.process.take() {
                    core.end(process);
                }
                if self.owner.is_none() && !self.stopping {
                    self.again(core);
                }
            }
        }
        match (self.stop_grace.take(), &mut self.owner) {
            (None, _) => {}
            (Some(grace), Some(owner)) => owner.process.stop(grace),
            (Some(_), None) => {
                self.stopping = false;
                core.tell(Happened { pid: old, ..Happened::now(EventKind::Stopped) });
            }
        }
    }

    /// What the supervisor before this one has left.
    pub(super) fn read_journal(&mut self, core: &mut Core, owner: Option<i32>) {
        let Some(journal) = &mut self.journal else { return };
        match journal.read() {
            Ok(None) => {}
            Ok(Some(entry)) => {
                core.outcomes.keep(left(&entry, owner));
                journal.clear();
            }
            // It stays where it is, and nothing depends on it.
            Err(error) => {
                let mut outcome = Outcome::begin(0, Mode::Exclusive, clock::now(), 0);
                outcome.abort(error.status, &error.message, clock::now());
                core.outcomes.keep(outcome);
            }
        }
    }
}

/// The record of a replacement whose supervisor did not see the end: who serves says what it was.
fn left(entry: &Entry, owner: Option<i32>) -> Outcome {
    let now = clock::now();
    let wall = i64::try_from(entry.began).unwrap_or(0).saturating_mul(MILLI);
    let began = wall.saturating_sub(clock::wall_ahead());
    let mut outcome = Outcome::begin(entry.id.short(), Mode::Exclusive, began, wall);
    (outcome.old_pid, outcome.new_pid) = (entry.incumbent as i32, entry.successor.unwrap_or(0) as i32);
    if owner.is_some() && owner == entry.successor.map(|pid| pid as i32) {
        outcome.commit(now);
    } else {
        let words = format!("its supervisor has ended in it; the journal says {:?}", entry.phase);
        outcome.abort(Status::Aborted, &words, now);
    }
    outcome
}
