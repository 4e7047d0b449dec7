//! What the machine's actions do, what came of a spawn, and what the application is told.

use super::*;
use crate::handoff::machine::overlap::{Failure, Notice, STOPPING, Seat, Stage};
use crate::handoff::machine::standing::Standing;
use crate::handoff::outcome::Step;
use crate::handoff::supervisor::events::{EventKind, Happened};

/// What the budget of starts counts.
const KEY: &[u8] = b"generation";

/// For the journal, if there is one. One that cannot be described is not written down.
pub(super) fn lasting_of(core: &Core, pid: i32, process: &Process) -> Option<Lasting> {
    core.settings.journal.as_ref()?;
    Lasting::of(pid, process.pidfd()).ok()
}

impl Notify {
    /// Has one started, which must be ready within `whole` nanoseconds.
    pub(super) fn order(&mut self, core: &mut Core, purpose: Purpose, which: Which, command: Arc<Command>, whole: i64) -> Result<()> {
        let (ready, timeout) = prepared(&command)?;
        let number = core.order(purpose, &ready)?;
        let whole = timeout.map_or(whole, |timeout| timeout.min(whole));
        self.order = Some(Ordered { number, which, by: Deadline::after(whole), command, asked: false });
        Ok(())
    }

    /// An order was carried out.
    pub(super) fn take_born(&mut self, core: &mut Core, number: u64, child: Result<Child>) -> Result<()> {
        let Some(order) = self.order.take_if(|order| order.number == number) else {
            core.discard(child);
            return Ok(());
        };
        match child.and_then(|child| self.seated(core, &order, child)) {
            Ok(pid) => {
                self.tell(core, EventKind::Started, |told| told.pid = pid);
                let event = if order.which == Which::Next { Event::Replace { by: order.by } } else { Event::Started { by: order.by } };
                self.feed(core, event);
                // It may be ready already: by its exec, or faster than this.
                self.look_at(core, order.which);
                Ok(())
            }
            Err(error) => {
                if order.which == Which::Next {
                    core.outcomes.forget();
                } else if !order.asked {
                    // In the place of one that has ended: tried again, as long as the budget allows it.
                    self.trouble = Some(error.clone());
                    self.feed(core, Event::NotStarted { again: Deadline::after(RETRY) });
                }
                Err(error)
            }
        }
    }

    fn seated(&mut self, core: &mut Core, order: &Ordered, child: Child) -> Result<i32> {
        let gone = || Error::new(Status::Exited, "spawn", "the generation has ended already");
        let speaks = speaks(&order.command);
        let voice = Voice::of(&child);
        let mut process = Process::spawned(child).ok_or_else(gone)?;
        process.set_plan(order.command.plan());
        let pid = process.pid;
        let daemon = Daemon {
            voice,
            command: Some(order.command.clone()),
            build: BuildId::from_bytes(core.settings.build_id.clone().unwrap_or_default().as_bytes()).unwrap_or_default(),
            generation: 0,
            speaks,
            life: core.number(),
            speech: core.number(),
            sign: core.number(),
            lasting: lasting_of(core, pid, &process),
            process,
        };
        if order.which == Which::Next {
            let (now, build) = (clock::now(), daemon.build);
            core.outcomes.note(|record| {
                (record.new_pid, record.new_build) = (pid, build);
                record.reach(Step::Greeted, now);
                record.reach(Step::Offered, now);
            });
            self.next = Some(daemon);
        } else {
            self.current = Some(daemon);
        }
        Ok(pid)
    }

    pub(super) fn act(&mut self, core: &mut Core, action: Action, was: Option<Seat>) {
        match action {
            Action::Look(which) => self.begin_look(core, which),
            Action::End(which) => self.leave(core, which, |process| process.stop(-1), false),
            Action::Abort(which) => self.leave(core, which, Process::abort, false),
            Action::Release(which) => {
                self.leave(core, which, |_| {}, false);
                if let Some(leaver) = self.leaving.last_mut() {
                    leaver.hurried = Deadline::after(STOPPING);
                    leaver.until = clock::now().saturating_add(STOPPING);
                }
            }
            Action::Retire => {
                let stops = self.machine.stopping;
                let grace = if stops { self.grace_ms } else { self.drain_ms };
                self.leave(core, Which::Current, |process| process.stop(grace), !stops);
            }
            Action::Promote => {
                self.drop_look(core, Which::Current);
                self.looks.swap(0, 1);
                self.current = self.next.take();
            }
            Action::Approve => self.good = self.current.as_ref().and_then(|daemon| daemon.command.clone()),
            Action::Start => self.start_again(core),
            Action::Tell(notice) => self.tell_of(core, notice, was),
        }
    }

    fn leave(&mut self, core: &mut Core, which: Which, how: impl FnOnce(&mut Process), drains: bool) {
        self.drop_look(core, which);
        let daemon = match which {
            Which::Current => self.current.take(),
            Which::Next => self.next.take(),
        };
        let Some(daemon) = daemon else { return };
        let (served, lasting) = (daemon.generation != 0, daemon.lasting.clone());
        let mut process = daemon.unwatched(core);
        if which == Which::Current {
            self.end = (process.pid, Ended::default());
        }
        how(&mut process);
        let drained = if drains { core.outcomes.under_way().map(|record| record.id) } else { None };
        let served = served || which == Which::Current;
        let until = process.due().nanos().unwrap_or_else(clock::now);
        self.leaving.push(Leaver { token: core.number(), process, drained, served, hurried: Deadline::NEVER, lasting, until });
    }

    fn begin_look(&mut self, core: &mut Core, which: Which) {
        self.drop_look(core, which);
        let Some(pid) = self.seat(which).map(|daemon| daemon.process.pid) else { return };
        let generation = self.generation + u64::from(which == Which::Next);
        let health = core.settings.health.clone();
        let look = Look::begin(&health, pid, generation, core, clock::now());
        self.looks[which as usize] = Some((core.number(), look));
        self.step_look(core, which);
    }

    /// Nobody is left: the last good one is started again, if the budget allows it.
    fn start_again(&mut self, core: &mut Core) {
        let none = || Error::new(Status::NotFound, "start", "no command is known for a generation");
        let permitted = || match &core.settings.restart {
            None => Err(Error::new(Status::BudgetExhausted, "start", "nobody is to be started in the place of one that has ended")),
            Some(budget) => match budget.begin(KEY) {
                // Each start counts, whatever comes of it, until its window is over.
                Ok(permit) => {
                    let _ = budget.finish(permit, false);
                    Ok(())
                }
                Err(refused) => Err(refused.into_error(KEY)),
            },
        };
        let command = self.good.clone().or_else(|| self.first.clone()).ok_or_else(none);
        let ordered = command
            .and_then(|command| permitted().map(|()| command))
            .and_then(|command| self.order(core, Purpose::Start, Which::Current, command, settings::WHOLE));
        if let Err(error) = ordered {
            self.trouble = Some(error);
            self.feed(core, Event::NotStarted { again: Deadline::NEVER });
        }
    }

    // ---- what is told ----

    fn tell(&mut self, core: &mut Core, kind: EventKind, fill: impl FnOnce(&mut Happened)) {
        let mut told = Happened::now(kind);
        fill(&mut told);
        core.tell(told);
    }

    /// How far the next one has come.
    pub(super) fn tell_progress(&mut self, core: &mut Core, before: Option<Seat>) {
        let now = clock::now();
        let stage = |seat: Option<Seat>| seat.map(|seat| seat.stage);
        let seat = self.machine.next.or(self.machine.current.filter(|_| before.is_some()));
        let (Some(was), Some(is)) = (stage(before), stage(seat)) else { return };
        if was == is {
            return;
        }
        core.outcomes.note(|record| {
            record.reach(Step::Warm, now);
            if is != Stage::Checking {
                record.reach(Step::Live, now);
            }
            record.phase = if is == Stage::Checking { Standing::Warm } else { Standing::Overlap };
        });
        if let Some(record) = core.outcomes.under_way() {
            let (id, pid, peer, phase) = (record.id, record.old_pid, record.new_pid, record.phase as i32);
            self.tell(core, EventKind::Progress, |told| (told.handoff_id, told.pid, told.peer_pid, told.phase) = (id, pid, peer, phase));
        }
    }

    fn tell_of(&mut self, core: &mut Core, notice: Notice, was: Option<Seat>) {
        match notice {
            Notice::Serving => {
                let Some(daemon) = &mut self.current else { return };
                if daemon.generation == 0 {
                    self.generation += 1;
                    daemon.generation = self.generation;
                }
                daemon.process.disown();
                let (pid, generation) = (daemon.process.pid, daemon.generation);
                self.tell(core, EventKind::Serving, |told| (told.pid, told.generation) = (pid, generation));
            }
            Notice::Committed => {
                let now = clock::now();
                self.generation += 1;
                let generation = self.generation;
                let Some(daemon) = &mut self.current else { return };
                daemon.generation = generation;
                let pid = daemon.process.pid;
                let alone = was.is_none();
                let (id, old) = core.outcomes.under_way().map_or((0, 0), |record| (record.id, record.old_pid));
                core.outcomes.note(|record| {
                    (record.new_generation, record.new_pid, record.unsealed) = (generation, pid, alone);
                    record.reach(Step::Committed, now);
                    core.metrics.last_whole = now.saturating_sub(record.began);
                    core.metrics.sum_whole += core.metrics.last_whole;
                });
                core.outcomes.commit(now);
                self.tell(core, EventKind::Committed, |told| {
                    (told.handoff_id, told.pid, told.peer_pid, told.generation) = (id, pid, old, generation);
                });
            }
            Notice::Aborted(failure) => {
                let (status, words) = self.why(failure);
                let (id, peer) = core.outcomes.under_way().map_or((0, 0), |record| (record.id, record.new_pid));
                core.outcomes.abort(status, &words, clock::now());
                let owner = self.owner().map_or(0, |(pid, _)| pid);
                // A dead one has nothing to leave.
                self.next = self.next.take().and_then(|daemon| {
                    daemon.unwatched(core);
                    None
                });
                self.tell(core, EventKind::Aborted, |told| {
                    (told.handoff_id, told.pid, told.peer_pid, told.reason) = (id, owner, peer, status);
                });
            }
            Notice::Ended(failure) => {
                self.drop_look(core, Which::Current);
                if let Some(daemon) = self.current.take() {
                    daemon.unwatched(core);
                }
                let (pid, end) = self.end;
                let reason = match failure {
                    Failure::Died if end.known => Status::Ok,
                    Failure::Died => Status::NotFound,
                    other => self.why(other).0,
                };
                self.tell(core, EventKind::OwnerEnded, |told| {
                    (told.pid, told.exit_code, told.exit_signal, told.reason) = (pid, end.code, end.signal, reason);
                });
            }
            Notice::GaveUp => {
                let status = self.trouble.take().map_or(Status::BudgetExhausted, |error| error.status);
                self.tell(core, EventKind::GaveUp, |told| told.reason = status);
            }
            Notice::Stopped => {
                let (pid, end) = self.end;
                self.tell(core, EventKind::Stopped, |told| (told.pid, told.exit_code, told.exit_signal) = (pid, end.code, end.signal));
            }
        }
    }

    fn why(&mut self, failure: Failure) -> (Status, String) {
        let complaint = std::mem::take(&mut self.complaint);
        let end = self.end.1;
        match failure {
            Failure::NotReady => (Status::Timeout, "it has not said READY=1 in time".to_owned()),
            Failure::Unready => (Status::Protocol, complaint),
            Failure::Died if end.signal != 0 => (Status::Exited, format!("it was ended by signal {}", end.signal)),
            Failure::Died => (Status::Exited, format!("it has ended with {}", end.code)),
            Failure::Stopping => (Status::Aborted, "it has said STOPPING=1".to_owned()),
            Failure::Unhealthy if complaint.is_empty() => (Status::Timeout, "it was not found healthy in time".to_owned()),
            Failure::Unhealthy => (Status::Timeout, format!("it was not found healthy in time: {complaint}")),
            Failure::Watchdog => (Status::Timeout, "its watchdog has run out".to_owned()),
            Failure::Cancelled => (Status::Cancelled, "it was called off".to_owned()),
        }
    }
}
