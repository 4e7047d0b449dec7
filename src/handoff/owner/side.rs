//! The owner's machine on real descriptors: what its actions do, and what the successor's messages are to it.
//!
//! The trap is the gap: between the answer to SEAL and LIVE nobody serves. What can be done before (the path, the timer) is done when SEAL is
//! told, and what can wait (descriptors of the offer) is closed long before, so that only the commit's one message is left.

use std::os::fd::OwnedFd;

use super::expected::Expected;
use super::guests::Door;
use super::keeper::Keeper;
use super::observers::Observers;
use super::offer::Offer;
use crate::clock::{self, Deadline, MILLI};
use crate::handoff::control;
use crate::handoff::core::{CONTROL, Core, KEEPER, LOOK};
use crate::handoff::machine::owner::{Action, Event, Owner, Phase};
use crate::handoff::machine::standing::{Heard, Seal, Standing};
use crate::handoff::machine::word::{Ask, View};
use crate::handoff::machine::{Mode, Notice, Reason};
use crate::handoff::peer::Peer;
use crate::handoff::record::{self, Record};
use crate::handoff::side::{Answer, Incident, Party, Side};
use crate::handoff::wire::{self, Kind, Link, Message, Refusal};
use crate::sys::directory::Inode;
use crate::sys::reactor::Token;
use crate::sys::socket;

/// How often the word is looked at while SETTLED is awaited.
const LOOK_EVERY: i64 = 100 * MILLI;

/// The generation that runs.
#[derive(Debug)]
pub struct OwnerSide {
    pub(super) machine: Owner,
    pub(super) record: Record,
    pub(super) lock: OwnedFd,
    pub(super) door: Door,
    pub(super) offer: Offer,
    pub(super) keeper: Keeper,
    pub(super) observers: Observers,
    pub(super) expected: Option<Expected>,
    /// Which file was bound for the listening socket, if that is known. Not what the record says: a successor that is dead by now may have bound
    /// another one.
    pub(super) bound: Option<Inode>,
    /// Numbers that were used up.
    pub(super) attempts: u32,
    /// A successor is being spawned: the lock of the handle is not held meanwhile.
    pub spawning: bool,
    /// When it looks at the word by itself.
    look_at: Deadline,
}

impl OwnerSide {
    /// This process is the owner from here on: the first generation (`starting`), or a successor that has settled.
    pub fn new(core: &mut Core, record: Record, lock: OwnedFd, listener: Option<OwnedFd>, starting: bool) -> Self {
        (core.generation, core.is_owner) = (record.word().generation, true);
        let machine = Owner::new(starting, core.options.mode, core.options.limits);
        let (door, offer) = (Door::new(listener), Offer::default());
        let (keeper, bound) = (Keeper::new(), record.bound());
        let mut side = Self {
            machine,
            record,
            lock,
            door,
            offer,
            keeper,
            observers: Observers::default(),
            expected: None,
            bound,
            attempts: 0,
            spawning: false,
            look_at: Deadline::NEVER,
        };
        [Some(side.record.fd()), Some(&side.lock), side.door.listener()].into_iter().flatten().for_each(|fd| core.custody.note(fd));
        if let Some(listener) = side.door.listener() {
            let _ = socket::relisten(listener);
        }
        side.publish(core);
        side.door.watch(core);
        side
    }

    /// No handoff is under way, and one could begin.
    pub fn is_serving(&self) -> bool {
        self.machine.phase == Phase::Serving
    }

    /// No handoff is under way.
    pub fn is_idle(&self) -> bool {
        self.machine.is_idle()
    }

    /// One step of the machine, and everything that follows from it.
    pub(super) fn feed(&mut self, core: &mut Core, event: Event) {
        let (was_idle, before, now) = (self.is_idle(), self.machine.phase, clock::now());
        let (next, actions) = self.machine.step(event, now);
        self.machine = next;
        self.record_step(core, before, now);
        if self.is_idle() && !was_idle {
            self.keeper.look_soon();
            self.forget_expected();
        }
        actions.iter().for_each(|action| self.act(core, action));
    }

    fn act(&mut self, core: &mut Core, action: Action) {
        match action {
            Action::Ask(ask) => self.ask(core, ask),
            Action::SendOffer(part) => self.send_part(core, Kind::Offer, part),
            Action::SendDelta(part) => self.send_part(core, Kind::Delta, part),
            Action::SendCommit => self.send_commit(core),
            Action::SendSettle => core.send_plain(Kind::Settle),
            Action::SendAbort(reason) => core.send_abort(reason),
            Action::Disown => {
                if let Some(peer) = &mut core.peer {
                    peer.disown();
                }
            }
            Action::Kill => {
                if let Some(peer) = &core.peer {
                    peer.kill();
                }
            }
            Action::Dismiss => {
                self.withdraw(core);
                let peer = core.unwatch_peer();
                core.end(peer.and_then(Peer::dismiss));
                self.door.watch(core);
            }
            Action::Release => self.release(core),
            Action::Tell(notice) => {
                let answer = matches!(notice, Notice::Drain | Notice::Seal).then_some(self.machine.deadline);
                core.tell(notice, answer, 0);
                // Now, because what follows is the gap: thousands of connections may have been sent.
                if notice == Notice::Seal {
                    self.door.unwatch(core);
                    self.offer.close();
                    self.observers.set_aside(core);
                }
                if matches!(notice, Notice::Aborted(_) | Notice::Retire) {
                    self.note_outcome(core);
                }
                // Off the way: an owner again, or one that is about to be none.
                if matches!(notice, Notice::Resume { unsealed: true }) {
                    self.publish(core);
                }
            }
        }
    }

    fn ask(&mut self, core: &mut Core, ask: Ask) {
        let (done, seen) = self.record.ask(ask, core.attempt.ticket);
        if done && matches!(ask, Ask::TakeBack | Ask::Reclaim) {
            core.generation = self.record.word().generation;
            self.bound.into_iter().for_each(|bound| self.record.set_bound(bound));
            // Whoever connects from now on shall see this process at the other end.
            if let Some(listener) = self.door.listener() {
                let _ = socket::relisten(listener);
            }
        }
        self.feed(core, Event::Record(ask, done, seen));
        if done && ask == Ask::Commit {
            // Whoever connects waits for the successor.
            self.door.unwatch(core);
            self.observers.set_aside(core);
        }
    }

    fn send_commit(&mut self, core: &mut Core) {
        let revision = self.record.revision();
        let half = core.outcomes.under_way();
        if let Some(link) = &mut core.link {
            let bytes = link.write(Kind::Commit).revision(revision).half(half).finish();
            let _ = link.send(bytes, Vec::new());
        }
    }

    /// The channel, and what was offered on it, count no more.
    fn withdraw(&mut self, core: &mut Core) {
        core.close_link();
        self.withdraw_offer(core);
    }

    /// The successor stands alone: everything that it has as well is closed here. Or the handle ends.
    fn release(&mut self, core: &mut Core) {
        self.withdraw(core);
        let peer = core.unwatch_peer();
        core.end(peer.and_then(Peer::release));
        self.door.unwatch(core);
        self.observers.part(core);
        self.leave_files(core);
        core.close_estate();
    }

    /// A wrapper has started the server as its child, which has greeted: on its channel, or by the path.
    pub(super) fn reject_wrapped(&mut self, core: &mut Core, pid: i32, by_path: Option<&mut Link>) {
        let spawned = core.peer_pid;
        core.verdict.said = format!("process {pid} greets, and process {spawned} was spawned: a wrapper has to exec the server");
        if let Some(link) = by_path.or(core.link.as_mut()) {
            link.refuse(Refusal::Denied, &core.verdict.said);
        }
        self.feed(core, Event::Abort(Reason::Denied));
    }

    /// What is in the lock file for those who look.
    fn publish(&self, core: &Core) {
        record::publish(&self.lock, core.generation, core.generation);
    }

    /// The path goes with the last generation.
    fn unbind(&self, core: &Core) {
        if self.door.listener().is_some() && self.machine.is_idle() {
            if let Some(bound) = self.bound.filter(|_| !core.is_elsewhere()) {
                control::unbind(&core.path, bound, &self.lock);
            }
            // A standby that has not heard yet that this one has settled must not come back when it has ended in good order.
            let ticket = self.record.word().next_ticket();
            self.record.ask(Ask::Offer, ticket);
            self.record.ask(Ask::Withdraw, ticket);
        }
    }
}

impl Side for OwnerSide {
    fn take(&mut self, core: &mut Core, message: Message, _fds: Vec<OwnedFd>) {
        Self::learn(core, &message);
        let phase = self.machine.phase;
        let event = match message.kind {
            Kind::Hello if phase == Phase::Greeting && !wire::speaks_with_us(&message) => {
                core.verdict.said = wire::versions_text(&message);
                if let Some(link) = &mut core.link {
                    link.refuse(Refusal::Version, &core.verdict.said);
                }
                Event::Abort(Reason::Version)
            }
            Kind::Hello if phase == Phase::Greeting => return self.greet(core),
            Kind::Ack => match message.body.part.and_then(|(part, _)| self.offer.index_of(part)) {
                Some(part) => {
                    core.peer.as_mut().into_iter().for_each(Peer::has_answered);
                    Event::Ack(part)
                }
                None => return,
            },
            Kind::Warm if phase != Phase::Warming => return,
            // A cleaner may have come while it loaded; and an older successor does not look.
            Kind::Warm if let Some(words) = core.why_displaced(&self.lock) => {
                core.verdict.said = words;
                Event::Abort(Reason::Displaced)
            }
            Kind::Warm => {
                // Duplicates made for the offer: not to be closed in the gap.
                self.offer.close();
                Event::Warm
            }
            // It stood alone, and is dead already: this process has everything still.
            Kind::Settled if self.look_at_peer(core) => return,
            Kind::Live => Event::Live,
            Kind::Settled => Event::Settled,
            Kind::Abort => Event::Abort(wire::reason_of_peer(message.body.reason.unwrap_or_default())),
            Kind::Nak => Event::Abort(wire::reason_of_refusal(message.body.reason)),
            Kind::Hello | Kind::Offer | Kind::Delta | Kind::Commit | Kind::Settle => return,
            // Of an observer's channel.
            Kind::Estate | Kind::Progress | Kind::Outcome | Kind::Expect | Kind::CallOff => return,
        };
        self.feed(core, event);
    }

    fn answer(&mut self, core: &mut Core, answer: Answer<'_>) -> bool {
        let phase = self.machine.phase;
        let event = match answer {
            Answer::Live if phase == Phase::Starting => Event::Opened,
            Answer::Drained(open) if phase == Phase::Draining => {
                Self::count_open(core, open);
                Event::Drained(match core.attempt.mode {
                    Mode::Overlap => self.prepare_delta(core),
                    Mode::Exclusive => self.prepare_probe(core),
                })
            }
            Answer::Sealed(revision) if phase == Phase::Sealing => {
                core.seal = Seal::Answered;
                self.record.set_revision(revision);
                Event::Sealed(self.prepare_delta(core))
            }
            Answer::Sealed(_) if phase == Phase::Closing => {
                core.seal = Seal::Answered;
                Event::Sealed(0)
            }
            Answer::Cancel if self.machine.may_cancel() => Event::Cancel,
            Answer::Failed(reason) if self.machine.may_cancel() || phase == Phase::Closing => {
                reason.clone_into(&mut core.verdict.said);
                Event::Failed
            }
            _ => return false,
        };
        self.feed(core, event);
        true
    }

    fn befall(&mut self, core: &mut Core, incident: Incident) {
        let event = match incident {
            Incident::PeerGone => Event::PeerGone,
            Incident::Hangup => Event::Hangup,
            // Rights may have changed since it was offered.
            Incident::Timeout if self.machine.may_condemn() && core.peer.as_ref().is_some_and(Peer::is_out_of_reach) => Event::OutOfReach,
            Incident::Timeout => Event::Timeout,
            Incident::Trouble => Event::Trouble,
        };
        self.feed(core, event);
    }

    fn passes(&self) -> bool {
        matches!(self.machine.phase, Phase::Draining | Phase::Probing(_) | Phase::Sealing)
    }

    /// A wrapper stands between this process and the successor that it has spawned.
    fn reject_stranger(&mut self, core: &mut Core, pid: i32) {
        if self.machine.phase != Phase::Greeting {
            return;
        }
        self.reject_wrapped(core, pid, None);
    }

    fn ready(&mut self, core: &mut Core, token: Token) {
        match token {
            CONTROL => self.welcome(core),
            KEEPER => self.hear_watch(core),
            observer if self.observers.has(observer) => self.hear_observer(core, observer),
            guest => self.hear_guest(core, guest),
        }
    }

    fn due(&mut self, core: &mut Core, token: Token) {
        if token == KEEPER {
            self.keep_files_in_time(core);
        } else if self.observers.has(token) {
            self.look_at_observer(core, token);
        } else if token != CONTROL {
            drop(self.door.dismiss(core, token));
        } else if self.is_idle() {
            // Not once the path is the successor's.
            self.door.watch(core);
        }
    }

    fn deadline(&self) -> Deadline {
        self.machine.deadline
    }

    fn late_text(&self) -> Option<&'static str> {
        // The channel has ended, and nobody is late.
        if self.machine.is_cut() && self.machine.phase != Phase::Greeting {
            return None;
        }
        Some(match self.machine.phase {
            Phase::Greeting if self.machine.is_cut() => "the successor has closed its channel, and not come by the control path in time",
            Phase::Greeting => "the successor has not greeted in time",
            Phase::Warming => "the successor was not warm in time",
            Phase::Offering(_) | Phase::Probing(_) | Phase::Updating(_) => "the successor did not answer in time: its loop may hang",
            Phase::Draining => "the running generation did not answer DRAIN in time",
            Phase::Sealing => "the running generation did not answer SEAL in time",
            _ => return None,
        })
    }

    /// While the application seals, the timer is brought forward to where the next wait may end, so that the commit need not set it.
    fn rest(&mut self, core: &mut Core) {
        if self.machine.phase == Phase::Sealing {
            let next = Deadline::after(core.attempt.limits.live).min(self.machine.deadline);
            next.nanos().into_iter().for_each(|at| core.reactor.arm_by(at));
        }
        if !self.machine.looks() {
            self.look_at = Deadline::NEVER;
        } else if self.look_at.is_never() {
            self.look_at = Deadline::after(LOOK_EVERY);
        }
        let _ = core.reactor.set_due(LOOK, self.look_at);
        self.keep_files(core);
        self.tell_observers(core);
    }

    /// One that has settled says so when its application knows; it may never come to that.
    fn look(&mut self, core: &mut Core, now: i64) -> bool {
        if !self.look_at.is_over(now) {
            return false;
        }
        self.look_at = Deadline::NEVER;
        let found = matches!(self.record.word().view(core.attempt.ticket), View::Next | View::Other);
        if found {
            self.feed(core, Event::Look);
        }
        found
    }

    fn standing(&self, heard: Heard) -> Standing {
        Standing::of_owner(self.machine.phase, heard)
    }

    fn record(&self) -> Option<&Record> {
        Some(&self.record)
    }

    fn next(&mut self, _core: &mut Core) -> Option<Party> {
        (self.machine.phase == Phase::Retired).then_some(Party::Gone)
    }

    fn call_off(&mut self, core: &mut Core) {
        if self.machine.may_cancel() {
            self.feed(core, Event::Cancel);
        }
    }

    fn close(&mut self, core: &mut Core) {
        self.unbind(core);
        self.release(core);
    }
}
