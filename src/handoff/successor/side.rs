//! The successor's machine on real descriptors: what its actions do, and what the owner's messages are to it.
//!
//! Traps.
//! - **A commit may come without its message** (the owner was stopped between the two), so a warm successor looks at the word now and then.
//! - **An owner may take long to die** (its memory is released between the end of its channel and its death). A successor that gave up
//!   meanwhile would leave nobody: its deadline is put off as long as the owner is seen dying.
//! - **It ends here as a successor.** Once its machine has settled it is an owner, with all that has arrived.

use std::os::fd::OwnedFd;

use super::store::Arrived;
use crate::channel::seqpacket::Admission;
use crate::clock::{self, Deadline, MILLI};
use crate::handoff::core::{Core, LOOK, RETRY};
use crate::handoff::machine::standing::{Heard, Standing};
use crate::handoff::machine::successor::{Action, Event, Phase, Successor};
use crate::handoff::machine::word::{Ask, View};
use crate::handoff::machine::{Notice, Reason};
use crate::handoff::owner::OwnerSide;
use crate::handoff::record::Record;
use crate::handoff::side::{Answer, Incident, Party, Side};
use crate::handoff::trust;
use crate::handoff::wire::{self, Kind, Message, Own, Place, Refusal};
use crate::sys::socket::Identity;
use crate::sys::{getpid, procfs};

/// How often a warm successor looks at the word by itself.
const LOOK_EVERY: i64 = 250 * MILLI;
/// How long a dying owner is waited for beyond the deadline.
const DYING: i64 = 60_000 * MILLI;

/// The generation that is to come.
#[derive(Debug)]
pub struct SuccessorSide {
    pub(super) machine: Successor,
    pub(super) arrived: Arrived,
    /// When it looks at the word by itself.
    look_at: Deadline,
    /// A deadline that has passed beside a dying owner is looked at again then.
    postponed: Deadline,
    dying_since: Option<i64>,
}

impl SuccessorSide {
    /// With nothing yet; everything must be offered by then.
    pub fn new(offered_by: Deadline) -> Self {
        let machine = Successor::new(offered_by);
        Self { machine, arrived: Arrived::default(), look_at: Deadline::NEVER, postponed: Deadline::PAST, dying_since: None }
    }

    /// The whole offer has arrived.
    pub fn is_offered(&self) -> bool {
        self.machine.is_offered()
    }

    /// Whether it serves, or is about to: then only its own word or its death gives that back.
    pub fn serves_now(&self) -> bool {
        self.machine.serves_now()
    }

    /// The first message.
    pub fn greet(&mut self, core: &mut Core) {
        if let Some(link) = &mut core.link {
            let bytes = link.write(Kind::Hello).versions().start(procfs::start_time(getpid()).unwrap_or_default()).finish();
            let _ = link.send(bytes, Vec::new());
        }
    }

    /// One step of the machine, and everything that follows from it.
    pub(super) fn feed(&mut self, core: &mut Core, event: Event) {
        let (before, now) = (self.machine.phase, clock::now());
        let (next, actions) = self.machine.step(event, now);
        self.machine = next;
        self.record_step(core, before, now);
        actions.iter().for_each(|action| self.act(core, action));
    }

    fn act(&mut self, core: &mut Core, action: Action) {
        match action {
            Action::Ask(ask) => self.ask(core, ask),
            Action::SendAck(part) => {
                if let Some(link) = &mut core.link {
                    let bytes = link.write(Kind::Ack).part(part, part + 1, 0).finish();
                    let _ = link.send(bytes, Vec::new());
                }
            }
            Action::SendWarm => core.send_plain(Kind::Warm),
            Action::SendLive => core.send_plain(Kind::Live),
            Action::SendSettled => core.send_plain(Kind::Settled),
            Action::SendAbort(reason) => core.send_abort(reason),
            Action::Release => {
                core.close_link();
                core.unwatch_peer();
                core.close_unclaimed();
                if self.machine.phase == Phase::Ended {
                    self.arrived = Arrived::default();
                    core.close_estate();
                }
            }
            Action::Tell(notice @ Notice::Live { unsealed: false }) => {
                let answer = Deadline::after(core.attempt.limits.live);
                let revision = self.record().map_or(0, Record::revision);
                core.tell(notice, Some(answer), revision);
            }
            Action::Tell(notice) => {
                if matches!(notice, Notice::Live { unsealed: true }) {
                    let connections = core.estate.received.forget_connections();
                    core.discard(connections);
                }
                core.tell(notice, None, 0);
            }
        }
    }

    /// Whether a process that need not be the running generation may say this: an offer that brings the lock, and no other one first.
    fn is_believed(&self, core: &mut Core, sender: Identity, message: &Message, fds: &[OwnedFd]) -> bool {
        match message.kind {
            Kind::Nak | Kind::Abort => trust::may_refuse(&core.path, sender),
            Kind::Offer if self.machine.awaits_offer(0) => {
                let at = message.body.places.iter().position(|place| *place == Place::Own(Own::Lock));
                let shown = at.and_then(|at| fds.get(at)).is_some_and(|lock| trust::is_shown_by(&core.path, lock));
                if let Some(link) = core.link.as_mut().filter(|_| shown) {
                    link.unproven = None;
                }
                shown
            }
            _ => false,
        }
    }

    /// Somebody is there who must not hand over to this process.
    fn turn_away(&mut self, core: &mut Core, who: Option<Identity>) {
        core.verdict.said = match who {
            Some(Identity { pid, uid }) => {
                format!(
                    "process {pid} of user {uid} answers, and does not show that it is the running generation: by the lock that one holds"
                )
            }
            None => "the running generation is not visible in this pid namespace".to_owned(),
        };
        core.verdict.refusal = Some(Refusal::Denied);
        self.feed(core, Event::Abort(Reason::Denied));
    }

    /// Whether the lock lies at the path no more, of which the end was told. Loading takes long, and a cleaner may have come. Who is alone goes on
    /// all the same: nobody else is left.
    fn is_displaced(&mut self, core: &mut Core) -> bool {
        let Some(words) = self.arrived.lock.as_ref().and_then(|lock| core.why_displaced(lock)) else { return false };
        core.verdict.displaced = true;
        self.trouble(core, &words);
        if self.machine.phase == Phase::Loading {
            core.verdict.displaced = false;
            core.verdict.said.clear();
        }
        self.machine.phase != Phase::Loading
    }

    fn ask(&mut self, core: &mut Core, ask: Ask) {
        let Some(record) = &self.arrived.record else { return };
        let (done, seen) = record.ask(ask, core.attempt.ticket);
        core.generation = record.word().generation;
        self.feed(core, Event::Record(ask, done, seen));
    }
}

impl Side for SuccessorSide {
    fn take(&mut self, core: &mut Core, message: Message, fds: Vec<OwnedFd>) {
        if let Some(sender) = core.link.as_ref().and_then(|link| link.unproven)
            && !self.is_believed(core, sender, &message, &fds)
        {
            core.close_link();
            return self.turn_away(core, Some(sender));
        }
        self.learn(core, &message);
        let event = match message.kind {
            Kind::Offer => match self.take_offer(core, &message, fds) {
                Some(event) => event,
                None => return,
            },
            Kind::Delta => {
                let Some((part, _)) = message.body.part.filter(|_| self.machine.phase == Phase::Warm) else { return };
                if !self.store(core, &message, fds) {
                    return self.trouble(core, "what changed since the offer makes no sense");
                }
                Event::Delta(part)
            }
            Kind::Commit => Event::Commit,
            Kind::Settle => Event::Settle,
            Kind::Abort => Event::Abort(wire::reason_of_peer(message.body.reason.unwrap_or_default())),
            Kind::Nak => {
                core.verdict.refusal = message.body.reason.and_then(Refusal::from_code);
                Event::Abort(wire::reason_of_refusal(message.body.reason))
            }
            Kind::Hello | Kind::Ack | Kind::Warm | Kind::Live | Kind::Settled => return,
            // Of an observer's channel.
            Kind::Estate | Kind::Progress | Kind::Outcome | Kind::Expect | Kind::CallOff => return,
        };
        self.feed(core, event);
    }

    fn answer(&mut self, core: &mut Core, answer: Answer<'_>) -> bool {
        let phase = self.machine.phase;
        let event = match answer {
            Answer::Warm if phase == Phase::Loading && self.is_displaced(core) => return true,
            Answer::Warm if phase == Phase::Loading => Event::Warm,
            Answer::Live if phase == Phase::Opening => {
                Self::count_passed(core);
                core.close_unclaimed();
                Event::Live
            }
            Answer::Failed(reason) if self.machine.is_offered() && !matches!(phase, Phase::Announcing | Phase::Settled) => {
                reason.clone_into(&mut core.verdict.said);
                Event::Failed
            }
            _ => return false,
        };
        self.feed(core, event);
        true
    }

    fn come_back(&mut self, core: &mut Core) {
        self.feed(core, Event::Taken);
    }

    fn awaits_return(&self) -> bool {
        self.machine.phase == Phase::Announcing
    }

    fn befall(&mut self, core: &mut Core, incident: Incident) {
        let event = match incident {
            Incident::PeerGone => Event::PeerGone,
            Incident::Hangup => Event::Hangup,
            Incident::Timeout => Event::Timeout,
            Incident::Trouble => Event::Trouble,
        };
        self.feed(core, event);
    }

    fn admit(&self, sender: Identity) -> Admission {
        if trust::is_admitted(sender.uid) { Admission::Granted } else { Admission::Unproven }
    }

    fn claims(&self) -> bool {
        self.serves_now()
    }

    /// Somebody is at the path who must not hand over to this process.
    fn deny(&mut self, core: &mut Core) {
        self.turn_away(core, None);
    }

    fn deadline(&self) -> Deadline {
        self.machine.deadline.max(self.postponed)
    }

    fn late_text(&self) -> Option<&'static str> {
        // The channel has ended, and nobody is late.
        if self.machine.is_cut() {
            return None;
        }
        Some(match self.machine.phase {
            Phase::Greeting | Phase::Receiving(_) => "the running generation did not answer in time",
            Phase::Loading => "the successor was not warm in time",
            Phase::Warm => "the running generation did not commit in time",
            _ => return None,
        })
    }

    fn postpones(&mut self, core: &Core, now: i64) -> bool {
        let waits = matches!(self.machine.phase, Phase::Loading | Phase::Warm);
        let dying = waits && core.peer.as_ref().is_some_and(|peer| procfs::is_dying(peer.pid));
        let since = *self.dying_since.get_or_insert(now);
        let waits = dying && !Deadline::at(since).plus(DYING).is_over(now);
        self.postponed = if waits { Deadline::at(now).plus(RETRY) } else { Deadline::PAST };
        waits
    }

    fn look(&mut self, core: &mut Core, now: i64) -> bool {
        if !self.look_at.is_over(now) {
            return false;
        }
        self.look_at = Deadline::NEVER;
        let committed = |record: &Record| record.word().view(core.attempt.ticket) == View::Committed;
        // The owner may have been stopped between the commit and its message.
        let found = self.is_urgent() && self.record().is_some_and(committed);
        if found {
            self.feed(core, Event::Commit);
        }
        found
    }

    /// It is warm: the commit is what comes next.
    fn is_urgent(&self) -> bool {
        self.machine.phase == Phase::Warm
    }

    fn rest(&mut self, core: &mut Core) {
        if !self.is_urgent() {
            self.look_at = Deadline::NEVER;
        } else if self.look_at.is_never() {
            self.look_at = Deadline::after(LOOK_EVERY);
        }
        let _ = core.reactor.set_due(LOOK, self.look_at);
    }

    fn standing(&self, heard: Heard) -> Standing {
        Standing::of_successor(self.machine.phase, heard)
    }

    fn record(&self) -> Option<&Record> {
        self.arrived.record.as_ref()
    }

    fn next(&mut self, core: &mut Core) -> Option<Party> {
        match self.machine.phase {
            Phase::Settled => {
                let Arrived { record, lock, control } = std::mem::take(&mut self.arrived);
                let (record, lock) = (record?, lock?);
                Some(Party::Owner(Box::new(OwnerSide::new(core, record, lock, control, false))))
            }
            Phase::Ended => Some(Party::Gone),
            _ => None,
        }
    }

    fn call_off(&mut self, core: &mut Core) {
        match self.machine.phase {
            // It serves, and the process lives on: the standby is not needed. It is the owner then.
            Phase::Live => {
                self.feed(core, Event::Timeout);
                self.feed(core, Event::Taken);
            }
            Phase::Announcing => self.feed(core, Event::Taken),
            // Told and not yet serving: it gives back.
            _ if self.machine.is_offered() => self.feed(core, Event::Failed),
            _ => {}
        }
    }
}
