//! What the machine decides, carried out: said, written, ended, told.
//!
//! Nothing here waits, and what is written to the journal stands behind what was said.

use super::*;

impl Change {
    pub(super) fn step(&mut self, all: &mut Hands<'_>, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let (machine, actions) = self.machine.step(event, clock::now());
            self.machine = machine;
            for action in actions.iter() {
                self.carry_out(all, action, &mut events);
            }
            if std::mem::take(&mut self.shut) && self.machine.phase == Phase::Closing {
                // All that is there is heard: nothing can come after it.
                self.hear_successor(all);
                self.look_at_owner(all);
                if self.machine.phase == Phase::Closing {
                    events.push_back(Event::Empty);
                }
            }
        }
    }

    fn carry_out(&mut self, all: &mut Hands<'_>, action: Action, events: &mut VecDeque<Event>) {
        let id = self.id;
        match action {
            Action::AckOwner => {
                let version = self.versions[0];
                self.say_to_owner(Order::HelloAck(version, id), events);
                if let Some(channel) = &mut self.owner {
                    channel.line.agree(version);
                }
                point(all.core, "s-after-o-hello");
            }
            Action::Ack => {
                let version = self.versions[1];
                self.say(Order::HelloAck(version, id), events);
                if let Some(channel) = &mut self.successor {
                    channel.line.agree(version);
                }
                point(all.core, "s-after-n-hello");
            }
            Action::Prepare(until, drain) => {
                let left = (until.left(clock::now()) / MILLI).max(LEAST_MS) as u64;
                let drain = ((drain / MILLI).max(LEAST_MS) as u64).min(left);
                self.say_to_owner(Order::Prepare(id, self.successor_pid as u32, left, drain), events);
                point(all.core, "s-after-prepare-sent");
            }
            Action::RequestSeal => {
                self.say_to_owner(Order::SealRequest(id), events);
                point(all.core, "s-after-seal-request-sent");
            }
            Action::Begin => {
                // It may own from here on, and no kill of all children may reach it.
                if let Some(process) = &mut self.process {
                    process.disown();
                }
                let now = u64::try_from(clock::now() / MILLI).unwrap_or(0);
                let said = self.successor.as_mut().map(|channel| channel.line.say_and_stay(Order::Begin(id), Order::Heartbeat(now)));
                self.heed(said.unwrap_or(Ok(())), events);
                point(all.core, "s-after-begin-sent");
            }
            Action::Commit => {
                self.outcome.reach(Step::Committed, clock::now());
                // One that does not hear it finds the end of the channel, and the lock taken.
                self.say_to_owner(Order::Commit(id), &mut VecDeque::new());
                point(all.core, "s-after-commit-sent");
            }
            Action::Dismiss => {
                let words = if self.said.is_empty() { "the handoff is off" } else { &self.said };
                if let Some(channel) = &mut self.successor {
                    let _ = channel.line.say(Order::Abort(id, words));
                    all.core.reactor.forget(channel.token);
                }
                self.successor = None;
                all.core.reactor.forget(self.process_token);
                if let Some(mut process) = self.process.take() {
                    process.stop(-1);
                    all.core.end(process);
                }
            }
            Action::Shut => {
                if let Some(channel) = &self.successor {
                    datagram::shut(channel.line.socket());
                }
                self.shut = true;
            }
            Action::Kill => {
                if let Some(process) = &mut self.process {
                    process.kill();
                }
            }
            Action::Resume => self.say_to_owner(Order::Resume(id), events),
            Action::Ping => {
                let now = u64::try_from(clock::now() / MILLI).unwrap_or(0);
                self.say_to_owner(Order::Heartbeat(now), events);
            }
            Action::Ignore => self.unwatch_owner(all.core),
            Action::Leave => {
                if let Some(channel) = self.owner.take() {
                    all.core.reactor.forget(channel.token);
                }
            }
            Action::Reconnect => {
                if self.probe.is_none() {
                    self.probe = Some(Probe::begin(all.core, self.path.clone()));
                }
            }
            Action::Journal(record) => self.write(all, record),
            Action::Progress(phase) => self.tell_progress(all.core, phase),
            Action::Tell(end) => {
                self.close(all.core);
                self.end = Some(end);
            }
        }
    }

    fn say_to_owner(&mut self, order: Order<'_>, events: &mut VecDeque<Event>) {
        let Some(channel) = &mut self.owner else { return };
        if let Err(errno) = channel.line.say(order) {
            let hung_up = is_end(errno);
            self.say_first(|_| format!("the owner cannot be told: {}", errno.desc()), 0);
            events.push_back(if hung_up { Event::OwnerHungUp } else { Event::OwnerTrouble(Reason::System) });
        }
    }

    fn say(&mut self, order: Order<'_>, events: &mut VecDeque<Event>) {
        let said = self.successor.as_mut().map(|channel| channel.line.say(order));
        self.heed(said.unwrap_or(Ok(())), events);
    }

    fn heed(&mut self, said: Result<(), Errno>, events: &mut VecDeque<Event>) {
        let Err(errno) = said else { return };
        if is_end(errno) {
            // As with the end of it: a death shows a moment later.
            self.hung = self.hung.min(Deadline::after(LINGER));
            return;
        }
        self.say_first(|_| format!("the successor cannot be told: {}", errno.desc()), 0);
        events.push_back(Event::Trouble(Reason::System));
    }

    fn write(&mut self, all: &mut Hands<'_>, record: Record) {
        let Some(journal) = all.journal else { return };
        let phase = match record {
            Record::Negotiating => Written::Negotiating,
            Record::Draining => Written::Draining,
            Record::AwaitingReady => Written::AwaitingReady,
            Record::Committed => Written::Committed,
            Record::ResumingAfterAbort => Written::ResumingAfterAbort,
            Record::Clear => {
                journal.clear();
                return point(all.core, "s-after-journal-clear");
            }
        };
        let successor = Some(self.successor_pid as u32);
        journal.write(&Entry { id: self.id, phase, incumbent: self.owner_pid as u32, successor, began: self.began_ms });
    }

    fn tell_progress(&mut self, core: &mut Core, phase: Phase) {
        let standing = match phase {
            Phase::Draining => Standing::Draining,
            Phase::Sealing => Standing::Sealing,
            Phase::Opening => Standing::Sealed,
            _ => Standing::Owner,
        };
        if phase != Phase::Resuming {
            self.outcome.phase = standing;
        }
        let of = Happened {
            handoff_id: self.id.short(),
            pid: self.owner_pid,
            peer_pid: self.successor_pid,
            ..Happened::now(EventKind::Progress)
        };
        core.tell(Happened { phase: standing as i32, ..of });
    }
}

fn is_end(errno: Errno) -> bool {
    matches!(errno, Errno::EPIPE | Errno::ECONNRESET | Errno::ENOTCONN)
}
