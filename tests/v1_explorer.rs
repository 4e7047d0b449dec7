//! Every order of events that a supervisor of protocol v1 can meet: its machine (`src/handoff/machine/v1.rs`), as it runs in production, in a model of an
//! incumbent and a successor of the crate `beyond-handoff` 0.1.4, of their lock, their control path and their channels, with crashes, stops and hooks that
//! fail, and with its own death between any two actions.
//!
//! What its driver promises is part of the model: what a process has said is heard before its death is believed, and before a time that is over, a
//! cancellation or trouble is told, it is looked whether the owner is dead. A death shows within `LINGER` of the end of its channel. Begin and what keeps
//! the channel open are one moment (one system call), and so are the end of a successor's say and its death (three, one after the other, with nothing
//! between them). A journal that fails is a choice like any other.
//!
//! Not in the model: a supervisor that stands still. While an owner of the crate is sealed it waits for ever (B8), and nobody can help it from outside.
//!
//! What a law needs to be worth anything is a mistake that breaks it: those are `Mutant`, the bugs of the crate's own supervisor among them.

// covers: B2, B3, B5, B14, B15, B16, B17, LAW-14, LAW-15, HO-3, HO-8, HO-10, L1, L2, L5

#[path = "../src/handoff/machine/mod.rs"]
#[allow(dead_code, missing_docs)]
mod machine;

use std::time::Instant;

use machine::Reason;
use machine::v1::{Action, End, Event, Owner as Known, Phase, Supervisor};
use procsup::clock;
use stateright::{Checker, HasDiscoveries, Model, Property};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Message {
    Hello,
    Ack,
    Prepare,
    Drained,
    SealRequest,
    SealComplete,
    SealFailed,
    Begin,
    Ready,
    Commit,
    Abort,
    Resume,
    Ping,
    Beat,
}

/// How it is with a process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Life {
    Runs,
    Stopped,
    /// Its channel has ended; its lock is free.
    Dying,
    /// That shows.
    Dead,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum At {
    // Of an incumbent.
    /// It waits for a connection.
    Idle,
    /// It has greeted.
    Greeted,
    /// In a session.
    Active,
    Draining,
    Drained,
    Sealing,
    /// The lock is given up, and nobody told.
    Released,
    Sealed,
    /// Its session has ended: it takes its lock, or gives up after two seconds.
    Locking,
    // Of a successor.
    Loading,
    Waiting,
    Ready,
    /// It has its Begin.
    Begun,
    /// It has the lock, and opens.
    Opening,
    /// It has said that it is ready; its path is not bound.
    Said,
    Serving,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Process {
    life: Life,
    at: At,
    /// It accepts and writes.
    serves: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Channel {
    to: Vec<Message>,
    from: Vec<Message>,
    /// Our end is open; the other's.
    ours: bool,
    theirs: bool,
    /// Nothing can be said to us any more.
    shut: bool,
    /// Our end lies in the other's queue.
    kept: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Who {
    Owner,
    Successor,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct World {
    owner: Process,
    successor: Process,
    lock: Option<Who>,
    path: Who,
    to_owner: Channel,
    to_successor: Channel,
    machine: Supervisor,
    todo: Vec<Action>,
    alive: bool,
    /// It has closed its session with the owner for good, and looks for it at the path.
    reconnects: bool,
    /// What the driver has seen.
    seen: [bool; 2],
    killed: bool,
    faults: u8,
    cancels: u8,
    begun: bool,
    broken: Option<Law>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Law {
    /// Two write.
    Two,
    /// In the end nobody serves, and nobody starts another.
    Nobody,
    /// Who serves in the end is not at the path.
    Path,
    /// The successor was ended though the owner is dead.
    Avenged,
    /// The successor was ended though it had said that it is ready.
    Ready,
    /// The owner is said to go on, and does not.
    Untrue,
    /// A successor is left behind that is not wanted.
    Left,
    /// It never ends.
    Endless,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Choice {
    /// The supervisor's next action; an event that it hears.
    Do,
    Tell(Event),
    /// What the other side says is heard.
    Hear(Who),
    See(Who),
    JournalFails,
    /// A process goes one step.
    Step(Who),
    /// A hook fails; an incumbent gives its lock up for lost.
    Fail(Who),
    Crash(Who),
    Stop(Who),
    Continue(Who),
    Show(Who),
    /// Who was killed is gone.
    Fall,
    Die,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Mutant {
    None,
    /// B2: the successor's channel ends with its supervisor.
    ChannelEnds,
    /// B3: the death of the owner is an error like any other.
    Avenges,
    /// B5, B14: the successor is killed while it may say that it is ready.
    KillsUnheard,
    /// B15: nobody looks whether the owner lives.
    DoesNotLook,
    /// B16: who was told to go on goes on.
    Believes,
    /// B17: a journal that cannot be written ends the successor.
    FailsWithTheJournal,
    /// A commit although nobody is ready.
    CommitsEarly,
}

#[derive(Clone, Copy, Debug)]
struct Setup {
    faults: u8,
    cancels: u8,
    mutant: Mutant,
}

impl World {
    fn process(&mut self, who: Who) -> &mut Process {
        match who {
            Who::Owner => &mut self.owner,
            Who::Successor => &mut self.successor,
        }
    }

    fn life(&self, who: Who) -> Life {
        match who {
            Who::Owner => self.owner.life,
            Who::Successor => self.successor.life,
        }
    }

    fn channel(&self, who: Who) -> &Channel {
        match who {
            Who::Owner => &self.to_owner,
            Who::Successor => &self.to_successor,
        }
    }

    fn channel_mut(&mut self, who: Who) -> &mut Channel {
        match who {
            Who::Owner => &mut self.to_owner,
            Who::Successor => &mut self.to_successor,
        }
    }

    fn is_doomed(&self, who: Who) -> bool {
        who == Who::Successor && self.killed && !self.has_ended(who)
    }

    fn has_ended(&self, who: Who) -> bool {
        matches!(self.life(who), Life::Dying | Life::Dead)
    }

    fn ends(&mut self, who: Who) {
        let process = self.process(who);
        (process.life, process.serves) = (Life::Dying, false);
        if self.lock == Some(who) {
            self.lock = None;
        }
        self.channel_mut(who).theirs = false;
        self.channel_mut(who).to.clear();
    }

    /// To the supervisor. `false`: an end of the channel is told.
    fn says(&mut self, who: Who, message: Message) -> bool {
        let channel = self.channel_mut(who);
        if channel.shut || !(channel.ours || channel.kept) {
            return false;
        }
        if channel.ours {
            channel.from.push(message);
        }
        true
    }

    fn tell(&mut self, who: Who, message: Message) {
        let channel = self.channel_mut(who);
        if channel.ours && channel.theirs {
            channel.to.push(message);
        }
    }

    // ---- the crate ----

    fn owner_resumes(&mut self) {
        (self.owner.at, self.owner.serves) = (At::Idle, true);
    }

    /// The session ends, from whichever side.
    fn owner_leaves(&mut self) {
        self.to_owner.theirs = false;
        self.to_owner.to.clear();
        match self.owner.at {
            At::Sealed | At::Released => self.owner.at = At::Locking,
            At::Drained => self.owner_resumes(),
            _ => self.owner.at = At::Idle,
        }
    }

    fn can_step(&self, who: Who) -> bool {
        if self.life(who) != Life::Runs || self.is_doomed(who) {
            return false;
        }
        let hears = |channel: &Channel| !channel.to.is_empty() || !channel.ours && !channel.kept;
        match who {
            Who::Owner => match self.owner.at {
                At::Idle => self.to_owner.theirs && (self.to_owner.ours || !self.to_owner.to.is_empty()),
                At::Draining | At::Sealing | At::Released => true,
                At::Locking => self.lock.is_none(),
                _ => hears(&self.to_owner),
            },
            Who::Successor => match self.successor.at {
                At::Loading | At::Begun | At::Opening | At::Said => true,
                At::Serving => false,
                _ => hears(&self.to_successor),
            },
        }
    }

    fn step_owner(&mut self) {
        match self.owner.at {
            At::Idle => {
                self.owner.at = At::Greeted;
                self.says(Who::Owner, Message::Hello);
            }
            At::Draining => {
                self.owner.at = At::Drained;
                if !self.says(Who::Owner, Message::Drained) {
                    self.owner_leaves();
                }
            }
            At::Sealing => (self.owner.at, self.lock) = (At::Released, None),
            At::Released => {
                self.owner.at = At::Sealed;
                if !self.says(Who::Owner, Message::SealComplete) {
                    self.owner_leaves();
                }
            }
            At::Locking => {
                self.lock = Some(Who::Owner);
                self.owner_resumes();
            }
            _ if self.to_owner.to.is_empty() => self.owner_leaves(),
            _ => {
                let message = self.to_owner.to.remove(0);
                match (self.owner.at, message) {
                    (At::Greeted, Message::Ack) => self.owner.at = At::Active,
                    (At::Active, Message::Prepare) => (self.owner.at, self.owner.serves) = (At::Draining, false),
                    (At::Drained, Message::SealRequest) => self.owner.at = At::Sealing,
                    (At::Sealed, Message::Commit) => self.ends(Who::Owner),
                    (At::Drained, Message::Resume) => {
                        self.owner_resumes();
                        self.owner.at = At::Active;
                    }
                    (At::Sealed, Message::Resume) if self.lock.is_none() => {
                        self.lock = Some(Who::Owner);
                        self.owner_resumes();
                        self.owner.at = At::Active;
                    }
                    (At::Active | At::Drained | At::Sealed, Message::Ping) => {
                        if !self.says(Who::Owner, Message::Beat) {
                            self.owner_leaves();
                        }
                    }
                    _ => self.owner_leaves(),
                }
            }
        }
    }

    fn step_successor(&mut self) {
        let at = self.successor.at;
        match at {
            At::Loading => {
                if self.says(Who::Successor, Message::Hello) {
                    self.successor.at = At::Waiting;
                } else {
                    self.ends(Who::Successor);
                }
            }
            At::Begun if self.lock.is_none() => (self.lock, self.successor.at) = (Some(Who::Successor), At::Opening),
            At::Opening => {
                if self.says(Who::Successor, Message::Ready) {
                    self.successor.at = At::Said;
                } else {
                    self.ends(Who::Successor);
                }
            }
            At::Said => (self.path, self.successor.at, self.successor.serves) = (Who::Successor, At::Serving, true),
            At::Begun => self.ends(Who::Successor),
            _ => {
                let message = if self.to_successor.to.is_empty() { None } else { Some(self.to_successor.to.remove(0)) };
                match (at, message) {
                    (At::Waiting, Some(Message::Ack)) => self.successor.at = At::Ready,
                    (At::Ready, Some(Message::Begin)) => self.successor.at = At::Begun,
                    _ => self.ends(Who::Successor),
                }
            }
        }
    }

    // ---- the driver ----

    fn event(&mut self, setup: &Setup, event: Event) {
        let dead = self.owner.life == Life::Dead;
        let knew = self.machine.owner == Known::Dead;
        let (machine, actions) = self.machine.step(event, 0);
        let list: Vec<Action> = actions.iter().collect();
        let ends_it = list.iter().any(|action| matches!(action, Action::Kill | Action::Dismiss | Action::Shut));
        let own_fault = matches!(event, Event::Trouble(_) | Event::HungUp | Event::Empty);
        if dead && !knew && ends_it && !own_fault {
            self.broken = Some(Law::Avenged);
        }
        self.machine = machine;
        for action in list {
            match (setup.mutant, action) {
                (Mutant::CommitsEarly, Action::Begin) => self.todo.extend([Action::Begin, Action::Commit]),
                _ => self.todo.push(action),
            }
        }
    }

    fn carry_out(&mut self, setup: &Setup) {
        let action = self.todo.remove(0);
        match action {
            Action::AckOwner => self.tell(Who::Owner, Message::Ack),
            Action::Ack => self.tell(Who::Successor, Message::Ack),
            Action::Prepare(..) => self.tell(Who::Owner, Message::Prepare),
            Action::RequestSeal => self.tell(Who::Owner, Message::SealRequest),
            Action::Begin => {
                self.begun = true;
                self.tell(Who::Successor, Message::Begin);
                self.to_successor.kept = setup.mutant != Mutant::ChannelEnds && self.to_successor.theirs;
            }
            Action::Commit => self.tell(Who::Owner, Message::Commit),
            Action::Dismiss => {
                self.tell(Who::Successor, Message::Abort);
                self.to_successor.ours = false;
                self.kill();
            }
            Action::Shut if setup.mutant == Mutant::KillsUnheard => self.event(setup, Event::Empty),
            Action::Shut => {
                self.to_successor.shut = true;
                // In one go, as the driver does.
                while !self.to_successor.from.is_empty() && self.machine.phase == Phase::Closing {
                    self.hear(setup, Who::Successor);
                }
                if self.owner.life == Life::Dead && !self.seen[0] {
                    self.see(setup, Who::Owner);
                }
                if self.machine.phase == Phase::Closing {
                    self.event(setup, Event::Empty);
                }
            }
            Action::Kill => self.kill(),
            Action::Resume => self.tell(Who::Owner, Message::Resume),
            Action::Ping if setup.mutant == Mutant::Believes => self.event(setup, Event::OwnerBeat),
            Action::Ping => self.tell(Who::Owner, Message::Ping),
            Action::Leave => self.to_owner.ours = false,
            Action::Reconnect => self.reconnects = true,
            Action::Tell(End::Aborted { confirmed: true, .. }) => {
                let untouched = matches!(self.owner.at, At::Idle | At::Greeted | At::Active) && self.owner.serves;
                // It may have died since it said so.
                if !untouched && !self.has_ended(Who::Owner) {
                    self.broken = Some(Law::Untrue);
                }
            }
            Action::Ignore | Action::Journal(_) | Action::Progress(_) | Action::Tell(_) => {}
        }
    }

    fn kill(&mut self) {
        if self.has_ended(Who::Successor) || self.killed {
            return;
        }
        if matches!(self.successor.at, At::Said | At::Serving) && self.life(Who::Successor) != Life::Stopped {
            self.broken = Some(Law::Ready);
        }
        // It runs no more, and has what it has until it falls.
        self.killed = true;
    }

    fn hear(&mut self, setup: &Setup, who: Who) {
        let said = self.channel_mut(who).from.remove(0);
        let dead = self.has_ended(who);
        let event = match (who, said) {
            (Who::Owner, Message::Hello) => Event::OwnerGreeted,
            (Who::Owner, Message::Drained) => Event::Drained,
            (Who::Owner, Message::SealComplete) => Event::SealComplete,
            // Its last word; it is looked whether it lives, as always before anything is undone.
            (Who::Owner, Message::SealFailed) if self.owner.life == Life::Dead => Event::OwnerBeat,
            (Who::Owner, Message::SealFailed) => Event::SealFailed,
            (Who::Owner, _) => Event::OwnerBeat,
            (Who::Successor, Message::Hello) => Event::Greeted,
            (Who::Successor, Message::Ready) if dead => Event::Beat,
            (Who::Successor, Message::Ready) => Event::Ready,
            (Who::Successor, _) => Event::Beat,
        };
        self.event(setup, event);
    }

    fn see(&mut self, setup: &Setup, who: Who) {
        self.seen[who as usize] = true;
        let event = match who {
            Who::Owner if setup.mutant == Mutant::Avenges => Event::OwnerTrouble(Reason::Died),
            Who::Owner => Event::OwnerDied,
            Who::Successor => Event::Died,
        };
        self.event(setup, event);
    }

    fn supervisor_choices(&self, setup: &Setup, out: &mut Vec<Choice>) {
        if !self.alive {
            return;
        }
        if !self.todo.is_empty() {
            out.push(Choice::Do);
            if matches!(self.todo[0], Action::Journal(_)) && setup.mutant == Mutant::FailsWithTheJournal && self.faults > 0 {
                out.push(Choice::JournalFails);
            }
            return;
        }
        if self.machine.end().is_some() {
            return;
        }
        let mut quiet = true;
        for who in [Who::Owner, Who::Successor] {
            let channel = self.channel(who);
            if channel.ours && !channel.from.is_empty() {
                out.push(Choice::Hear(who));
                quiet = false;
            } else if self.life(who) == Life::Dead && !self.seen[who as usize] {
                out.push(Choice::See(who));
                quiet &= setup.mutant == Mutant::DoesNotLook && who == Who::Owner;
            } else if channel.ours && !channel.theirs && channel.from.is_empty() && !(who == Who::Successor && self.has_ended(who)) {
                let event = if who == Who::Owner { Event::OwnerHungUp } else { Event::HungUp };
                // One whose death shows soon is waited for.
                if !(who == Who::Owner && matches!(self.machine.phase, Phase::Doubting)) {
                    out.push(Choice::Tell(event));
                }
            }
        }
        if self.reconnects && self.owner.life == Life::Runs && self.owner.at == At::Idle && self.path == Who::Owner {
            out.push(Choice::Tell(Event::OwnerGreeted));
        }
        // Times are over at any moment, once everything is heard; but a death shows in time.
        let lingers = self.machine.phase == Phase::Doubting && self.owner.life == Life::Dying
            || self.machine.phase == Phase::Ending && self.successor.life != Life::Dead;
        if quiet && !self.machine.deadline().is_never() && !lingers {
            out.push(Choice::Tell(Event::Timeout));
        }
        if quiet && self.cancels > 0 && self.machine.can_be_called_off() {
            out.push(Choice::Tell(Event::Cancel));
        }
    }

    fn check(&mut self) {
        if self.owner.serves && (self.successor.serves || self.lock != Some(Who::Owner)) {
            self.broken = Some(Law::Two);
        }
    }
}

struct Search {
    setup: Setup,
    wanted: Wanted,
}

type Wanted = &'static [(&'static str, fn(&Search, &World) -> bool)];

impl Model for Search {
    type State = World;
    type Action = Choice;

    fn init_states(&self) -> Vec<World> {
        let open = Channel { ours: true, theirs: true, ..Channel::default() };
        vec![World {
            owner: Process { life: Life::Runs, at: At::Idle, serves: true },
            successor: Process { life: Life::Runs, at: At::Loading, serves: false },
            lock: Some(Who::Owner),
            path: Who::Owner,
            to_owner: open.clone(),
            to_successor: open,
            machine: Supervisor::new(1 << 40, 1 << 40, 0),
            todo: Vec::new(),
            alive: true,
            reconnects: false,
            seen: [false; 2],
            killed: false,
            faults: self.setup.faults,
            cancels: self.setup.cancels,
            begun: false,
            broken: None,
        }]
    }

    fn actions(&self, world: &World, out: &mut Vec<Choice>) {
        if world.broken.is_some() {
            return;
        }
        world.supervisor_choices(&self.setup, out);
        for who in [Who::Owner, Who::Successor] {
            let (life, at) = match who {
                Who::Owner => (world.owner.life, world.owner.at),
                Who::Successor => (world.successor.life, world.successor.at),
            };
            if world.can_step(who) {
                out.push(Choice::Step(who));
            }
            match life {
                _ if world.is_doomed(who) => out.push(Choice::Fall),
                Life::Dying => out.push(Choice::Show(who)),
                Life::Stopped => out.push(Choice::Continue(who)),
                _ => {}
            }
            // Who was killed is gone long before.
            if life == Life::Runs && at == At::Locking && world.lock.is_some() && !world.is_doomed(Who::Successor) {
                out.push(Choice::Fail(who));
            }
            if world.faults > 0 && life == Life::Runs && !world.is_doomed(who) {
                out.push(Choice::Crash(who));
                out.push(Choice::Stop(who));
                if at == At::Sealing {
                    out.push(Choice::Fail(who));
                }
            }
        }
        if world.faults > 0 && world.alive && (!world.to_successor.shut || world.killed || world.machine.end().is_some()) {
            out.push(Choice::Die);
        }
    }

    fn next_state(&self, last: &World, choice: Choice) -> Option<World> {
        let (mut world, setup) = (last.clone(), &self.setup);
        match choice {
            Choice::Do => world.carry_out(setup),
            Choice::Tell(event) => {
                if event == Event::Cancel {
                    world.cancels -= 1;
                }
                world.event(setup, event);
            }
            Choice::Hear(who) => world.hear(setup, who),
            Choice::See(who) => world.see(setup, who),
            Choice::JournalFails => {
                world.faults -= 1;
                world.todo.remove(0);
                if world.begun {
                    world.kill();
                }
                world.event(setup, Event::Trouble(Reason::System));
            }
            Choice::Step(Who::Owner) => world.step_owner(),
            Choice::Step(Who::Successor) => world.step_successor(),
            Choice::Fail(who) if world.owner.at == At::Locking => world.ends(who),
            Choice::Fail(_) => {
                world.faults -= 1;
                world.says(Who::Owner, Message::SealFailed);
                world.owner_resumes();
                world.owner.at = At::Active;
            }
            Choice::Crash(who) => {
                world.faults -= 1;
                world.ends(who);
            }
            Choice::Stop(who) => {
                world.faults -= 1;
                world.process(who).life = Life::Stopped;
            }
            Choice::Continue(who) => world.process(who).life = Life::Runs,
            Choice::Fall => world.ends(Who::Successor),
            Choice::Show(who) => world.process(who).life = Life::Dead,
            Choice::Die => {
                world.faults -= 1;
                world.alive = false;
                world.todo.clear();
                world.to_owner.ours = false;
                world.to_successor.ours = false;
            }
        }
        world.check();
        if world.broken.is_none() {
            world.broken = self.settled(&world);
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let law = Property::always("the laws hold", |_: &Search, world: &World| world.broken.is_none());
        let wanted = self.wanted.iter().map(|(name, reached)| Property::sometimes(name, *reached));
        std::iter::once(law).chain(wanted).collect()
    }
}

impl Search {
    /// Where nothing happens any more by itself.
    fn settled(&self, world: &World) -> Option<Law> {
        let mut choices = Vec::new();
        self.actions(world, &mut choices);
        let fault = |choice: &Choice| match choice {
            Choice::Crash(_) | Choice::Stop(_) | Choice::Die | Choice::JournalFails | Choice::Tell(Event::Cancel) => true,
            Choice::Fail(_) => world.owner.at != At::Locking,
            _ => false,
        };
        if !choices.iter().all(fault) {
            return None;
        }
        if world.alive && world.machine.end().is_none() {
            return Some(Law::Endless);
        }
        let serves = [world.owner.serves, world.successor.serves];
        if serves == [false, false] {
            // A supervisor that lives starts another when none is left; after two faults its own may be one of them.
            let none_is_left = world.owner.life == Life::Dead && world.successor.life == Life::Dead;
            let excused = world.alive && none_is_left || !world.alive && self.setup.faults > 1;
            return (!excused).then_some(Law::Nobody);
        }
        // A successor that was killed by others after it had bound the path leaves the owner without one: a fault of its own.
        if self.setup.faults < 2 && serves == [true, false] && world.path != Who::Owner && world.killed {
            return Some(Law::Path);
        }
        if serves == [true, false] && world.successor.life != Life::Dead && world.machine.end().is_some() {
            return Some(Law::Left);
        }
        None
    }
}

/// Searches all of it, or until a law is broken; says how far it was, and how the law was broken.
fn search(setup: Setup, wanted: Wanted) -> Option<Law> {
    let began = Instant::now();
    let threads = if setup.mutant == Mutant::None { 2 } else { 1 };
    let checker = Search { setup, wanted }.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    println!(
        "{setup:?}: {} states, {} transitions, depth {}, {:.1} s",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        began.elapsed().as_secs_f64()
    );
    let mut found = checker.discoveries();
    for (name, _) in wanted {
        let reached = found.remove(name).is_some();
        assert!(reached || !found.is_empty(), "never reached: {name}");
    }
    let path = found.into_values().next()?;
    let last = path.last_state().clone();
    let choices: Vec<String> = path.into_actions().iter().map(|choice| format!("{choice:?}")).collect();
    println!("  broken: {:?}\n    {}\n    {:?}", last.broken, choices.join(" "), last.machine);
    last.broken
}

const ONE: Setup = Setup { faults: 1, cancels: 1, mutant: Mutant::None };

fn end_is(world: &World, wanted: fn(End) -> bool) -> bool {
    world.machine.end().is_some_and(wanted)
}

const MET: Wanted = &[
    ("it is done", |_, world| end_is(world, |end| end == End::Committed { unsealed: false }) && world.successor.serves),
    ("a dead owner is succeeded", |_, world| end_is(world, |end| end == End::Committed { unsealed: true }) && world.successor.serves),
    ("the owner goes on, and has said so", |_, world| {
        end_is(world, |end| matches!(end, End::Aborted { confirmed: true, .. })) && world.begun && world.owner.serves
    }),
    ("the owner is not heard of", |_, world| end_is(world, |end| matches!(end, End::Aborted { confirmed: false, .. }))),
    ("READY was there when its time was over", |_, world| {
        world.to_successor.shut && end_is(world, |end| matches!(end, End::Committed { .. }))
    }),
    ("the successor serves without a supervisor", |_, world| !world.alive && world.successor.serves && world.to_successor.kept),
    ("the owner gives its lock up for lost", |_, world| !world.alive && world.owner.at == At::Locking && world.has_ended(Who::Owner)),
    ("the owner takes its lock again", |_, world| !world.alive && world.owner.serves && world.successor.life == Life::Dead),
];

#[test]
fn one_fault_leaves_one_that_serves() {
    assert_eq!(search(ONE, MET), None);
}

#[test]
fn two_faults_never_make_two() {
    let lost: Wanted = &[("none is left", |_, world| end_is(world, |end| matches!(end, End::Lost(_))))];
    assert_eq!(search(Setup { faults: 2, cancels: 0, ..ONE }, lost), None);
}

#[test]
fn mistakes_are_found() {
    for (mutant, law) in [
        (Mutant::ChannelEnds, Law::Nobody),
        (Mutant::Avenges, Law::Avenged),
        (Mutant::KillsUnheard, Law::Ready),
        (Mutant::DoesNotLook, Law::Avenged),
        (Mutant::Believes, Law::Untrue),
        (Mutant::FailsWithTheJournal, Law::Ready),
        (Mutant::CommitsEarly, Law::Nobody),
    ] {
        assert_eq!(search(Setup { mutant, ..ONE }, &[]), Some(law), "{mutant:?}");
    }
}
