//! What the machine's actions do, and what came of a spawn.

use super::*;
use crate::handoff::machine::Mode;
use crate::handoff::machine::standing::Standing;
use crate::handoff::machine::supervisor::{Told, Why};
use crate::handoff::outcome::Outcome;

/// What the budget of starts counts.
const KEY: &[u8] = b"generation";

impl Native {
    pub(super) fn act(&mut self, core: &mut Core, action: Action) {
        match action {
            Action::SpawnFirst => {
                (self.terms, self.owner_end, self.child_pid) = (None, (0, Ended::default()), 0);
                let command = self.next.clone().or_else(|| self.command.clone());
                self.order(core, Purpose::Start, command);
            }
            Action::SpawnSuccessor => {
                // The last one may be the owner by now.
                self.child_pid = 0;
                let (whole, drain) = self.terms_left();
                if let Some(channel) = self.channel.as_mut().filter(|channel| channel.is_up()) {
                    channel.announce(whole, drain);
                }
                let command = self.next.clone();
                self.order(core, Purpose::Successor, command);
            }
            Action::Expect => {
                let (whole, drain) = self.terms_left();
                if let (Some(channel), Some(child), true) = (&mut self.channel, &self.child, self.terms.is_some())
                    && channel.is_up()
                {
                    channel.expect(child.pid, child.pidfd().clone(), whole, drain);
                }
            }
            Action::CallOff => {
                if let Some(channel) = self.channel.as_mut().filter(|channel| channel.is_up()) {
                    channel.call_off(self.child_pid);
                }
            }
            Action::Freeze => self.signal_child(libc::SIGSTOP),
            Action::Thaw => self.signal_child(libc::SIGCONT),
            Action::Kill => {
                if let Some(child) = &mut self.child {
                    child.kill();
                }
            }
            Action::StopChild => {
                let grace = self.grace_ms;
                if let Some(child) = &mut self.child {
                    child.stop(grace);
                }
            }
            Action::StopOwner => {
                let grace = self.grace_ms;
                if let Some(owner) = &mut self.owner {
                    owner.process.stop(grace);
                }
            }
            Action::Adopt => self.adopt(core),
            Action::Look => {
                let seen = self.seen();
                self.feed(core, Event::Seen(seen));
            }
            Action::AskPermit => {
                let permitted = self.may_start(core);
                self.feed(core, Event::Permit(permitted));
            }
            Action::Tell(told) => self.tell_of(core, told),
        }
    }

    fn signal_child(&self, number: i32) {
        if let Some(child) = &self.child {
            child.signal(number);
        }
    }

    fn order(&mut self, core: &mut Core, purpose: Purpose, command: Option<Arc<Command>>) {
        let none = || Error::new(Status::NotFound, "start", "no command is known for a generation");
        let ordered = command.ok_or_else(none).and_then(|command| core.order(purpose, &command));
        match ordered {
            Ok(number) => self.order = Some(number),
            Err(error) => {
                self.trouble = Some(error);
                self.feed(core, Event::NotBorn);
            }
        }
    }

    /// An order was carried out.
    pub(super) fn take_born(&mut self, core: &mut Core, _purpose: Purpose, number: u64, child: Result<Child>) -> Result<()> {
        if self.order != Some(number) {
            core.discard(child);
            return Ok(());
        }
        self.order = None;
        let gone = || Error::new(Status::Exited, "spawn", "the generation has ended already");
        let made = child.and_then(|child| Process::spawned(child).ok_or_else(gone)).and_then(|mut process| {
            // How it is stopped, also when it is no child of the registry any more.
            if let Some(command) = self.next.as_ref().or(self.command.as_ref()) {
                process.set_plan(command.plan());
            }
            let Err(fault) = core.reactor.add(CHILD, process.pidfd()) else { return Ok(process) };
            process.kill();
            core.end(process);
            Err(fault.error("cannot watch the generation"))
        });
        match made {
            Ok(process) => {
                self.child_pid = process.pid;
                self.child_build = core.settings.build_id.clone().unwrap_or_default();
                self.recorded = false;
                let pid = process.pid;
                self.child = Some(process);
                self.tell(core, EventKind::Started, |told| told.pid = pid);
                self.feed(core, Event::Born);
                Ok(())
            }
            Err(error) => {
                self.trouble = Some(error.clone());
                self.feed(core, Event::NotBorn);
                Err(error)
            }
        }
    }

    /// The child is the owner from here on.
    fn adopt(&mut self, core: &mut Core) {
        let generation = std::mem::take(&mut self.found_generation);
        if let Some(mut child) = self.child.take() {
            child.disown();
            core.reactor.forget(CHILD);
            self.replace_owner(core, child, generation);
        } else {
            // It is dead already.
            self.owner_end = (self.child_pid, self.child_end);
        }
        if let Some(owner) = &mut self.owner {
            owner.build.clone_from(&self.child_build);
        }
        if self.next.is_some() {
            self.command = self.next.take();
        }
    }

    /// Whether another may be started in the place of one that has ended.
    fn may_start(&mut self, core: &mut Core) -> bool {
        if self.next.is_none() && self.command.is_none() {
            self.trouble = Some(Error::new(Status::NotFound, "start", "no command is known for a generation"));
            return false;
        }
        let Some(budget) = &core.settings.restart else {
            self.trouble = Some(Error::new(Status::BudgetExhausted, "start", "nobody is to be started in the place of one that has ended"));
            return false;
        };
        match budget.begin(KEY) {
            Ok(permit) => {
                // Each start counts, whatever comes of it, until its window is over.
                let _ = budget.finish(permit, false);
                true
            }
            Err(refused) => {
                self.trouble = Some(refused.into_error(KEY));
                false
            }
        }
    }

    fn tell_of(&mut self, core: &mut Core, told: Told) {
        let (owner, generation) = self.owner.as_ref().map_or((0, 0), |known| (known.process.pid, known.generation));
        match told {
            Told::Serving => {
                self.tell(core, EventKind::Serving, |told| (told.pid, told.generation) = (owner, generation));
            }
            Told::Committed => {
                let terms = self.terms.take();
                let old = terms.as_ref().map_or(0, |terms| terms.old_pid);
                if let Some(terms) = terms {
                    core.metrics.last_whole = clock::now().saturating_sub(terms.began);
                    core.metrics.sum_whole += core.metrics.last_whole;
                    if !self.recorded {
                        let mut record = self.own_record(&terms);
                        record.new_generation = generation;
                        record.commit(clock::now());
                        core.outcomes.keep(record);
                    }
                }
                let (id, pid) = (self.handoff_id, self.child_pid);
                self.tell(core, EventKind::Committed, |told| {
                    (told.handoff_id, told.pid, told.peer_pid, told.generation) = (id, pid, old, generation);
                });
            }
            Told::Aborted(why) => {
                let (status, words) = self.why(why);
                if let Some(terms) = self.terms.take()
                    && !self.recorded
                {
                    let mut record = self.own_record(&terms);
                    record.abort(status, &words, clock::now());
                    core.outcomes.keep(record);
                }
                let (id, peer) = (self.handoff_id, self.child_pid);
                self.next = None;
                self.tell(core, EventKind::Aborted, |told| {
                    (told.handoff_id, told.pid, told.peer_pid, told.reason) = (id, owner, peer, status);
                });
            }
            Told::OwnerEnded => {
                let (pid, end) = self.owner_end;
                let reason = if end.known { Status::Ok } else { Status::NotFound };
                self.tell(core, EventKind::OwnerEnded, |told| {
                    (told.pid, told.exit_code, told.exit_signal, told.reason) = (pid, end.code, end.signal, reason);
                });
            }
            Told::GaveUp => {
                let status = self.trouble.take().map_or(Status::BudgetExhausted, |error| error.status);
                self.tell(core, EventKind::GaveUp, |told| told.reason = status);
            }
            Told::Stopped => {
                let (pid, end) = if self.owner_end.0 > 0 { self.owner_end } else { (self.child_pid, self.child_end) };
                self.tell(core, EventKind::Stopped, |told| {
                    (told.pid, told.exit_code, told.exit_signal) = (pid, end.code, end.signal);
                });
            }
        }
    }

    /// Why it came to nothing: the owner's word, or what is known here.
    fn why(&mut self, why: Why) -> (Status, String) {
        let known = self.reason.take();
        let ended = self.child_end;
        let own = |status, words: &str| known.clone().unwrap_or((status, words.to_owned()));
        match why {
            Why::Said => own(Status::Aborted, "the running generation has called it off"),
            Why::Cancelled => own(Status::Cancelled, "it was called off"),
            Why::Late => (Status::Timeout, "it was not done in time".to_owned()),
            Why::Ended if ended.signal > 0 => own(Status::Exited, &format!("the successor was ended by signal {}", ended.signal)),
            Why::Ended => own(Status::Exited, &format!("the successor has ended with {}", ended.code)),
        }
    }

    /// The record of what no owner could tell of.
    fn own_record(&self, terms: &Terms) -> Outcome {
        let mut record = Outcome::begin(self.handoff_id, Mode::default(), terms.began, terms.began_realtime);
        (record.old_pid, record.new_pid, record.old_generation) = (terms.old_pid, self.child_pid, terms.old_generation);
        record.phase = Standing::Loading;
        record.new_build = crate::handoff::outcome::BuildId::from_bytes(self.child_build.as_bytes()).unwrap_or_default();
        record
    }
}
