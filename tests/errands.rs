//! What a supervisor does for the rooms above it: errands, that have their turns within its looks.

#![deny(unsafe_code)]

mod common;

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::Instant;

use common::*;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use procsup::clock::{Deadline, MILLI};
use procsup::errands::{Errand, ErrandId, Host, MAX_FDS, Shortcut, Wants, default_host};
use procsup::{EventKind, Status, Supervisor};

type Turn = Box<dyn FnMut(&Fake, i64) -> Option<Wants> + Send>;

/// An errand that does as it is told, and counts.
struct Fake {
    turn: Mutex<Turn>,
    turns: AtomicUsize,
    called_off: AtomicUsize,
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fake")
    }
}

impl Errand for Fake {
    fn turn(&self, now: i64) -> Option<Wants> {
        self.turns.fetch_add(1, Ordering::SeqCst);
        // Not waited for: a second turn at once would be a fault, and is found as one.
        let mut turn = self.turn.try_lock().expect("one turn at a time");
        (*turn)(self, now)
    }

    fn called_off(&self) {
        assert!(self.turn.try_lock().is_ok_and(|_| true) || self.turn.is_poisoned(), "called off in its turn");
        self.called_off.fetch_add(1, Ordering::SeqCst);
    }
}

impl Fake {
    fn new(turn: impl FnMut(&Fake, i64) -> Option<Wants> + Send + 'static) -> Arc<Self> {
        Arc::new(Self { turn: Mutex::new(Box::new(turn)), turns: AtomicUsize::new(0), called_off: AtomicUsize::new(0) })
    }

    fn turns(&self) -> usize {
        self.turns.load(Ordering::SeqCst)
    }

    fn called_off(&self) -> usize {
        self.called_off.load(Ordering::SeqCst)
    }
}

fn nothing() -> Option<Wants> {
    Some(Wants { fds: Vec::new(), due: Deadline::NEVER })
}

fn read_of(fd: &Arc<OwnedFd>) -> Option<Wants> {
    Some(Wants { fds: vec![(fd.clone(), false)], due: Deadline::NEVER })
}

/// A non-blocking pipe: (read, write).
fn pair() -> (Arc<OwnedFd>, OwnedFd) {
    let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC | nix::fcntl::OFlag::O_NONBLOCK).unwrap();
    (Arc::new(read), write)
}

/// Reads what is there.
fn drained(fd: &OwnedFd) -> usize {
    let (mut all, mut buffer) = (0, [0; 512]);
    while let Ok(count @ 1..) = nix::unistd::read(fd, &mut buffer) {
        all += count;
    }
    all
}

/// Reads its pipe, and is over when it has read so much.
fn reader(fd: &Arc<OwnedFd>, all: usize) -> Arc<Fake> {
    let (fd, mut left) = (fd.clone(), all);
    Fake::new(move |_, _| {
        left = left.saturating_sub(drained(&fd));
        if left == 0 { None } else { read_of(&fd) }
    })
}

fn by(ms: i64) -> Deadline {
    Deadline::after(ms * MILLI)
}

fn drive(host: &Host, what: &str, done: impl Fn() -> bool) {
    assert!(host.drive(by(patience()), &done).unwrap(), "never came true: {what}");
}

// ---- turns -------------------------------------------------------------------------------------------------------------

#[test]
fn its_first_turn_is_at_once_and_may_be_its_last() {
    let supervisor = Supervisor::new().unwrap();
    let errand = Fake::new(|_, _| None);
    let id = supervisor.host().run(errand.clone()).unwrap();
    assert_eq!((errand.turns(), supervisor.host().runs(id)), (1, false));
    supervisor.host().poke(id);
    assert_eq!(errand.turns(), 1, "one that is over has no more turns");
    assert_eq!(Arc::strong_count(&errand), 1, "and is let go");
    drop(supervisor);
    assert_eq!(errand.called_off(), 0, "it was over");
}

// covers: C14-1
#[test]
fn what_it_wants_to_read_moves_it_along_in_next_event() {
    let supervisor = Supervisor::new().unwrap();
    let (read, write) = pair();
    let errand = reader(&read, 2);
    let id = supervisor.host().run(errand.clone()).unwrap();
    supervisor.next_event(0).unwrap();
    assert_eq!(errand.turns(), 1, "nothing came");
    for _ in 0..2 {
        nix::unistd::write(&write, b"x").unwrap();
        assert!(supervisor.next_event(0).unwrap().is_none());
    }
    assert!(!supervisor.host().runs(id));
    assert_eq!(errand.turns(), 3);
    assert_eq!(Arc::strong_count(&read), 2, "only the errand's own");
}

// covers: C14-1
#[test]
fn who_waits_for_a_child_moves_it_along() {
    let supervisor = Supervisor::new().unwrap();
    let (child, other) = (supervisor.spawn(&pausing(), 0).unwrap(), supervisor.spawn(&pausing(), 0).unwrap());
    let (read, write) = pair();
    let (killed, read_there) = (child.clone(), read.clone());
    let errand = Fake::new(move |_, _| {
        if drained(&read_there) == 0 {
            return read_of(&read_there);
        }
        killed.signal(9).unwrap();
        None
    });
    supervisor.host().run(errand.clone()).unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| child.reap(patience()));
        nix::unistd::write(&write, b"x").unwrap();
        assert_eq!(waiter.join().unwrap().unwrap().signal, 9);
    });
    assert_eq!(errand.turns(), 2);
    other.terminate(0).unwrap();
}

// covers: C14-1
#[test]
fn it_moves_in_the_hosts_own_loop_edge_triggered() {
    let supervisor = Supervisor::new().unwrap();
    let set = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
    let edge = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
    set.add(supervisor.fd().unwrap(), EpollEvent::new(edge, 0)).unwrap();
    let rings = |ms: i64| set.wait(&mut [EpollEvent::empty()], EpollTimeout::try_from(ms).unwrap()).unwrap() == 1;
    let quiet = || {
        while rings(0) {}
        assert!(supervisor.next_event(0).unwrap().is_none());
        while rings(0) {
            assert!(supervisor.next_event(0).unwrap().is_none());
        }
    };
    let (read, write) = pair();
    let lazy = Arc::new(AtomicBool::new(false));
    let (lazy_there, read_there) = (lazy.clone(), read.clone());
    let errand = Fake::new(move |_, _| {
        if !lazy_there.load(Ordering::SeqCst) {
            drained(&read_there);
        }
        read_of(&read_there)
    });
    let id = supervisor.host().run(errand.clone()).unwrap();
    for round in 0..3 {
        quiet();
        let before = errand.turns();
        nix::unistd::write(&write, b"x").unwrap();
        assert!(rings(patience()), "an edge for what it wants, round {round}");
        quiet();
        assert!(errand.turns() > before);
    }
    // It leaves what it was told of: that is looked at again, and each look has an edge before it.
    lazy.store(true, Ordering::SeqCst);
    nix::unistd::write(&write, b"x").unwrap();
    for _ in 0..15 {
        let before = errand.turns();
        until("another turn", || {
            if rings(patience()) {
                assert!(supervisor.next_event(0).unwrap().is_none());
            }
            errand.turns() > before
        });
    }
    lazy.store(false, Ordering::SeqCst);
    supervisor.host().poke(id);
    // And its time.
    quiet();
    let other =
        Fake::new(|fake, now| if fake.turns() == 1 { Some(Wants { fds: Vec::new(), due: Deadline::at(now + MILLI) }) } else { None });
    supervisor.host().run(other.clone()).unwrap();
    until("its time", || {
        assert!(rings(patience()));
        assert!(supervisor.next_event(0).unwrap().is_none());
        other.turns() == 2
    });
}

// covers: C14-1, LAW-17
#[test]
fn one_that_leaves_what_it_was_told_of_keeps_nobody_awake() {
    let supervisor = Supervisor::new().unwrap();
    let (read, write) = pair();
    nix::unistd::write(&write, b"x").unwrap();
    let (read_there, began) = (read.clone(), Instant::now());
    let errand = Fake::new(move |_, _| read_of(&read_there));
    supervisor.host().run(errand.clone()).unwrap();
    assert!(!supervisor.host().drive(by(300), &|| false).unwrap());
    let most = 20 + began.elapsed().as_millis() as usize / 5;
    assert!((2..most).contains(&errand.turns()), "{} turns", errand.turns());
    // The same for one whose other end is gone.
    drop(write);
    let before = (errand.turns(), Instant::now());
    assert!(supervisor.next_event(200).unwrap().is_none());
    let most = 20 + before.1.elapsed().as_millis() as usize / 5;
    assert!(errand.turns() - before.0 < most, "{} turns", errand.turns() - before.0);
}

#[test]
fn room_to_write_is_told_of() {
    let supervisor = Supervisor::new().unwrap();
    let (read, write) = pair();
    let write = Arc::new(write);
    while nix::unistd::write(&write, &[0; 4096]).is_ok() {}
    let write_there = write.clone();
    let errand = Fake::new(move |fake, _| {
        let room = nix::unistd::write(&write_there, &[0; 4096]).is_ok();
        assert_eq!(room, fake.turns() > 1);
        (!room).then(|| Wants { fds: vec![(write_there.clone(), true)], due: Deadline::NEVER })
    });
    let id = supervisor.host().run(errand.clone()).unwrap();
    supervisor.next_event(0).unwrap();
    assert_eq!(errand.turns(), 1);
    drained(&read);
    supervisor.next_event(0).unwrap();
    assert!(!supervisor.host().runs(id));
}

#[test]
fn what_it_watches_changes_from_turn_to_turn() {
    let supervisor = Supervisor::new().unwrap();
    let pairs: Vec<_> = (0..20).map(|_| pair()).collect();
    let reads: Vec<_> = pairs.iter().map(|(read, _)| read.clone()).collect();
    // A window of five of them that moves by one each time.
    let errand = Fake::new(move |fake, _| {
        let at = fake.turns() - 1;
        if at > 0 {
            assert_eq!(drained(&reads[at - 1]), 1, "turn {at}");
        }
        let fds: Vec<_> = reads.iter().skip(at).take(5).map(|fd| (fd.clone(), false)).collect();
        (!fds.is_empty()).then_some(Wants { fds, due: Deadline::NEVER })
    });
    let id = supervisor.host().run(errand.clone()).unwrap();
    for (_, write) in &pairs {
        assert!(supervisor.host().runs(id));
        nix::unistd::write(write, b"x").unwrap();
        supervisor.next_event(0).unwrap();
    }
    assert!(!supervisor.host().runs(id));
    assert!(pairs.iter().all(|(read, _)| Arc::strong_count(read) == 2), "nothing is watched any more");
}

#[test]
fn descriptors_beyond_the_bound_and_those_that_cannot_be_watched_are_looked_at_from_time_to_time() {
    let supervisor = Supervisor::new().unwrap();
    let pairs: Vec<_> = (0..MAX_FDS + 4).map(|_| pair()).collect();
    let reads: Vec<_> = pairs.iter().map(|(read, _)| read.clone()).collect();
    let errand = Fake::new(move |_, _| {
        let fds: Vec<_> = reads.iter().map(|fd| (fd.clone(), false)).collect();
        let last = fds.last().unwrap();
        if drained(&last.0) > 0 { None } else { Some(Wants { fds, due: Deadline::NEVER }) }
    });
    supervisor.host().run(errand.clone()).unwrap();
    nix::unistd::write(&pairs.last().unwrap().1, b"x").unwrap();
    drive(&supervisor.host(), "the last of too many", || Arc::strong_count(&errand) == 1);
    // A file is always ready, and no set takes it.
    let file = Arc::new(OwnedFd::from(tempfile::tempfile().unwrap()));
    let errand = Fake::new(move |fake, _| if fake.turns() == 5 { None } else { read_of(&file) });
    supervisor.host().run(errand.clone()).unwrap();
    drive(&supervisor.host(), "a file", || Arc::strong_count(&errand) == 1);
}

#[test]
fn two_errands_may_watch_one_descriptor() {
    let supervisor = Supervisor::new().unwrap();
    let (read, write) = pair();
    let count = Arc::new(AtomicUsize::new(0));
    let errands = [(); 3].map(|()| {
        let (read, count) = (read.clone(), count.clone());
        Fake::new(move |fake, _| {
            if fake.turns() == 1 {
                return read_of(&read);
            }
            count.fetch_add(1, Ordering::SeqCst);
            None
        })
    });
    for errand in &errands {
        supervisor.host().run(errand.clone()).unwrap();
    }
    nix::unistd::write(&write, b"x").unwrap();
    supervisor.next_event(0).unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 3, "at the first look");
}

#[test]
fn a_time_is_a_turn() {
    let supervisor = Supervisor::new().unwrap();
    let errand = Fake::new(|fake, now| {
        if fake.turns() == 4 {
            return None;
        }
        Some(Wants { fds: Vec::new(), due: Deadline::at(now + MILLI) })
    });
    let id = supervisor.host().run(errand.clone()).unwrap();
    while supervisor.host().runs(id) {
        supervisor.next_event(10).unwrap();
    }
    assert_eq!(errand.turns(), 4);
}

// ---- pokes -------------------------------------------------------------------------------------------------------------

#[test]
fn a_poke_is_a_turn_here_and_now() {
    let supervisor = Supervisor::new().unwrap();
    let errand = Fake::new(|fake, _| if fake.turns() == 3 { None } else { nothing() });
    let id = supervisor.host().run(errand.clone()).unwrap();
    supervisor.host().poke(id);
    assert_eq!(errand.turns(), 2);
    let host = supervisor.host();
    std::thread::spawn(move || host.poke(id)).join().unwrap();
    assert_eq!(errand.turns(), 3);
    assert!(!supervisor.host().runs(id));
}

#[test]
fn a_poke_in_its_own_turn_is_one_turn_more_and_no_loop() {
    let supervisor = Supervisor::new().unwrap();
    let id: Arc<OnceLock<ErrandId>> = Arc::default();
    let (host, id_there) = (supervisor.host(), id.clone());
    let errand = Fake::new(move |fake, _| {
        if let Some(id) = id_there.get().filter(|_| fake.turns() < 100) {
            host.poke(*id);
            host.poke(*id);
        }
        nothing()
    });
    id.set(supervisor.host().run(errand.clone()).unwrap()).unwrap();
    supervisor.host().poke(*id.get().unwrap());
    assert!((2..20).contains(&errand.turns()), "{} turns at one poke", errand.turns());
    drive(&supervisor.host(), "all the others come in later looks", || errand.turns() == 100);
    assert!(!supervisor.host().drive(by(20), &|| errand.turns() != 100).unwrap());
    drop(supervisor);
    assert_eq!(errand.called_off(), 1);
}

// covers: LAW-17
#[test]
fn a_chain_of_pokes_is_no_chain_of_frames() {
    let supervisor = Supervisor::new().unwrap();
    let depth = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let ids: Arc<Mutex<Vec<ErrandId>>> = Arc::default();
    let all: Vec<_> = (0..500)
        .map(|index| {
            let (host, them, depth) = (supervisor.host(), ids.clone(), depth.clone());
            let errand = Fake::new(move |fake, _| {
                let now = depth.0.fetch_add(1, Ordering::SeqCst) + 1;
                depth.1.fetch_max(now, Ordering::SeqCst);
                if fake.turns() == 2
                    && let Some(next) = { them.lock().unwrap().get(index + 1).copied() }
                {
                    host.poke(next);
                    // What looks after others in passing does not do so here.
                    procsup::live_count();
                }
                depth.0.fetch_sub(1, Ordering::SeqCst);
                nothing()
            });
            let id = supervisor.host().run(errand.clone()).unwrap();
            ids.lock().unwrap().push(id);
            errand
        })
        .collect();
    let first = ids.lock().unwrap()[0];
    supervisor.host().poke(first);
    drive(&supervisor.host(), "the last of the chain", || all.last().unwrap().turns() == 2);
    assert_eq!(depth.1.load(Ordering::SeqCst), 1);
}

#[test]
fn a_turn_may_run_another_poke_another_host_and_spawn() {
    let (one, other) = (Supervisor::new().unwrap(), Supervisor::new().unwrap());
    let poked = Fake::new(|_, _| nothing());
    let id = other.host().run(poked.clone()).unwrap();
    let (host, there) = (one.host(), other.host());
    let supervisor = Arc::new(one);
    let spawner = Arc::downgrade(&supervisor);
    let errand = Fake::new(move |_, _| {
        let inner = Fake::new(|_, _| None);
        host.run(inner.clone()).unwrap();
        assert_eq!(inner.turns(), 1);
        there.poke(id);
        spawner.upgrade().unwrap().spawn(&command("true", &[]), 0).unwrap();
        assert_eq!(host.drive(Deadline::NEVER, &|| false).unwrap_err().status, Status::Internal, "a turn never waits");
        None
    });
    supervisor.host().run(errand.clone()).unwrap();
    assert_eq!(supervisor.next_event(patience()).unwrap().unwrap().kind(), EventKind::Started);
    assert_eq!(supervisor.next_event(patience()).unwrap().unwrap().kind(), EventKind::Exited);
    until("the other host's", || {
        other.next_event(0).unwrap();
        poked.turns() == 2
    });
}

// ---- threads -----------------------------------------------------------------------------------------------------------

#[test]
fn of_many_threads_one_turns_it_and_no_byte_is_left() {
    let supervisor = Supervisor::new().unwrap();
    let (read, write) = pair();
    let total = Arc::new(AtomicUsize::new(0));
    let (read_there, total_there) = (read.clone(), total.clone());
    // `Fake` itself notices two turns at once.
    let errand = Fake::new(move |_, _| {
        total_there.fetch_add(drained(&read_there), Ordering::SeqCst);
        read_of(&read_there)
    });
    let id = supervisor.host().run(errand.clone()).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _stop = Stop(&stop);
        for _ in 0..3 {
            scope.spawn(|| supervisor.host().drive(by(patience()), &|| stop.load(Ordering::Relaxed)).unwrap());
        }
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                supervisor.host().poke(id);
                supervisor.next_event(1).unwrap();
            }
        });
        for count in 1..=500 {
            nix::unistd::write(&write, b"x").unwrap();
            if count % 50 == 0 {
                until("all is read", || total.load(Ordering::SeqCst) == count);
            }
        }
        stop.store(true, Ordering::Relaxed);
        supervisor.host().rouse();
    });
}

#[test]
fn what_comes_during_its_turn_is_one_turn_more() {
    let supervisor = Supervisor::new().unwrap();
    let (in_turn, hears) = mpsc::channel();
    let (go_on, waits) = mpsc::channel();
    let errand = Fake::new(move |fake, _| {
        if fake.turns() == 2 {
            in_turn.send(()).unwrap();
            waits.recv().unwrap();
        }
        nothing()
    });
    let id = supervisor.host().run(errand.clone()).unwrap();
    std::thread::scope(|scope| {
        let poker = scope.spawn(|| supervisor.host().poke(id));
        hears.recv().unwrap();
        supervisor.host().poke(id);
        assert_eq!(errand.turns(), 2, "not by two at once");
        go_on.send(()).unwrap();
        poker.join().unwrap();
    });
    assert_eq!(errand.turns(), 3);
}

// covers: C14-1
#[test]
fn a_drive_hears_of_every_turn_of_another_thread() {
    let supervisor = Supervisor::new().unwrap();
    let errand = Fake::new(|_, _| nothing());
    let id = supervisor.host().run(errand.clone()).unwrap();
    for turns in 2..40 {
        let (host, began) = (supervisor.host(), Instant::now());
        std::thread::scope(|scope| {
            let driver = scope.spawn(|| supervisor.host().drive(by(patience()), &|| errand.turns() == turns).unwrap());
            // The last ones find it asleep.
            let _ = nix::poll::poll(&mut [], nix::poll::PollTimeout::from(turns as u8 / 8));
            host.poke(id);
            assert!(driver.join().unwrap());
        });
        assert!(began.elapsed() < at_once());
    }
}

/// Speaks at one after the other; what it says at the first leads to nothing.
struct Speaker {
    sockets: [Arc<OwnedFd>; 2],
    taken: AtomicUsize,
}

impl Shortcut for Speaker {
    fn socket(&self) -> Option<Arc<OwnedFd>> {
        self.sockets.get(self.taken.load(Ordering::SeqCst)).cloned()
    }

    fn take(&self) -> bool {
        self.taken.fetch_add(1, Ordering::SeqCst) > 0
    }
}

// covers: C14-1
#[test]
fn a_drive_hears_the_next_socket_after_one_that_led_to_nothing() {
    let supervisor = Supervisor::new().unwrap();
    let ends = [pair(), pair()];
    for (_, write) in &ends {
        nix::unistd::write(write, b"x").unwrap();
    }
    let speaker = Speaker { sockets: [ends[0].0.clone(), ends[1].0.clone()], taken: AtomicUsize::new(0) };
    let done = || speaker.taken.load(Ordering::SeqCst) == 2;
    assert!(supervisor.host().drive_by(by(patience()), &done, &speaker).unwrap());
}

// covers: C14-1
#[test]
fn a_drive_ends_when_another_thread_has_finished_the_errand() {
    let supervisor = Supervisor::new().unwrap();
    for _ in 0..50 {
        let errand = Fake::new(|fake, _| if fake.turns() == 2 { None } else { nothing() });
        let id = supervisor.host().run(errand.clone()).unwrap();
        let (host, began) = (supervisor.host(), Instant::now());
        std::thread::scope(|scope| {
            let driver = scope.spawn(|| supervisor.host().drive(Deadline::NEVER, &|| errand.turns() == 2).unwrap());
            std::thread::yield_now();
            host.poke(id);
            assert!(driver.join().unwrap());
        });
        assert!(began.elapsed() < at_once());
    }
}

#[test]
fn a_drive_looks_after_children_and_takes_no_events() {
    let supervisor = Supervisor::new().unwrap();
    supervisor.set_max_running(1).unwrap();
    let children: Vec<_> = (0..3).map(|_| supervisor.spawn(&command("true", &[]), 0).unwrap()).collect();
    let counts = || supervisor.counts().unwrap() == (0, 0, 0);
    drive(&supervisor.host(), "all three, one after the other", counts);
    assert!(children.iter().all(|child| child.state().unwrap() == procsup::State::Exited));
    let mut kinds = Vec::new();
    while let Some(event) = supervisor.next_event(0).unwrap() {
        kinds.push(event.kind());
    }
    assert_eq!(kinds.len(), 6, "{kinds:?}");
    // Its deadline.
    assert!(!supervisor.host().drive(Deadline::PAST, &|| false).unwrap());
    assert!(supervisor.host().drive(Deadline::PAST, &|| true).unwrap());
}

// ---- the end -----------------------------------------------------------------------------------------------------------

#[test]
fn a_host_that_is_closed_calls_off_what_runs_once() {
    let supervisor = Supervisor::new().unwrap();
    let host = supervisor.host();
    let (read, _write) = pair();
    let errand = reader(&read, 1);
    let id = host.run(errand.clone()).unwrap();
    std::thread::scope(|scope| {
        let driver = scope.spawn(|| host.drive(Deadline::NEVER, &|| false));
        supervisor.close();
        assert_eq!(driver.join().unwrap().unwrap_err().status, Status::Shutdown);
    });
    assert_eq!(errand.called_off(), 1);
    assert!(!host.runs(id));
    assert_eq!((Arc::strong_count(&errand), Arc::strong_count(&read)), (1, 2), "neither is held");
    let turns = errand.turns();
    host.poke(id);
    assert_eq!(errand.turns(), turns);
    assert_eq!(host.run(reader(&read, 1)).unwrap_err().status, Status::Shutdown);
    drop(supervisor);
    assert_eq!(errand.called_off(), 1);
}

#[test]
fn one_that_has_its_turn_when_its_host_is_closed_is_called_off_after_it() {
    for over in [false, true] {
        let supervisor = Supervisor::new().unwrap();
        let host = supervisor.host();
        let (in_turn, hears) = mpsc::channel();
        let (go_on, waits) = mpsc::channel();
        let (read, _write) = pair();
        let errand = Fake::new(move |fake, _| {
            if fake.turns() == 2 {
                in_turn.send(()).unwrap();
                waits.recv().unwrap();
            }
            if over && fake.turns() == 2 { None } else { read_of(&read) }
        });
        let id = host.run(errand.clone()).unwrap();
        std::thread::scope(|scope| {
            let poker = scope.spawn(|| host.poke(id));
            hears.recv().unwrap();
            supervisor.close();
            assert_eq!(errand.called_off(), 0, "not during its turn");
            go_on.send(()).unwrap();
            poker.join().unwrap();
        });
        assert_eq!(errand.called_off(), usize::from(!over));
        assert_eq!(errand.turns(), 2);
        assert_eq!(Arc::strong_count(&errand), 1);
    }
}

#[test]
fn a_turn_may_close_its_own_host() {
    let supervisor = Arc::new(Supervisor::new().unwrap());
    let there = Arc::downgrade(&supervisor);
    let errand = Fake::new(move |_, _| {
        there.upgrade().unwrap().close();
        nothing()
    });
    supervisor.host().run(errand.clone()).unwrap();
    assert_eq!((errand.turns(), errand.called_off()), (1, 1));
}

// covers: LAW-5
#[test]
fn one_that_panics_is_called_off_and_its_host_goes_on() {
    let supervisor = Supervisor::new().unwrap();
    let errand = Fake::new(|fake, _| {
        assert!(fake.turns() != 2, "as planned");
        nothing()
    });
    let id = supervisor.host().run(errand.clone()).unwrap();
    let host = supervisor.host();
    std::thread::spawn(move || host.poke(id)).join().unwrap_err();
    assert_eq!((errand.called_off(), supervisor.host().runs(id)), (1, false));
    let other = Fake::new(|fake, _| if fake.turns() == 2 { None } else { nothing() });
    let id = supervisor.host().run(other.clone()).unwrap();
    supervisor.host().poke(id);
    assert_eq!(other.turns(), 2);
}

/// Takes all descriptors that are left to this process.
fn take_all_descriptors() -> Vec<OwnedFd> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 256, hard).unwrap();
    let (read, write) = pair();
    let copies: Vec<OwnedFd> = std::iter::from_fn(|| read.try_clone().ok()).collect();
    copies.into_iter().chain([write, Arc::into_inner(read).unwrap()]).collect()
}

// covers: LAW-17
#[test]
fn without_descriptors_it_is_looked_at_from_time_to_time() {
    // In a copy, for the limit is the process's.
    in_forked_copy(|| {
        let (supervisor, other) = (Supervisor::new().unwrap(), Supervisor::new().unwrap());
        let (read, write) = pair();
        let errands = [(); 3].map(|()| {
            let read = read.clone();
            Fake::new(move |_, _| if is_readable(&read, 0) { None } else { read_of(&read) })
        });
        let host = supervisor.host();
        host.run(errands[0].clone()).unwrap();
        let all = take_all_descriptors();
        assert!(!all.is_empty());
        // They need a duplicate of what the first one watches.
        host.run(errands[1].clone()).unwrap();
        host.run(errands[2].clone()).unwrap();
        nix::unistd::write(&write, b"x").unwrap();
        // And who drives has nothing to be rung by.
        drive(&host, "each its turn", || errands.iter().all(|errand| Arc::strong_count(errand) == 1));
        // One that cannot have its times is refused, and not held.
        let errand = Fake::new(|_, _| None);
        assert_eq!(other.host().run(errand.clone()).unwrap_err().status, Status::Limit);
        assert_eq!((errand.turns(), Arc::strong_count(&errand)), (0, 1));
    });
}

// ---- the default host, and copies --------------------------------------------------------------------------------------

#[test]
fn the_default_host_moves_it_along_in_passing_and_in_waits() {
    let host = default_host().unwrap();
    let (read, write) = pair();
    let errand = reader(&read, 2);
    let id = host.run(errand.clone()).unwrap();
    nix::unistd::write(&write, b"x").unwrap();
    // Any call that looks after children in passing.
    until("a turn in passing", || {
        let _ = procsup::spawn(&command("true", &[])).unwrap().reap(patience()).unwrap();
        errand.turns() >= 2
    });
    assert!(host.runs(id));
    // A wait for a plain child that had begun before.
    let child = procsup::spawn(&pausing()).unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| child.reap(patience()));
        nix::unistd::write(&write, b"x").unwrap();
        until("a turn by who waits", || !host.runs(id));
        child.signal(9).unwrap();
        waiter.join().unwrap().unwrap();
    });
}

#[test]
fn one_that_comes_while_somebody_waits_already_is_moved_along_by_him() {
    // In a copy, whose default supervisor has watched nothing yet.
    in_forked_copy(|| {
        let child = procsup::spawn(&pausing()).unwrap();
        let (read, write) = pair();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| child.reap(patience()));
            until("it waits", waits_in_poll);
            let errand = reader(&read, 1);
            default_host().unwrap().run(errand.clone()).unwrap();
            nix::unistd::write(&write, b"x").unwrap();
            until("a turn by who waits", || Arc::strong_count(&errand) == 1);
            child.signal(9).unwrap();
            waiter.join().unwrap().unwrap();
        });
    });
}

/// Whether another thread of this process sleeps.
fn waits_in_poll() -> bool {
    let own = nix::unistd::gettid().as_raw().to_string();
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks.filter(|task| *task.file_name() != *own).any(|task| {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))
    })
}

#[test]
fn a_drive_of_the_default_host_moves_it_along() {
    let host = default_host().unwrap();
    let (read, write) = pair();
    let errand = reader(&read, 1);
    let id = host.run(errand).unwrap();
    std::thread::scope(|scope| {
        let driver = scope.spawn(|| host.drive(by(patience()), &|| !host.runs(id)).unwrap());
        nix::unistd::write(&write, b"x").unwrap();
        assert!(driver.join().unwrap());
    });
    assert!(!host.drive(by(1), &|| false).unwrap());
}

// covers: LAW-6
#[test]
fn law06_a_forked_copy_turns_nothing() {
    let supervisor = Supervisor::new().unwrap();
    let host = supervisor.host();
    let (read, write) = pair();
    let errand = reader(&read, 1);
    let id = host.run(errand.clone()).unwrap();
    let mut held = Some(supervisor);
    in_forked_copy(|| {
        host.poke(id);
        host.rouse();
        assert!(!host.runs(id));
        assert_eq!(host.run(errand.clone()).unwrap_err().status, Status::Forked);
        assert_eq!(host.drive(Deadline::NEVER, &|| true).unwrap_err().status, Status::Forked);
        drop(held.take());
        assert_eq!((errand.turns(), errand.called_off()), (1, 0));
    });
    let supervisor = held.take().unwrap();
    nix::unistd::write(&write, b"x").unwrap();
    supervisor.next_event(0).unwrap();
    assert!(!host.runs(id));
    assert!(read.as_fd().as_fd().try_clone_to_owned().is_ok());
}
