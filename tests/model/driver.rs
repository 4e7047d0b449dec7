//! The driver and the kernel around the machines: one action of a step at a time, so that others come in between.
//!
//! What the model asks of the real driver:
//! - R1: a timeout is delivered only after the pidfd was looked at, and whether the process dumps its core; a death that this shows is delivered
//!   first. (A process whose files are
//!   closed is taken to be dead before any deadline that was set after the channel's end.)
//! - R2: messages that were sent before a channel's end are read before the end is told, also after ECONNRESET.
//! - R3: descriptors that cannot be sent or received are told as trouble. Any other send that fails closes the channel; that of a channel
//!   that has ended is told by the hangup alone.
//! - R4: the answer of an Ask comes back before anything else does.
//! - R5: an owner that may not kill its successor says so in place of the timeout that would condemn it, if it knows by then.
//! - R7: a warm successor looks at the word now and then; a commit that it sees there is as good as the message.
//! - R9: right before a kill it looks whether the process dumps its core: then it is none.
//! - R6: it takes none while its application leaves earlier notices lying.
//! - R8: of its own children it takes the one that it awaits at the control path, and no other one.

use crate::clock::Deadline;
use crate::machine::owner::{self, Owner};
use crate::machine::successor::{self, Successor};
use crate::machine::word::{Ask, Stage, View};
use crate::machine::{Actions, Notice};

use super::fifo::Fifo;
use super::setup::{OFFER, Setup, Sight, WHOLE};
use super::world::{Action, Broken, Channel, Due, LISTENERS, LOCK, Life, Machine, Message, Process, Slot, World};

impl Setup {
    pub fn feed_owner(&self, world: &mut World, slot: Slot, event: owner::Event) {
        let Machine::Owner(machine) = world.at(slot).machine else { return };
        let (next, actions) = self.mutant.owner(machine, event, world.now);
        world.at_mut(slot).machine = Machine::Owner(next);
        if actions.iter().any(|action| action == owner::Action::Tell(Notice::Retire)) {
            self.check_retire(world, slot, machine, event);
        }
        prepend(world.at_mut(slot), &actions, Action::Owner);
    }

    pub fn feed_successor(&self, world: &mut World, slot: Slot, event: successor::Event) {
        let Machine::Successor(machine) = world.at(slot).machine else { return };
        let (next, actions) = self.mutant.successor(machine, event, world.now);
        let process = world.at_mut(slot);
        process.machine = Machine::Successor(next);
        process.app.knows |= machine.phase == successor::Phase::Announcing && event == successor::Event::Timeout;
        if !machine.is_offered() && next.phase == successor::Phase::Loading {
            process.app.due = Due::Warm;
        }
        prepend(process, &actions, Action::Successor);
    }

    /// An event of both machines.
    pub fn feed(&self, world: &mut World, slot: Slot, owner: owner::Event, successor: successor::Event) {
        match world.at(slot).machine {
            Machine::None => {}
            Machine::Owner(_) => self.feed_owner(world, slot, owner),
            Machine::Successor(_) => self.feed_successor(world, slot, successor),
        }
        self.run(world, slot);
    }

    /// The next action that another process could notice, and what is local before and after it.
    pub fn run(&self, world: &mut World, slot: Slot) {
        let mut noticed = false;
        while let Some(action) = world.at(slot).todo.first() {
            let local = matches!(
                action,
                Action::Owner(owner::Action::Tell(_) | owner::Action::Disown) | Action::Successor(successor::Action::Tell(_))
            );
            if !local && noticed {
                return;
            }
            noticed |= !local;
            world.at_mut(slot).todo.pop();
            self.act(world, slot, action);
        }
        if let Machine::Successor(Successor { phase: successor::Phase::Settled, .. }) = world.at(slot).machine {
            world.at_mut(slot).machine = Machine::Owner(Owner::new(false, self.mode, self.limits));
        }
    }

    fn act(&self, world: &mut World, slot: Slot, action: Action) {
        use owner::Action as O;
        use successor::Action as S;
        match action {
            Action::Owner(O::Ask(ask)) => {
                let (granted, seen) = self.ask(world, slot, ask);
                self.feed_owner(world, slot, owner::Event::Record(ask, granted, seen));
            }
            Action::Successor(S::Ask(ask)) => {
                let (granted, seen) = self.ask(world, slot, ask);
                self.feed_successor(world, slot, successor::Event::Record(ask, granted, seen));
            }
            Action::Owner(O::Tell(notice)) | Action::Successor(S::Tell(notice)) => self.tell(world, slot, notice),
            Action::Owner(O::Disown) => {}
            Action::Owner(O::Kill) => {
                // R9.
                let spared = |peer: Slot| self.unkillable || (self.sight != Sight::PidfdOnly && world.at(peer).life == Life::Dumping);
                if let Some(peer) = world.at(slot).peer.filter(|peer| !spared(*peer)) {
                    kill(world, peer);
                }
            }
            Action::Owner(O::Dismiss) => {
                if let Some(peer) = world.at(slot).peer
                    && world.at(peer).parent == Some(slot)
                {
                    world.at_mut(peer).dismissed = true;
                }
                close(world, slot);
            }
            Action::Owner(O::Release) | Action::Successor(S::Release) => {
                close(world, slot);
                let process = world.at_mut(slot);
                let over = match process.machine {
                    Machine::Successor(machine) => machine.phase == successor::Phase::Ended,
                    _ => true,
                };
                if over {
                    process.holds &= !LOCK;
                }
            }
            sent => {
                let message = message(sent).expect("everything else is a message");
                send(world, slot, message);
            }
        }
    }

    fn ask(&self, world: &mut World, slot: Slot, ask: Ask) -> (bool, View) {
        let (ticket, holds) = (world.at(slot).ticket, world.at(slot).holds);
        // Before the first part of an offer a successor has no record to look at.
        if holds == 0 {
            return (false, View::Other);
        }
        let Some(word) = self.mutant.after(world.word, ask, ticket) else { return (false, world.word.view(ticket)) };
        self.check_move(world, slot, ask);
        if word.generation < world.word.generation {
            world.breaks(Broken::S4, "a generation came back");
        }
        world.word = word;
        match ask {
            Ask::Commit => world.owner = world.at(slot).peer.unwrap_or(slot),
            Ask::Promote | Ask::Confirm | Ask::Settle | Ask::TakeBack | Ask::Reclaim | Ask::Condemn | Ask::CondemnUnopened => {
                world.owner = slot
            }
            Ask::Return => world.owner = world.at(slot).peer.unwrap_or(slot),
            Ask::Offer | Ask::Withdraw | Ask::Renounce | Ask::Look => {}
        }
        if matches!(word.stage, Stage::Committed | Stage::Settled | Stage::Live) {
            if word.generation > world.newest.0 {
                world.newest = (word.generation, world.owner);
            } else if world.newest.1 != world.owner {
                world.breaks(Broken::S4, "two owners of one generation");
            }
        }
        (true, word.view(ticket))
    }

    pub fn becomes_candidate(&self, world: &mut World, owner: Slot, candidate: Slot) {
        let ticket = world.word.next_ticket();
        let process = world.at_mut(owner);
        (process.peer, process.channel, process.knows_death) = (Some(candidate), Channel::Open, false);
        process.inbox.clear();
        process.ticket = ticket;
        let process = world.at_mut(candidate);
        (process.peer, process.channel) = (Some(owner), Channel::Open);
    }

    pub fn greet(&self, world: &mut World, slot: Slot) {
        world.at_mut(slot).machine = Machine::Successor(Successor::new(Deadline::at(world.now + OFFER)));
        send(world, slot, Message::Hello);
    }

    /// What a message is to the machine that gets it.
    pub fn deliver(&self, world: &mut World, slot: Slot, message: Message) {
        use owner::Event as O;
        use successor::Event as S;
        if let Message::Offer(part) = message {
            let last = part + 1 >= self.parts;
            world.at_mut(slot).holds |= if part == 0 { LOCK | LISTENERS[0] } else { 0 } | if last { LISTENERS[1] } else { 0 };
        }
        let now = world.now;
        let whole = Deadline::at(now + WHOLE);
        match world.at(slot).machine {
            Machine::None => {}
            Machine::Owner(before) => {
                let event = match message {
                    Message::Hello => O::Hello { whole, parts: self.parts },
                    Message::Ack(part) => O::Ack(part),
                    Message::Warm => O::Warm,
                    Message::Live => O::Live,
                    Message::Settled => O::Settled,
                    Message::Abort(reason) => O::Abort(reason),
                    _ => return,
                };
                self.feed_owner(world, slot, event);
                self.run(world, slot);
                if let Machine::Owner(after) = world.at(slot).machine {
                    let (again, actions) = self.mutant.owner(after, event, now);
                    let harmless = |action| matches!(action, owner::Action::Ask(Ask::Reclaim));
                    if before != after && (again != after || !actions.iter().all(harmless)) {
                        world.breaks(Broken::S11, "a message that comes twice counts twice");
                    }
                }
            }
            Machine::Successor(before) => {
                let event = match message {
                    Message::Offer(part) => S::Offer { part, parts: self.parts, whole, mode: self.mode, limits: self.limits },
                    Message::Delta(part) => S::Delta(part),
                    Message::Commit => S::Commit,
                    Message::Settle => S::Settle,
                    Message::Abort(reason) => S::Abort(reason),
                    _ => return,
                };
                self.feed_successor(world, slot, event);
                self.run(world, slot);
                if let Machine::Successor(after) = world.at(slot).machine {
                    let (again, actions) = self.mutant.successor(after, event, now);
                    if before != after && (again != after || actions.iter().next().is_some()) {
                        world.breaks(Broken::S11, "a message that comes twice counts twice");
                    }
                }
            }
        }
    }

    /// Tells the application, and watches the order of its hooks (S12).
    fn tell(&self, world: &mut World, slot: Slot, notice: Notice) {
        let (owns, seen) = (world.owner == slot, world.word.view(world.at(slot).ticket));
        let process = world.at_mut(slot);
        let app = &mut process.app;
        app.notices.push(notice);
        let good = match notice {
            Notice::Drain => !std::mem::replace(&mut app.told_drain, true),
            Notice::Seal => app.told_drain && !std::mem::replace(&mut app.told_seal, true),
            Notice::Resume { .. } => {
                app.told_seal = false;
                std::mem::replace(&mut app.told_drain, false)
            }
            Notice::Retire => {
                app.told_seal = false;
                std::mem::replace(&mut app.told_drain, false)
            }
            Notice::Aborted(_) => !app.told_drain,
            Notice::Live { .. } | Notice::Committed | Notice::PathChanged => true,
        };
        if !good {
            world.breaks(Broken::S12, "the order of the hooks");
        }
        if self.effects_only {
            return;
        }
        if matches!(notice, Notice::Live { .. }) && !owns {
            world.breaks(Broken::S1, "LIVE is told to one that the word does not name (D1.8)");
        }
        if notice == Notice::Retire && !matches!(seen, View::Next | View::Other) {
            world.breaks(Broken::L1, "the owner retires before its successor has settled");
        }
    }

    /// S15: whoever watches the old process has heard of the new one by then.
    fn check_retire(&self, world: &mut World, slot: Slot, machine: Owner, event: owner::Event) {
        let ticket = world.at(slot).ticket;
        // It has begun a handoff of its own; or it had LIVE's time.
        let excused = world.word.view(ticket) == View::Other || (machine.phase == owner::Phase::Parting && event == owner::Event::Timeout);
        let untold = |peer: Slot| world.at(peer).lives() && !world.at(peer).app.knows;
        if !self.effects_only && !excused && world.at(slot).peer.is_some_and(untold) {
            world.breaks(Broken::S15, "RETIRE before the successor's application has worked COMMITTED off");
        }
    }

    /// What must be true when the ownership moves.
    fn check_move(&self, world: &mut World, slot: Slot, ask: Ask) {
        if self.effects_only {
            return;
        }
        let peer = world.at(slot).peer;
        // One that dumps is as good as dead.
        let peer_lives = peer.is_some_and(|peer| world.at(peer).lives());
        match ask {
            Ask::Promote if peer_lives => world.breaks(Broken::S1, "a successor follows an owner that lives"),
            Ask::TakeBack if peer_lives && world.word.stage != Stage::Returned => {
                world.breaks(Broken::S1, "taken back from a successor that lives")
            }
            Ask::Condemn | Ask::CondemnUnopened if world.word.stage == Stage::Settled => {
                world.breaks(Broken::S9, "a settled owner is condemned")
            }
            Ask::Commit => {
                if self.mode == crate::machine::Mode::Exclusive && (world.at(slot).app.serves || !world.sealed) {
                    world.breaks(Broken::S14, "committed before it was sealed");
                }
                let cold = |process: &Process| match process.machine {
                    Machine::Successor(machine) => {
                        matches!(machine.phase, successor::Phase::Greeting | successor::Phase::Receiving(_) | successor::Phase::Loading)
                    }
                    _ => false,
                };
                if peer.is_some_and(|peer| cold(world.at(peer))) {
                    world.breaks(Broken::S14, "committed to a successor that is not warm");
                }
            }
            _ => {}
        }
    }
}

fn prepend<A: Copy>(process: &mut Process, actions: &Actions<A>, wrap: impl Fn(A) -> Action) {
    let rest = process.todo;
    process.todo = Fifo::new();
    actions.iter().for_each(|action| process.todo.push(wrap(action)));
    rest.iter().for_each(|action| process.todo.push(action));
}

/// The message that an action sends.
pub fn message(action: Action) -> Option<Message> {
    use owner::Action as O;
    use successor::Action as S;
    Some(match action {
        Action::Owner(O::SendOffer(part)) => Message::Offer(part),
        Action::Owner(O::SendDelta(part)) => Message::Delta(part),
        Action::Owner(O::SendCommit) => Message::Commit,
        Action::Owner(O::SendSettle) => Message::Settle,
        Action::Owner(O::SendAbort(reason)) | Action::Successor(S::SendAbort(reason)) => Message::Abort(reason),
        Action::Successor(S::SendAck(part)) => Message::Ack(part),
        Action::Successor(S::SendWarm) => Message::Warm,
        Action::Successor(S::SendLive) => Message::Live,
        Action::Successor(S::SendSettled) => Message::Settled,
        _ => return None,
    })
}

fn send(world: &mut World, slot: Slot, message: Message) {
    let (channel, peer) = (world.at(slot).channel, world.at(slot).peer);
    let (Channel::Open, Some(peer)) = (channel, peer) else { return };
    let ticket = world.at(slot).ticket;
    if world.at(peer).life == Life::Dumping {
        return;
    }
    if message == Message::Offer(0) {
        world.at_mut(peer).ticket = ticket;
    }
    world.at_mut(peer).inbox.push(message);
}

/// Closes this end of the channel; the pidfd too.
pub fn close(world: &mut World, slot: Slot) {
    let process = world.at_mut(slot);
    let peer = process.peer.take();
    (process.channel, process.knows_death) = (Channel::None, false);
    process.inbox.clear();
    if let Some(peer) = peer {
        hang_up(world, peer, slot);
    }
}

fn hang_up(world: &mut World, slot: Slot, from: Slot) {
    let process = world.at_mut(slot);
    if process.peer == Some(from) && process.channel == Channel::Open {
        process.channel = Channel::Ended;
    }
}

/// Both ends are shut; with `lossy` what is under way is lost.
pub fn cut(world: &mut World, slot: Slot, lossy: bool) {
    let Some(peer) = world.at(slot).peer else { return };
    for (end, other) in [(slot, peer), (peer, slot)] {
        hang_up(world, end, other);
        if lossy && world.at(end).peer == Some(other) {
            world.at_mut(end).inbox.clear();
        }
    }
}

/// By the library. Never the owner (S9).
pub fn kill(world: &mut World, slot: Slot) {
    if world.at(slot).lives() {
        if world.owner == slot {
            world.breaks(Broken::S9, "the library kills the owner");
        }
        die(world, slot, false);
    } else if world.at(slot).life == Life::Dumping {
        world.breaks(Broken::S16, "a core is cut");
    }
}

/// It has crashed, and writes its core.
pub fn dump(world: &mut World, slot: Slot) {
    name_heir(world, slot);
    let process = world.at_mut(slot);
    let Process { parent, dismissed, peer, channel, holds, .. } = *process;
    *process = Process { parent, dismissed, peer, channel, holds, ..Process::absent(Life::Dumping) };
}

/// Its files are closed, in whatever it was.
pub fn die(world: &mut World, slot: Slot, lossy: bool) {
    name_heir(world, slot);
    for other in World::slots().filter(|other| *other != slot) {
        if world.at(other).peer == Some(slot) {
            hang_up(world, other, slot);
            if lossy {
                world.at_mut(other).inbox.clear();
            }
        }
        if world.at(other).parent == Some(slot) {
            let orphan = world.at_mut(other);
            (orphan.parent, orphan.dismissed) = (None, false);
            if orphan.life == Life::Zombie {
                *orphan = Process::absent(Life::Gone);
            }
        }
    }
    let process = world.at_mut(slot);
    *process = Process { parent: process.parent, dismissed: process.dismissed, ..Process::absent(Life::Dying) };
}

/// Its pidfd becomes readable. Without a parent of ours, init reaps it.
pub fn exited(world: &mut World, slot: Slot) {
    let process = world.at_mut(slot);
    match process.parent {
        Some(_) => process.life = Life::Zombie,
        None => *process = Process::absent(Life::Gone),
    }
}

/// Who has to go on when this one is dead (L1, L5).
fn name_heir(world: &mut World, slot: Slot) {
    let process = world.at(slot);
    let party = match process.machine {
        Machine::None => false,
        Machine::Owner(machine) => machine.phase != owner::Phase::Retired,
        Machine::Successor(machine) => machine.phase != successor::Phase::Ended,
    };
    if !party || (process.peer.is_none() && world.owner != slot) {
        return;
    }
    let unsaid = process.successor().is_some_and(|machine| machine.phase == successor::Phase::Announcing);
    world.heir = process.peer.filter(|peer| {
        let peer = world.at(*peer);
        peer.lives()
            && peer.peer == Some(slot)
            && match peer.machine {
                Machine::None => false,
                // One that has settled and said so stands alone: its death is an ordinary crash, though a standby may still be there.
                Machine::Owner(machine) => machine.phase != owner::Phase::Retired && (unsaid || world.word.view(peer.ticket) != View::Next),
                // One that was told that it is off goes, whatever comes.
                Machine::Successor(machine) => {
                    machine.is_offered() && !peer.inbox.iter().any(|message| matches!(message, Message::Abort(_)))
                }
            }
    });
}
