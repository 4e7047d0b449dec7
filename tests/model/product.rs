//! Everything that can happen in a world, and what comes of it.

use crate::clock::Deadline;
use crate::machine::word::View;
use crate::machine::{Mode, Notice, owner, successor};

use super::driver::{close, cut, die, dump, exited, kill, message};
use super::setup::{OFFER, Setup, Sight, WHOLE, Way, fault};
use super::world::{Broken, Channel, Due, Life, Machine, Message, Process, Slot, World};

/// One thing that happens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Choice {
    /// Somebody wants a new generation.
    Upgrade(Slot),
    Takeover(Slot),

    /// The spawned one says HELLO.
    Greet(Slot),
    /// A wrapper has taken its channel from it: it connects to the control path.
    GreetByPath(Slot),
    /// The owner takes a connection of the control path, or says that it is busy.
    Accept(Slot, Slot),
    Refuse(Slot),
    /// The next action of the step.
    Continue(Slot),
    /// An event for the machine.
    Receive(Slot),
    Hangup(Slot),
    PeerGone(Slot),
    Timeout(Slot),
    /// An owner's deadline, that may not kill the successor.
    OutOfReach(Slot),
    /// A warm successor looks at the word, and sees a commit before it hears of it; an owner, and sees that the successor has settled.
    Look(Slot),
    Troubled(Slot),
    /// The application.
    Take(Slot),
    Answer(Slot),
    Exit(Slot),
    /// The kernel ends what is dying.
    Exited(Slot),
    /// The library ends and reaps a child that is not needed.
    StopPlan(Slot),
    Reap(Slot),

    /// A process that was stopped is continued; perhaps never.
    Continued(Slot),
    /// A core is written; perhaps never.
    Dumped(Slot),
    /// Somebody ends a process that its peer cannot; perhaps never.
    Ended(Slot),

    Crash(Slot),
    Dump(Slot),
    CrashLossy(Slot),
    Stop(Slot),
    Cut(Slot),
    SendFails(Slot),
    ReceiveFails(Slot),
    AppFails(Slot),
    AppHangs(Slot),
    Cancel(Slot),
    NoSpawn(Slot),
    Twice(Slot),
}

impl Choice {
    pub fn is_fault(self) -> bool {
        use Choice::*;
        matches!(
            self,
            Crash(_)
                | Dump(_)
                | CrashLossy(_)
                | Stop(_)
                | Cut(_)
                | SendFails(_)
                | ReceiveFails(_)
                | AppFails(_)
                | AppHangs(_)
                | Cancel(_)
                | NoSpawn(_)
                | Twice(_)
        )
    }
}

impl Setup {
    pub fn world(&self) -> World {
        World::new(owner::Owner::new(true, self.mode, self.limits))
    }

    /// What goes on by itself. Without any of it the world stands still.
    pub fn steps(&self, world: &World, out: &mut Vec<Choice>) {
        for slot in World::slots() {
            let process = world.at(slot);
            match process.life {
                Life::Dying => out.push(Choice::Exited(slot)),
                Life::Zombie if process.dismissed && parent_runs(world, process) => out.push(Choice::Reap(slot)),
                Life::Running | Life::Stopped if process.dismissed && parent_runs(world, process) => out.push(Choice::StopPlan(slot)),
                _ => {}
            }
            if process.life == Life::Running {
                self.steps_of(world, slot, process, out);
            }
        }
    }

    fn steps_of(&self, world: &World, slot: Slot, process: &Process, out: &mut Vec<Choice>) {
        if !process.todo.is_empty() {
            out.push(Choice::Continue(slot));
            return;
        }
        if process.trouble {
            out.push(Choice::Troubled(slot));
            return;
        }
        if process.machine == Machine::None {
            out.extend([Choice::Greet(slot), Choice::GreetByPath(slot)]);
            return;
        }
        let peer = process.peer.map(|peer| world.at(peer));
        if !process.inbox.is_empty() {
            out.push(Choice::Receive(slot));
        } else if process.channel == Channel::Ended {
            out.push(Choice::Hangup(slot));
        }
        let seen_dead = |peer: &Process| match self.sight {
            Sight::Right => peer.is_seen_dead(),
            Sight::PidfdOnly => peer.is_dead(),
            Sight::StoppedToo => peer.is_seen_dead() || peer.life == Life::Stopped,
        };
        let unseen_death = peer.is_some_and(seen_dead) && !process.knows_death;
        if unseen_death {
            out.push(Choice::PeerGone(slot));
        }
        let dying = peer.is_some_and(|peer| peer.life == Life::Dying);
        if let Some(deadline) = process.deadline()
            && (!self.timed || world.now >= deadline)
            && (self.careless || (!unseen_death && !dying))
        {
            out.push(Choice::Timeout(slot));
            if self.unkillable && process.owner().is_some_and(|owner| owner.may_condemn()) {
                out.push(Choice::OutOfReach(slot));
            }
        }
        if process.owner().is_some_and(|owner| owner.looks()) && world.word.view(process.ticket) == View::Next {
            out.push(Choice::Look(slot));
        }
        let warm = process.successor().is_some_and(|machine| machine.phase == successor::Phase::Warm);
        if warm && world.word.view(process.ticket) == View::Committed {
            out.push(Choice::Look(slot));
        }
        // Its connection was to a listener that nobody holds any more, or only one that writes its core, which is looked for.
        if process.channel == Channel::Waiting && World::slots().all(|other| other == slot || !world.at(other).lives()) {
            out.push(Choice::Hangup(slot));
        }
        if process.channel == Channel::Waiting {
            for other in World::slots().filter(|other| *other != slot) {
                let listener = world.at(other);
                if listener.life != Life::Running || !listener.todo.is_empty() {
                    continue;
                }
                match listener.machine {
                    Machine::Owner(owner) if takes(listener, owner.phase, slot, process) => out.push(Choice::Accept(other, slot)),
                    Machine::Owner(owner)
                        if !matches!(owner.phase, owner::Phase::Starting | owner::Phase::Retired)
                            && !out.contains(&Choice::Refuse(slot)) =>
                    {
                        out.push(Choice::Refuse(slot));
                    }
                    _ => {}
                }
            }
        }
        let app = &process.app;
        if app.hangs {
            return;
        }
        if let Some(next) = app.notices.first()
            && (app.due == Due::Nothing || matches!(next, Notice::Resume { .. } | Notice::Retire | Notice::Aborted(_) | Notice::Committed))
        {
            out.push(Choice::Take(slot));
        }
        if app.due != Due::Nothing {
            out.push(Choice::Answer(slot));
        }
        if app.leaves {
            out.push(Choice::Exit(slot));
        }
    }

    /// What may happen besides: somebody wants something, or a fault.
    pub fn events(&self, world: &World, out: &mut Vec<Choice>) {
        if world.handoffs < self.handoffs
            && let Some(free) = World::slots().find(|slot| self.is_free(world, *slot))
        {
            let idle = |slot: &Slot| {
                let process = world.at(*slot);
                let serving = process.owner().is_some_and(|owner| owner.phase == owner::Phase::Serving);
                process.life == Life::Running
                    && !process.app.hangs
                    && serving
                    && process.todo.is_empty()
                    && process.app.notices.iter().count() < 4
            };
            if self.way != Way::Takeover
                && let Some(owner) = World::slots().find(idle)
            {
                out.push(Choice::Upgrade(owner));
                if self.allows(fault::NO_SPAWN, world.faults) {
                    out.push(Choice::NoSpawn(owner));
                }
            }
            if self.way != Way::Spawned && World::slots().any(|slot| world.at(slot).lives() && world.at(slot).app.serves) {
                out.push(Choice::Takeover(free));
            }
        }
        for slot in World::slots() {
            match world.at(slot).life {
                Life::Stopped => out.push(Choice::Continued(slot)),
                Life::Dumping => out.push(Choice::Dumped(slot)),
                _ => {}
            }
            let waits = |owner: owner::Owner| owner.may_condemn() || owner.phase == owner::Phase::Killing;
            if self.unkillable
                && world.at(slot).life == Life::Running
                && let Some(peer) = world.at(slot).peer.filter(|peer| world.at(*peer).lives())
                && world.at(slot).owner().is_some_and(waits)
            {
                out.push(Choice::Ended(peer));
            }
            if world.faults < self.faults {
                self.faults_of(world, slot, out);
            }
        }
    }

    fn faults_of(&self, world: &World, slot: Slot, out: &mut Vec<Choice>) {
        let process = world.at(slot);
        let mut offer = |kind: u16, choice: Choice| {
            if self.allows(kind, world.faults) {
                out.push(choice);
            }
        };
        let (party, cancels) = match process.machine {
            Machine::None => (process.lives(), false),
            Machine::Owner(owner) => (owner.phase != owner::Phase::Retired || !process.todo.is_empty(), owner.may_cancel()),
            Machine::Successor(successor) => (successor.phase != successor::Phase::Ended || !process.todo.is_empty(), false),
        };
        if !party || process.dismissed {
            return;
        }
        if process.lives() {
            offer(fault::CRASH, Choice::Crash(slot));
            let unread = process.peer.is_some_and(|peer| world.at(peer).peer == Some(slot) && !world.at(peer).inbox.is_empty());
            if unread {
                offer(fault::CRASH_LOSSY, Choice::CrashLossy(slot));
            }
            // Told once, by the end that has the lower number.
            if process.channel == Channel::Open && process.peer.is_some_and(|peer| slot < peer || world.at(peer).channel != Channel::Open) {
                offer(fault::CUT, Choice::Cut(slot));
            }
        }
        if process.life != Life::Running {
            return;
        }
        offer(fault::DUMP, Choice::Dump(slot));
        offer(fault::STOP, Choice::Stop(slot));
        if process.todo.first().is_some_and(|action| message(action).is_some()) && process.channel == Channel::Open {
            offer(fault::TROUBLE, Choice::SendFails(slot));
        }
        if !process.todo.is_empty() || process.trouble {
            return;
        }
        if !process.inbox.is_empty() && !process.inbox.is_full() {
            offer(fault::TWICE, Choice::Twice(slot));
        }
        // No room for the descriptors.
        if matches!(process.inbox.first(), Some(Message::Offer(_) | Message::Delta(_))) {
            offer(fault::TROUBLE, Choice::ReceiveFails(slot));
        }
        if !process.app.hangs {
            let on_probation =
                process.successor().is_some_and(|successor| matches!(successor.phase, successor::Phase::Live | successor::Phase::Fenced));
            // A first generation that cannot open just exits.
            let first = process.owner().is_some_and(|owner| owner.phase == owner::Phase::Starting);
            if (!matches!(process.app.due, Due::Nothing | Due::Return) && !first) || on_probation {
                offer(fault::APP_FAILS, Choice::AppFails(slot));
            }
            if process.app.due != Due::Nothing || !process.app.notices.is_empty() {
                offer(fault::APP_HANGS, Choice::AppHangs(slot));
            }
            if cancels {
                offer(fault::CANCEL, Choice::Cancel(slot));
            }
        }
    }

    fn is_free(&self, world: &World, slot: Slot) -> bool {
        let unknown = slot != world.owner && World::slots().all(|other| world.at(other).peer != Some(slot));
        match world.at(slot).life {
            Life::Absent => true,
            Life::Gone => self.recycled && unknown,
            _ => false,
        }
    }

    /// Nothing happens any more unless somebody wants something.
    pub fn is_quiet(&self, world: &World) -> bool {
        let mut steps = Vec::with_capacity(8);
        // A deadline that is set will come.
        Setup { timed: false, ..*self }.steps(world, &mut steps);
        steps.is_empty()
    }

    pub fn apply(&self, world: &World, choice: Choice) -> World {
        let mut next = *world;
        if choice.is_fault() {
            next.faults = next.faults.saturating_add(1);
        }
        self.happen(&mut next, choice);
        self.check(&mut next);
        next
    }

    fn happen(&self, world: &mut World, choice: Choice) {
        use owner::Event as O;
        use successor::Event as S;
        match choice {
            Choice::Upgrade(slot) => {
                let Some(free) = World::slots().find(|slot| self.is_free(world, *slot)) else { return };
                world.handoffs = world.handoffs.saturating_add(1);
                *world.at_mut(free) = Process { parent: Some(slot), ..Process::absent(Life::Running) };
                self.becomes_candidate(world, slot, free);
                let whole = Deadline::at(world.now + WHOLE);
                self.feed_owner(world, slot, O::Begin { whole });
                self.run(world, slot);
            }
            Choice::NoSpawn(_) => world.handoffs = world.handoffs.saturating_add(1),
            Choice::Takeover(slot) => {
                world.handoffs = world.handoffs.saturating_add(1);
                let machine = Machine::Successor(successor::Successor::new(Deadline::at(world.now + OFFER)));
                *world.at_mut(slot) = Process { machine, channel: Channel::Waiting, ..Process::absent(Life::Running) };
            }
            Choice::Greet(slot) => self.greet(world, slot),
            Choice::GreetByPath(slot) => {
                close(world, slot);
                let machine = Machine::Successor(successor::Successor::new(Deadline::at(world.now + OFFER)));
                let process = world.at_mut(slot);
                (process.machine, process.channel) = (machine, Channel::Waiting);
            }
            Choice::Accept(owner, slot) => {
                self.becomes_candidate(world, owner, slot);
                let hello = O::Hello { whole: Deadline::at(world.now + WHOLE), parts: self.parts };
                self.feed_owner(world, owner, hello);
                self.run(world, owner);
            }
            Choice::Refuse(slot) => {
                die(world, slot, false);
                exited(world, slot);
            }
            Choice::Continue(slot) => self.run(world, slot),
            Choice::Receive(slot) => {
                if let Some(message) = world.at_mut(slot).inbox.pop() {
                    self.deliver(world, slot, message);
                }
            }
            Choice::Twice(slot) => {
                if let Some(message) = world.at(slot).inbox.first() {
                    self.deliver(world, slot, message);
                }
            }
            Choice::Hangup(slot) => {
                world.at_mut(slot).channel = Channel::Seen;
                self.feed(world, slot, O::Hangup, S::Hangup);
            }
            Choice::PeerGone(slot) => {
                world.at_mut(slot).knows_death = true;
                self.feed(world, slot, O::PeerGone, S::PeerGone);
            }
            Choice::Timeout(slot) => self.feed(world, slot, O::Timeout, S::Timeout),
            Choice::OutOfReach(slot) => {
                self.feed_owner(world, slot, O::OutOfReach);
                self.run(world, slot);
            }
            Choice::Look(slot) => self.feed(world, slot, O::Look, S::Commit),
            Choice::Troubled(slot) => {
                world.at_mut(slot).trouble = false;
                self.feed(world, slot, O::Trouble, S::Trouble);
                // It gives up by its own fault: that the owner dies in the same moment would be a second one, of the other party (L5).
                let process = world.at_mut(slot);
                process.app.failed |= process.successor().is_some_and(|machine| machine.phase == successor::Phase::Ended);
            }
            Choice::Take(slot) => self.take(world, slot),
            Choice::Answer(slot) => self.answer(world, slot),
            Choice::Exit(slot) => {
                if world.owner == slot && !world.at(slot).app.failed {
                    world.breaks(Broken::L1, "the owner, by the word, is told to go");
                }
                if world.heir == Some(slot) && !world.at(world.owner).lives() && !world.at(slot).app.failed {
                    world.breaks(Broken::L1, "the one that is left is told to go");
                }
                die(world, slot, false);
                exited(world, slot);
            }
            Choice::Exited(slot) => exited(world, slot),
            Choice::StopPlan(slot) => kill(world, slot),
            Choice::Reap(slot) => *world.at_mut(slot) = Process::absent(Life::Gone),
            Choice::Continued(slot) => world.at_mut(slot).life = Life::Running,
            Choice::Crash(slot) | Choice::Dumped(slot) | Choice::Ended(slot) => die(world, slot, false),
            Choice::Dump(slot) => dump(world, slot),
            Choice::CrashLossy(slot) => die(world, slot, true),
            Choice::Stop(slot) => world.at_mut(slot).life = Life::Stopped,
            Choice::Cut(slot) => cut(world, slot, true),
            Choice::SendFails(slot) => {
                // Descriptors cannot be sent: trouble. What else cannot be sent closes the channel (R3).
                match world.at_mut(slot).todo.pop().and_then(message) {
                    Some(Message::Offer(_) | Message::Delta(_)) => world.at_mut(slot).trouble = true,
                    _ => cut(world, slot, false),
                }
                self.run(world, slot);
            }
            Choice::ReceiveFails(slot) => {
                world.at_mut(slot).inbox.pop();
                world.at_mut(slot).trouble = true;
            }
            Choice::AppFails(slot) => {
                let process = world.at_mut(slot);
                process.app.due = Due::Nothing;
                if let Machine::Successor(_) = process.machine {
                    (process.app.failed, process.app.serves) = (true, false);
                }
                self.feed(world, slot, O::Failed, S::Failed);
            }
            Choice::AppHangs(slot) => world.at_mut(slot).app.hangs = true,
            Choice::Cancel(slot) => {
                self.feed_owner(world, slot, O::Cancel);
                self.run(world, slot);
            }
        }
    }

    /// The application takes its next event.
    fn take(&self, world: &mut World, slot: Slot) {
        let Some(notice) = world.at_mut(slot).app.notices.pop() else { return };
        let announcing = world.at(slot).successor().is_some_and(|machine| machine.phase == successor::Phase::Announcing);
        let owns = world.owner == slot;
        let app = &mut world.at_mut(slot).app;
        match notice {
            Notice::Drain => app.due = Due::Drained,
            Notice::Seal => (app.serves, app.due) = (false, Due::Sealed),
            Notice::Live { unsealed } => {
                app.due = Due::Live;
                if !unsealed && !world.sealed && self.mode == Mode::Exclusive {
                    world.breaks(Broken::S3, "a successor opens what was not sealed, and is told it was");
                }
                world.at_mut(slot).app.stale = false;
                self.begin(world, slot);
            }
            Notice::Resume { unsealed } => {
                app.due = Due::Nothing;
                app.stale &= !unsealed;
                self.begin(world, slot);
            }
            Notice::Retire => (app.serves, app.due, app.leaves) = (false, Due::Nothing, true),
            Notice::Committed if announcing => app.due = Due::Return,
            Notice::Committed => app.knows |= owns,
            Notice::PathChanged => {}
            Notice::Aborted(_) => {
                let successor = matches!(world.at(slot).machine, Machine::Successor(_));
                let app = &mut world.at_mut(slot).app;
                if successor {
                    (app.serves, app.due, app.leaves) = (false, Due::Nothing, true);
                }
            }
        }
    }

    /// It accepts and writes from now on.
    fn begin(&self, world: &mut World, slot: Slot) {
        if self.mode == Mode::Exclusive {
            if world.at(slot).app.stale {
                world.breaks(Broken::S3, "an owner resumes what another has changed");
            }
            World::slots().filter(|other| *other != slot).for_each(|other| {
                let process = world.at_mut(other);
                process.app.stale |= process.lives();
            });
            world.sealed = false;
        }
        world.at_mut(slot).app.stale = false;
        world.at_mut(slot).app.serves = true;
    }

    fn answer(&self, world: &mut World, slot: Slot) {
        let due = std::mem::replace(&mut world.at_mut(slot).app.due, Due::Nothing);
        let first = matches!(world.at(slot).machine, Machine::Owner(_));
        match due {
            Due::Nothing => return,
            Due::Drained => {
                let probe = if self.mode == Mode::Exclusive { 1 } else { 0 };
                self.feed_owner(world, slot, owner::Event::Drained(self.changed.max(probe)));
            }
            Due::Sealed => {
                world.sealed |=
                    self.mode == Mode::Exclusive && World::slots().all(|other| !world.at(other).lives() || !world.at(other).app.serves);
                self.feed_owner(world, slot, owner::Event::Sealed(self.changed));
            }
            Due::Warm => self.feed_successor(world, slot, successor::Event::Warm),
            Due::Return => {
                world.at_mut(slot).app.knows = true;
                self.feed_successor(world, slot, successor::Event::Taken);
            }
            Due::Live if first => self.feed_owner(world, slot, owner::Event::Opened),
            Due::Live => self.feed_successor(world, slot, successor::Event::Live),
        }
        self.run(world, slot);
    }
}

fn parent_runs(world: &World, process: &Process) -> bool {
    process.parent.is_some_and(|parent| world.at(parent).life == Life::Running)
}

/// An owner that takes a connection. R6: not while its application leaves earlier notices lying, so that they cannot pile up. R8: of its own
/// children the one that it awaits, and no other one.
fn takes(process: &Process, phase: owner::Phase, slot: Slot, guest: &Process) -> bool {
    let awaited = phase == owner::Phase::Greeting && process.peer == Some(slot);
    let stranger = phase == owner::Phase::Serving && process.peer.is_none() && !guest.dismissed;
    awaited || (stranger && process.app.notices.iter().count() < 4)
}
