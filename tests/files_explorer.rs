//! Every order of events that the files of a handoff can meet: the control path and the lock file, processes that start cold, own, heal, hand over,
//! end and are killed, cleaners that remove either name, and a link on the way that is turned to another directory and back.
//!
//! The keeper (`src/handoff/machine/keeper.rs`) is the one that runs in production. What `control.rs` does is cut here as fine as another process
//! could notice: resolve the directory, open, flock, check, look and ask who answers, unlink, bind, look again, listen. Two things are not cut: that the
//! lock and an inode are compared and then a name is unlinked (between these, who may write in the directory can put other files there: POSIX has no
//! other unlink); and that it is looked what lies at the path and who answers there (a link that is turned there and back between). Nor is there the kernel's list of who listens, by which a start finds an owner whose files are gone: where that is to be had, a second
//! owner does not come about at all.
//!
//! What a law needs to be worth anything is a mistake that breaks it: those are `Mutant`.

// covers: F30, LAW-14, LAW-17

#[path = "../src/handoff/machine/mod.rs"]
#[allow(dead_code, missing_docs)]
mod machine;

use std::time::Instant;

use machine::keeper::{Action, Event, Keeper, Loss, Outcome, Place, Seen};
use procsup::clock;
use stateright::{Checker, HasDiscoveries, Model, Property};

const PROCESSES: usize = 3;
/// A file is held by its names and by whoever has it open; more than this are never there at once.
const FILES: usize = 7;
type Pid = usize;
type Ino = u8;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Directory {
    lock: Option<Ino>,
    path: Option<Ino>,
}

/// A lock file, or a socket's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct File {
    /// Who holds the lock, or the socket that is bound to it: a bit for each process.
    holders: u8,
    listens: bool,
}

/// What a process does in its next step, of taking the lock and of binding. `d`: the directory that it has resolved.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Task {
    Nothing,
    Resolve,
    Open {
        d: u8,
    },
    Flock {
        d: u8,
        file: Ino,
    },
    Check {
        d: u8,
        file: Ino,
    },
    Look,
    Leftover,
    Remove {
        left: Option<Ino>,
        alive: bool,
    },
    Bind {
        d: u8,
    },
    Find {
        d: u8,
        file: Ino,
    },
    Confirm {
        d: u8,
        file: Ino,
    },
    /// A successor: is the lock that it received the one that lies there?
    Receive {
        from: Pid,
    },
    /// It is warm; the owner looks once more, and commits.
    Commit {
        from: Pid,
    },
    /// The end in good order.
    Unbind,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Role {
    Out,
    Starting,
    Successor,
    Owner,
    Gone,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Process {
    role: Role,
    task: Task,
    keeper: Keeper,
    lock: Option<Ino>,
    in_hand: Option<Ino>,
    socket: Option<Ino>,
    /// The watch has something, or a step wants a look.
    wants_look: bool,
    /// It has looked since anything has changed.
    has_looked: bool,
    told: Option<Loss>,
    /// A successor is under way: nothing is healed.
    busy: bool,
}

const NOBODY: Process = Process {
    role: Role::Out,
    task: Task::Nothing,
    keeper: Keeper::NEW,
    lock: None,
    in_hand: None,
    socket: None,
    wants_look: false,
    has_looked: false,
    told: None,
    busy: false,
};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct World {
    link: u8,
    directories: [Directory; 2],
    locks: [File; FILES],
    sockets: [File; FILES],
    processes: [Process; PROCESSES],
    cleanings: u8,
    turns: u8,
    kills: u8,
    handoffs: u8,
    starts: u8,
    broken: Option<Law>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Law {
    /// Two own, both have looked, and neither was told.
    Untold,
    /// A file was removed that was not the remover's own, and no leftover.
    Removed,
    /// Once the cleaners rest, an owner is not found at its path, or nobody heals.
    NotFound,
    /// More files than there can be: the model's own.
    Files,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Choice {
    Start(Pid),
    Step(Pid),
    Look(Pid),
    HandOver(Pid),
    End(Pid),
    Kill(Pid),
    CleanLock(u8),
    CleanPath(u8),
    Turn,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mutant {
    None,
    /// Nobody looks whether what he has locked still has the name: not at once, and not when he binds.
    NobodyLooksAtTheLock,
    /// What lies at the path is removed by its name, whatever it is by now.
    RemoveByName,
    /// Nobody is asked whether he answers at the path.
    NoQuestionAtThePath,
    /// The files are made anew though another process holds the lock.
    HealWithoutLock,
    /// A lock that was taken beside somebody who answers is kept.
    KeepsTheLock,
    /// It is not told.
    NotTold,
    /// It looks only once, and not again while something is wrong.
    NeverAgain,
    /// The last generation removes the path by its name.
    UnbindByName,
}

#[derive(Clone, Copy, Debug)]
struct Setup {
    /// The first process is an owner already.
    runs: bool,
    /// So many others may start, or be spawned.
    starts: u8,
    /// The owner has a watch.
    inotify: bool,
    cleanings: u8,
    turns: u8,
    kills: u8,
    handoffs: u8,
    mutant: Mutant,
}

impl World {
    fn bit(p: Pid) -> u8 {
        1 << p
    }

    fn here(&self) -> Directory {
        self.directories[self.link as usize]
    }

    fn runs(&self, p: Pid) -> bool {
        !matches!(self.processes[p].role, Role::Out | Role::Gone)
    }

    fn owns(&self, p: Pid) -> bool {
        self.processes[p].role == Role::Owner
    }

    fn is_idle(&self, p: Pid) -> bool {
        let process = &self.processes[p];
        process.role == Role::Owner && process.task == Task::Nothing && !process.busy
    }

    fn answers(&self, socket: Option<Ino>) -> bool {
        socket.is_some_and(|socket| self.sockets[socket as usize].holders != 0 && self.sockets[socket as usize].listens)
    }

    /// A number that nothing has: none with a name, a holder, or open somewhere.
    fn new_file(&mut self, is_lock: bool) -> Ino {
        let is_used = |ino: Ino| {
            let named = self.directories.iter().any(|d| if is_lock { d.lock == Some(ino) } else { d.path == Some(ino) });
            let open = self.processes.iter().any(|process| match is_lock {
                true => {
                    let opened = matches!(process.task, Task::Flock { file, .. } | Task::Check { file, .. } if file == ino);
                    opened || [process.lock, process.in_hand].contains(&Some(ino))
                }
                false => {
                    let bound = matches!(process.task, Task::Find { file, .. } | Task::Confirm { file, .. } if file == ino);
                    bound || process.socket == Some(ino)
                }
            });
            named || open
        };
        match (0..FILES as u8).find(|ino| !is_used(*ino)) {
            Some(ino) => {
                *(if is_lock { &mut self.locks } else { &mut self.sockets }).get_mut(ino as usize).unwrap() = File::default();
                ino
            }
            None => {
                self.broken = Some(Law::Files);
                0
            }
        }
    }

    /// Files that nothing holds look all the same.
    fn tidy(&mut self) {
        let all = self.locks.iter_mut().chain(&mut self.sockets);
        all.filter(|file| file.holders == 0).for_each(|file| *file = File::default());
    }

    /// Names or the link have changed.
    fn changed(&mut self) {
        self.processes.iter_mut().for_each(|process| process.has_looked = false);
    }

    /// A lock file has lost its name: its holders' watch has something.
    fn lost_lock(&mut self, setup: &Setup, ino: Ino) {
        for process in self.processes.iter_mut().filter(|process| process.lock == Some(ino)) {
            process.wants_look |= setup.inotify;
        }
        self.changed();
    }

    fn lost_socket(&mut self, setup: &Setup, ino: Ino) {
        for process in self.processes.iter_mut().filter(|process| process.socket == Some(ino)) {
            process.wants_look |= setup.inotify;
        }
        self.changed();
    }

    fn let_go_lock(&mut self, p: Pid, lock: Option<Ino>) {
        if let Some(lock) = lock {
            self.locks[lock as usize].holders &= !Self::bit(p);
            self.changed();
        }
    }

    fn let_go_socket(&mut self, p: Pid, socket: Option<Ino>) {
        if let Some(socket) = socket {
            self.sockets[socket as usize].holders &= !Self::bit(p);
            self.changed();
        }
    }

    /// It has ended, and the kernel closes what it had.
    fn end(&mut self, p: Pid) {
        let process = self.processes[p];
        self.let_go_lock(p, process.lock);
        self.let_go_lock(p, process.in_hand);
        self.let_go_socket(p, process.socket);
        if let Task::Check { file, .. } = process.task {
            self.let_go_lock(p, Some(file));
        }
        if let Task::Find { file, .. } | Task::Confirm { file, .. } = process.task {
            self.let_go_socket(p, Some(file));
        }
        self.processes[p] = Process { role: Role::Gone, ..NOBODY };
        // A successor that is left alone promotes itself; an owner that is left alone goes on, and looks first.
        for q in 0..PROCESSES {
            match self.processes[q].task {
                Task::Commit { from } if from == p && self.processes[q].role == Role::Successor => self.succeed(q),
                Task::Receive { from } if from == p => self.end(q),
                _ => {}
            }
        }
        if process.role == Role::Successor
            && let Task::Receive { from } | Task::Commit { from } = process.task
        {
            self.processes[from].busy = false;
            self.processes[from].wants_look = true;
        }
    }

    /// A successor owns from here on; it looks first.
    fn succeed(&mut self, p: Pid) {
        let process = &mut self.processes[p];
        (process.role, process.task, process.wants_look) = (Role::Owner, Task::Nothing, true);
    }

    fn starts(&mut self, p: Pid) {
        self.processes[p] = Process { role: Role::Starting, task: Task::Resolve, ..NOBODY };
    }

    // ---- the keeper ----

    fn feed(&mut self, setup: &Setup, p: Pid, event: Event) {
        let event = match (setup.mutant, event) {
            (Mutant::HealWithoutLock, Event::Locked(Outcome::Held)) => Event::Locked(Outcome::Done),
            (_, event) => event,
        };
        let (keeper, actions) = self.processes[p].keeper.step(event);
        self.processes[p].keeper = keeper;
        self.processes[p].task = Task::Nothing;
        // What another process could notice is never followed by another such action.
        for action in actions.iter() {
            self.act(setup, p, action);
        }
    }

    fn act(&mut self, setup: &Setup, p: Pid, action: Action) {
        match action {
            Action::Look => self.processes[p].task = Task::Look,
            Action::TakeLock => self.processes[p].task = Task::Resolve,
            Action::Bind => self.processes[p].task = Task::Leftover,
            Action::LetGo if setup.mutant == Mutant::KeepsTheLock => self.adopt(p),
            Action::LetGo => {
                let lock = self.processes[p].in_hand.take();
                self.let_go_lock(p, lock);
            }
            Action::Adopt => self.adopt(p),
            Action::Tell(_) if setup.mutant == Mutant::NotTold => {}
            Action::Tell(loss) => self.processes[p].told = loss,
        }
    }

    fn adopt(&mut self, p: Pid) {
        let process = &mut self.processes[p];
        let old = std::mem::replace(&mut process.lock, process.in_hand.take());
        // The watch on the new files begins before the next look.
        process.wants_look = true;
        self.let_go_lock(p, old);
    }

    fn place(name: Option<Ino>, own: Option<Ino>) -> Place {
        match name {
            None => Place::Gone,
            Some(ino) if own == Some(ino) => Place::Own,
            Some(_) => Place::Another,
        }
    }

    // ---- taking the lock, binding ----

    /// The lock under which a process binds.
    fn lock_of(&self, p: Pid) -> Option<Ino> {
        self.processes[p].in_hand.or(self.processes[p].lock)
    }

    fn locked(&mut self, setup: &Setup, p: Pid, outcome: Outcome) {
        match (self.processes[p].role, outcome) {
            (Role::Owner, outcome) => self.feed(setup, p, Event::Locked(outcome)),
            (_, Outcome::Done) => self.processes[p].task = Task::Leftover,
            // Another has it: this start is refused (or becomes a successor, which is another search).
            _ => self.end(p),
        }
    }

    fn bound(&mut self, setup: &Setup, p: Pid, outcome: Outcome) {
        match (self.processes[p].role, outcome) {
            (Role::Owner, outcome) => self.feed(setup, p, Event::Bound(outcome)),
            (_, Outcome::Done) => {
                let process = &mut self.processes[p];
                process.lock = process.in_hand.take();
                (process.role, process.task, process.wants_look) = (Role::Owner, Task::Nothing, true);
            }
            _ => self.end(p),
        }
    }

    fn step(&mut self, setup: &Setup, p: Pid) {
        let me = Self::bit(p);
        match self.processes[p].task {
            Task::Nothing => {
                self.processes[p].wants_look = false;
                self.feed(setup, p, Event::Look);
            }
            Task::Resolve => self.processes[p].task = Task::Open { d: self.link },
            Task::Open { d } => {
                let file = match self.directories[d as usize].lock {
                    Some(file) => file,
                    None => {
                        let file = self.new_file(true);
                        self.directories[d as usize].lock = Some(file);
                        self.changed();
                        file
                    }
                };
                self.processes[p].task = Task::Flock { d, file };
            }
            Task::Flock { d, file } => {
                if self.locks[file as usize].holders != 0 {
                    // Without the lock, and yet in hand.
                    if setup.mutant == Mutant::HealWithoutLock && self.owns(p) {
                        self.processes[p].in_hand = Some(file);
                    }
                    return self.locked(setup, p, Outcome::Held);
                }
                self.locks[file as usize].holders = me;
                self.processes[p].task = Task::Check { d, file };
                self.changed();
            }
            Task::Check { d, file } => {
                if self.directories[d as usize].lock == Some(file) || setup.mutant == Mutant::NobodyLooksAtTheLock {
                    self.processes[p].in_hand = Some(file);
                    return self.locked(setup, p, Outcome::Done);
                }
                self.let_go_lock(p, Some(file));
                self.processes[p].task = Task::Resolve;
            }
            Task::Look => {
                let (lock, socket, here) = (self.lock_of(p), self.processes[p].socket, self.here());
                let seen = Seen { lock: Self::place(here.lock, lock), path: Self::place(here.path, socket) };
                self.processes[p].has_looked = true;
                self.feed(setup, p, Event::Seen(seen));
            }
            Task::Leftover => {
                let left = self.here().path;
                let alive = self.answers(left);
                if alive && setup.mutant != Mutant::NoQuestionAtThePath {
                    return self.bound(setup, p, Outcome::Answered(1));
                }
                self.processes[p].task = Task::Remove { left, alive };
            }
            Task::Remove { left, alive } => {
                let d = self.link;
                if self.directories[d as usize].lock != self.lock_of(p) && setup.mutant != Mutant::NobodyLooksAtTheLock {
                    return self.bound(setup, p, Outcome::Held);
                }
                let there = self.directories[d as usize].path;
                if let Some(file) = there
                    && (there == left || setup.mutant == Mutant::RemoveByName)
                {
                    let is_others = self.sockets[file as usize].holders & !me != 0;
                    if is_others && (there != left || alive) {
                        self.broken = Some(Law::Removed);
                    }
                    self.directories[d as usize].path = None;
                    self.lost_socket(setup, file);
                }
                self.processes[p].task = Task::Bind { d };
            }
            Task::Bind { d } => {
                // By path, whatever was resolved before.
                if self.here().path.is_some() {
                    return self.bound(setup, p, Outcome::Failed(2));
                }
                let file = self.new_file(false);
                self.sockets[file as usize] = File { holders: me, listens: false };
                self.directories[self.link as usize].path = Some(file);
                self.processes[p].task = Task::Find { d, file };
                self.changed();
            }
            Task::Find { d, file } => {
                if self.directories[d as usize].path != Some(file) || self.link != d {
                    self.let_go_socket(p, Some(file));
                    return self.bound(setup, p, Outcome::Held);
                }
                self.processes[p].task = Task::Confirm { d, file };
            }
            Task::Confirm { d, file } => {
                let lock = self.lock_of(p);
                let place = &mut self.directories[d as usize];
                if place.lock != lock && setup.mutant != Mutant::NobodyLooksAtTheLock {
                    if place.path == Some(file) {
                        place.path = None;
                    }
                    self.let_go_socket(p, Some(file));
                    return self.bound(setup, p, Outcome::Held);
                }
                self.sockets[file as usize].listens = true;
                let old = self.processes[p].socket.replace(file);
                self.processes[p].wants_look = true;
                self.let_go_socket(p, old);
                self.bound(setup, p, Outcome::Done);
            }
            Task::Receive { from } => {
                if self.here().lock != self.processes[p].lock {
                    return self.end(p);
                }
                self.processes[p].task = Task::Commit { from };
            }
            Task::Commit { from } => {
                // The watch calls it off, and so does the look at WARM.
                if self.processes[from].wants_look || self.here().lock != self.processes[from].lock {
                    return self.end(p);
                }
                self.succeed(p);
                self.processes[from].busy = false;
                self.end(from);
            }
            Task::Unbind => {
                let here = self.link as usize;
                let Directory { lock, path } = self.directories[here];
                let is_own = path == self.processes[p].socket && lock == self.processes[p].lock;
                if let Some(file) = path
                    && (is_own || setup.mutant == Mutant::UnbindByName)
                {
                    if self.answers(path) && self.sockets[file as usize].holders & !me != 0 {
                        self.broken = Some(Law::Removed);
                    }
                    self.directories[here].path = None;
                    self.lost_socket(setup, file);
                }
                self.end(p);
            }
        }
    }

    fn hand_over(&mut self, p: Pid, to: Pid) {
        let (lock, socket) = (self.processes[p].lock, self.processes[p].socket);
        self.processes[p].busy = true;
        if let (Some(lock), Some(socket)) = (lock, socket) {
            self.locks[lock as usize].holders |= Self::bit(to);
            self.sockets[socket as usize].holders |= Self::bit(to);
        }
        self.processes[to] = Process { role: Role::Successor, task: Task::Receive { from: p }, lock, socket, ..NOBODY };
    }

    // ---- laws ----

    fn check(&mut self, setup: &Setup) {
        self.tidy();
        let quiet = |p: &Pid| {
            let process = &self.processes[*p];
            let knows = if setup.inotify { !process.wants_look } else { process.has_looked };
            self.is_idle(*p) && knows && process.told.is_none()
        };
        if self.broken.is_none() && (0..PROCESSES).filter(quiet).count() > 1 {
            self.broken = Some(Law::Untold);
        }
    }

    /// All go on, and nobody disturbs them any more: what comes of it?
    fn settled(&self, setup: &Setup) -> Option<Law> {
        let mut world = *self;
        // Each of them takes so many steps at the most until it has nothing to do; the clock comes three times, for a chain of three.
        for _ in 0..3 {
            for p in 0..PROCESSES {
                let again = setup.mutant != Mutant::NeverAgain && world.processes[p].keeper.loss().is_some();
                world.processes[p].wants_look |= world.owns(p) && (again || !setup.inotify);
            }
            for _ in 0..60 {
                let goes_on = |p: &Pid| {
                    let process = &world.processes[*p];
                    world.runs(*p) && !process.busy && (process.task != Task::Nothing || process.wants_look)
                };
                let Some(p) = (0..PROCESSES).find(goes_on) else { break };
                world.step(setup, p);
            }
        }
        let owners = || (0..PROCESSES).filter(|p| world.owns(*p));
        let untold = || owners().filter(|p| world.processes[*p].told.is_none());
        let is_found = |p: Pid| {
            let (here, process) = (world.here(), &world.processes[p]);
            let holds = here.lock.is_some_and(|lock| world.locks[lock as usize].holders & Self::bit(p) != 0);
            holds && here.lock == process.lock && here.path == process.socket && world.answers(here.path)
        };
        let well = match owners().count() {
            0 => true,
            1 => untold().count() == 1 && untold().all(is_found),
            _ => untold().count() == 1 && untold().all(is_found),
        };
        if world.broken.is_some() { world.broken } else { (!well).then_some(Law::NotFound) }
    }
}

struct Search {
    setup: Setup,
    wanted: Wanted,
}

impl Model for Search {
    type State = World;
    type Action = Choice;

    fn init_states(&self) -> Vec<World> {
        let Setup { cleanings, turns, kills, handoffs, starts, .. } = self.setup;
        let (directories, files) = ([Directory::default(); 2], [File::default(); FILES]);
        let processes = [NOBODY; PROCESSES];
        let (locks, sockets) = (files, files);
        let mut world = World { link: 0, directories, locks, sockets, processes, cleanings, turns, kills, handoffs, starts, broken: None };
        world.starts(0);
        while self.setup.runs && (!world.is_idle(0) || world.processes[0].wants_look) {
            world.step(&self.setup, 0);
        }
        vec![world]
    }

    fn actions(&self, world: &World, out: &mut Vec<Choice>) {
        if world.broken.is_some() {
            return;
        }
        for p in 0..PROCESSES {
            let process = &world.processes[p];
            match process.role {
                // The later ones alike: the first of them that has not come.
                Role::Out if world.starts > 0 && world.processes[p - 1].role != Role::Out => out.push(Choice::Start(p)),
                Role::Out | Role::Gone => continue,
                _ => {}
            }
            if process.task != Task::Nothing {
                out.push(Choice::Step(p));
            }
            if world.is_idle(p) {
                let again = process.keeper.loss().is_some() && self.setup.mutant != Mutant::NeverAgain;
                if process.wants_look || again || (!self.setup.inotify && !process.has_looked) {
                    out.push(Choice::Look(p));
                }
                // Whoever begins looks first.
                let is_free = world.starts > 0 && world.processes.iter().any(|process| process.role == Role::Out);
                let has_looked = process.has_looked && !process.wants_look && process.keeper.holds_lock();
                if world.handoffs > 0 && is_free && has_looked {
                    out.push(Choice::HandOver(p));
                }
                if world.kills > 0 {
                    out.push(Choice::End(p));
                }
            }
            if world.runs(p) && world.kills > 0 {
                out.push(Choice::Kill(p));
            }
        }
        for d in 0..2 {
            if world.cleanings > 0 && world.directories[d as usize].lock.is_some() {
                out.push(Choice::CleanLock(d));
            }
            if world.cleanings > 0 && world.directories[d as usize].path.is_some() {
                out.push(Choice::CleanPath(d));
            }
        }
        if world.turns > 0 {
            out.push(Choice::Turn);
        }
    }

    fn next_state(&self, last: &World, choice: Choice) -> Option<World> {
        let (mut world, setup) = (*last, &self.setup);
        match choice {
            Choice::Start(p) => {
                world.starts -= 1;
                world.starts(p);
            }
            Choice::Step(p) | Choice::Look(p) => world.step(setup, p),
            Choice::HandOver(p) => {
                let to = world.processes.iter().position(|process| process.role == Role::Out)?;
                (world.handoffs, world.starts) = (world.handoffs - 1, world.starts - 1);
                world.hand_over(p, to);
            }
            Choice::End(p) => {
                world.kills -= 1;
                world.processes[p].task = Task::Unbind;
            }
            Choice::Kill(p) => {
                world.kills -= 1;
                world.end(p);
            }
            Choice::CleanLock(d) => {
                world.cleanings -= 1;
                let file = world.directories[d as usize].lock.take()?;
                world.lost_lock(setup, file);
            }
            Choice::CleanPath(d) => {
                world.cleanings -= 1;
                let file = world.directories[d as usize].path.take()?;
                world.lost_socket(setup, file);
            }
            Choice::Turn => {
                world.turns -= 1;
                world.link ^= 1;
                for p in 0..PROCESSES {
                    world.processes[p].wants_look |= setup.inotify && world.owns(p);
                }
                world.changed();
            }
        }
        world.check(setup);
        if world.broken.is_none() {
            world.broken = world.settled(setup);
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let law = Property::always("the laws hold", |_: &Search, world: &World| world.broken.is_none());
        let wanted = self.wanted.iter().map(|(name, reached)| Property::sometimes(name, *reached));
        std::iter::once(law).chain(wanted).collect()
    }
}

/// Searches all of it, or until a law is broken; says how far it was, and how the law was broken.
fn search(setup: Setup, wanted: Wanted) -> Option<Law> {
    let began = Instant::now();
    // One thread finds the same mistake each time.
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
    let broken = path.last_state().broken;
    println!("  broken: {broken:?}");
    let choices: Vec<String> = path.into_actions().iter().map(|choice| format!("{choice:?}")).collect();
    println!("    {}", choices.join(" "));
    broken
}

type Wanted = &'static [(&'static str, fn(&Search, &World) -> bool)];

fn told(world: &World, loss: Option<Loss>) -> impl Iterator<Item = Pid> + '_ {
    (0..PROCESSES).filter(move |p| world.owns(*p) && world.processes[*p].told == loss)
}

const TWO_OWN: Wanted = &[
    ("an owner is told that it is alone no more", |_, world| told(world, Some(Loss::Another)).next().is_some()),
    ("two own, and one of them knows it", |_, world| told(world, None).count() == 1 && told(world, Some(Loss::Another)).count() == 1),
    ("both files were made anew", |search, world| {
        let (here, process) = (world.here(), world.processes[0]);
        let anew = world.cleanings + 2 <= search.setup.cleanings && here.lock.is_some() && world.answers(here.path);
        anew && here == Directory { lock: process.lock, path: process.socket } && world.is_idle(0)
    }),
];

const TURNED: Wanted = &[("an owner is found where the link leads now", |_, world| {
    let (here, process) = (world.here(), world.processes[0]);
    world.link == 1 && here == Directory { lock: process.lock, path: process.socket } && world.answers(here.path)
})];

const FOLLOWED: Wanted = &[
    ("a successor owns", |_, world| world.owns(1) && world.processes[0].role == Role::Gone && world.handoffs == 0),
    ("a start owns beside a successor", |_, world| world.owns(1) && world.owns(2)),
];

/// One owner that runs, another process that starts, and three removals.
const CLEANED: Setup = Setup { runs: true, inotify: true, starts: 1, cleanings: 3, turns: 0, kills: 0, handoffs: 0, mutant: Mutant::None };

#[test]
fn f30_cleaners_take_files_of_an_owner_that_watches_them() {
    assert_eq!(search(CLEANED, TWO_OWN), None);
}

#[test]
fn f30_cleaners_take_files_of_an_owner_that_looks_at_each_step() {
    assert_eq!(search(Setup { inotify: false, ..CLEANED }, TWO_OWN), None);
}

#[test]
fn f30_a_link_is_turned_and_back() {
    for inotify in [true, false] {
        assert_eq!(search(Setup { inotify, cleanings: 1, turns: 2, ..CLEANED }, TURNED), None);
    }
}

#[test]
fn f30_processes_that_start_at_once_meet_cleaners_and_kills() {
    assert_eq!(search(Setup { runs: false, cleanings: 2, kills: 1, ..CLEANED }, &[]), None);
}

#[test]
fn f30_files_are_taken_while_a_successor_comes() {
    for inotify in [true, false] {
        assert_eq!(search(Setup { inotify, starts: 2, cleanings: 2, handoffs: 1, ..CLEANED }, FOLLOWED), None);
    }
}

/// Three processes, and everything at once: minutes. `cargo test --release --test files_explorer -- --ignored --nocapture`
#[test]
#[ignore = "minutes"]
fn f30_wide() {
    for inotify in [true, false] {
        let all = Setup { inotify, starts: 2, ..CLEANED };
        assert_eq!(search(Setup { kills: 1, ..all }, TWO_OWN), None);
        assert_eq!(search(Setup { runs: false, cleanings: 2, kills: 2, ..all }, &[]), None);
        assert_eq!(search(Setup { cleanings: 2, turns: 2, kills: 1, ..all }, TURNED), None);
        assert_eq!(search(Setup { cleanings: 2, turns: 1, kills: 1, handoffs: 1, ..all }, FOLLOWED), None);
    }
}

#[test]
fn f30_mistakes_are_found() {
    let left = Setup { runs: false, starts: 2, cleanings: 1, kills: 1, ..CLEANED };
    for (mutant, setup, law) in [
        (Mutant::NobodyLooksAtTheLock, left, Law::NotFound),
        (Mutant::RemoveByName, Setup { cleanings: 1, ..left }, Law::Removed),
        (Mutant::NoQuestionAtThePath, CLEANED, Law::Removed),
        (Mutant::HealWithoutLock, CLEANED, Law::NotFound),
        (Mutant::KeepsTheLock, CLEANED, Law::NotFound),
        (Mutant::NotTold, CLEANED, Law::NotFound),
        (Mutant::NeverAgain, CLEANED, Law::NotFound),
        (Mutant::UnbindByName, Setup { kills: 1, ..CLEANED }, Law::Removed),
    ] {
        assert_eq!(search(Setup { mutant, ..setup }, &[]), Some(law), "{mutant:?}");
    }
}
