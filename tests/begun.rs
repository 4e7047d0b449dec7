//! Children whose start takes its time: the handle is there from the begin, the process comes when a room above has it; and those that are ready
//! when such a room says so.

#![deny(unsafe_code)]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use common::*;
use procsup::clock::Deadline;
use procsup::coordination::budget::Budget;
use procsup::errands::{Child, Errand, Host, Made, Start, Wants, default_host, spawned};
use procsup::{Cause, Command, Error, EventKind, Managed, RestartWhen, State, Status, Supervisor, What};

type Make = Box<dyn FnMut(&Arc<Managed>) -> Made + Send>;

/// A start that answers what it is told to.
struct Fake {
    make: Mutex<Make>,
    made: AtomicUsize,
    called_off: AtomicUsize,
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fake")
    }
}

impl Start for Fake {
    fn make(&self, managed: &Arc<Managed>) -> Made {
        self.made.fetch_add(1, Ordering::SeqCst);
        (*self.make.lock().unwrap())(managed)
    }

    fn called_off(&self) {
        assert!(self.make.try_lock().is_ok(), "called off while it is being made");
        self.called_off.fetch_add(1, Ordering::SeqCst);
    }
}

impl Fake {
    fn new(make: impl FnMut(&Arc<Managed>) -> Made + Send + 'static) -> Arc<Self> {
        Arc::new(Self { make: Mutex::new(Box::new(make)), made: AtomicUsize::new(0), called_off: AtomicUsize::new(0) })
    }

    fn later() -> Arc<Self> {
        Self::new(|_| Made::Later)
    }

    fn now(command: Command) -> Arc<Self> {
        Self::new(move |_| Made::Now(spawned(&command)))
    }

    /// One that panics.
    fn broken() -> Self {
        Self { make: Mutex::new(Box::new(|_| resume_unwind(Box::new(())))), made: AtomicUsize::new(0), called_off: AtomicUsize::new(0) }
    }

    /// How often it was asked, and called off.
    fn counts(&self) -> (usize, usize) {
        (self.made.load(Ordering::SeqCst), self.called_off.load(Ordering::SeqCst))
    }
}

fn told() -> Command {
    let mut command = pausing();
    command.ready_when_told();
    command
}

fn begin(host: &Host, start: &Arc<Fake>) -> Arc<Managed> {
    host.begin(&told(), start.clone(), &mut |_| 7).unwrap()
}

fn failure() -> Error {
    Error::invalid("handshake", "it said nothing sensible")
}

fn take(supervisor: &Supervisor) -> (EventKind, Option<Status>) {
    let event = supervisor.next_event(patience()).unwrap().expect("an event");
    assert!(event.child.is_none() || event.token() == 7);
    (event.kind(), event.status())
}

#[track_caller]
fn expect(supervisor: &Supervisor, kinds: &[(EventKind, Option<Status>)]) {
    for (place, kind) in kinds.iter().enumerate() {
        assert_eq!(take(supervisor), *kind, "event {place} of {kinds:?}");
    }
    assert!(supervisor.next_event(0).unwrap().is_none(), "one event too many");
}

const STARTED: (EventKind, Option<Status>) = (EventKind::Started, None);
const READY: (EventKind, Option<Status>) = (EventKind::Ready, None);
const EXITED: (EventKind, Option<Status>) = (EventKind::Exited, None);

fn failed(why: Status) -> (EventKind, Option<Status>) {
    (EventKind::Failed, Some(why))
}

fn cancelled(why: Status) -> (EventKind, Option<Status>) {
    (EventKind::Cancelled, Some(why))
}

/// A process that comes late, and its number.
fn late() -> (Arc<Child>, i32) {
    let child = spawned(&told()).unwrap();
    let pid = child.pid();
    (child, pid)
}

// ---- its process -------------------------------------------------------------------------------------------------------

#[test]
fn one_that_is_made_at_once_is_started_then_ready_then_ended() {
    let supervisor = Supervisor::new().unwrap();
    let start = Fake::now(told());
    let child = begin(&supervisor.host(), &start);
    assert_eq!(child.state().unwrap(), State::Running);
    expect(&supervisor, &[STARTED]);
    assert_eq!(child.wait_ready(0).unwrap_err().status, Status::Timeout);
    assert!(child.tell_ready() && child.tell_ready());
    expect(&supervisor, &[READY]);
    child.wait_ready(0).unwrap();
    child.terminate(0).unwrap();
    expect(&supervisor, &[EXITED]);
    assert!(child.tell_ready(), "it was");
    assert_eq!(start.counts(), (1, 0));
    assert_eq!(Arc::strong_count(&start), 1, "it is let go");
}

#[test]
fn one_that_comes_later_is_pending_until_then() {
    let supervisor = Supervisor::new().unwrap();
    let start = Fake::later();
    let child = begin(&supervisor.host(), &start);
    assert_eq!((child.state().unwrap(), child.pid(), child.token()), (State::Pending, 0, 7));
    assert_eq!(supervisor.counts().unwrap(), (0, 1, 0), "its slot is taken");
    assert!(!child.tell_ready(), "there is nobody to say it of");
    child.tell_failed(failure());
    expect(&supervisor, &[]);
    let waited = std::thread::scope(|scope| {
        let waiter = scope.spawn(|| child.wait_ready(patience()));
        let reaper = scope.spawn(|| child.reap(patience()));
        let (process, pid) = late();
        child.made(Ok(process));
        assert_eq!((child.state().unwrap(), child.pid()), (State::Running, pid));
        assert!(child.tell_ready());
        waiter.join().unwrap().unwrap();
        child.signal(9).unwrap();
        reaper.join().unwrap()
    });
    assert_eq!(waited.unwrap().signal, 9);
    expect(&supervisor, &[STARTED, READY, EXITED]);
    assert_eq!(start.counts(), (1, 0));
}

#[test]
fn it_may_be_made_while_it_is_being_asked_for() {
    for default in [false, true] {
        let supervisor = Supervisor::new().unwrap();
        let host = if default { default_host().unwrap() } else { supervisor.host() };
        let start = Fake::new(|managed| {
            managed.made(spawned(&told()));
            assert!(managed.tell_ready());
            Made::Later
        });
        let child = begin(&host, &start);
        assert_eq!(child.state().unwrap(), State::Running);
        child.wait_ready(0).unwrap();
        child.terminate(0).unwrap();
        if !default {
            expect(&supervisor, &[STARTED, READY, EXITED]);
        }
        assert_eq!(start.counts(), (1, 0));
    }
}

#[test]
fn one_that_gets_no_process_has_failed_and_says_why() {
    for (default, later) in [(false, false), (false, true), (true, false), (true, true)] {
        let supervisor = Supervisor::new().unwrap();
        let host = if default { default_host().unwrap() } else { supervisor.host() };
        let start = Fake::new(move |_| if later { Made::Later } else { Made::Now(Err(failure())) });
        let child = begin(&host, &start);
        if later {
            child.made(Err(failure()));
        }
        let error = child.wait_ready(0).unwrap_err();
        assert_eq!((error.status, error.step), (Status::InvalidArgument, "handshake"));
        assert_eq!(child.reap(0).unwrap_err().step, "handshake");
        assert_eq!(child.state().unwrap(), State::Cancelled);
        if !default {
            expect(&supervisor, &[failed(Status::InvalidArgument)]);
            assert_eq!(supervisor.counts().unwrap(), (0, 0, 0));
        }
        assert_eq!(start.counts(), (1, 0), "it has said so itself");
        assert_eq!(Arc::strong_count(&start), 1);
    }
}

#[test]
fn a_second_process_is_too_late() {
    for default in [false, true] {
        let supervisor = Supervisor::new().unwrap();
        let host = if default { default_host().unwrap() } else { supervisor.host() };
        let child = begin(&host, &Fake::now(told()));
        let (second, pid) = late();
        child.made(Ok(second));
        assert!(is_dead(pid));
        child.made(Err(failure()));
        assert_eq!(child.state().unwrap(), State::Running);
        child.terminate(0).unwrap();
        if !default {
            expect(&supervisor, &[STARTED, EXITED, failed(Status::Cancelled)]);
        }
    }
}

// ---- the line ----------------------------------------------------------------------------------------------------------

#[test]
fn it_waits_in_line_and_keeps_its_slot_until_it_has_ended() {
    let supervisor = Supervisor::new().unwrap();
    supervisor.set_max_running(1).unwrap();
    supervisor.set_max_pending(1).unwrap();
    let starts = [(); 3].map(|()| Fake::later());
    let host = supervisor.host();
    let (first, second) = (begin(&host, &starts[0]), begin(&host, &starts[1]));
    assert_eq!(host.begin(&told(), starts[2].clone(), &mut |_| 7).unwrap_err().status, Status::Limit);
    assert_eq!(starts[1].counts(), (0, 0), "it is not its turn");
    supervisor.next_event(0).unwrap();
    assert_eq!(starts[1].counts(), (0, 0));
    let (process, _) = late();
    first.made(Ok(process));
    first.tell_ready();
    supervisor.next_event(0).unwrap();
    assert_eq!((starts[1].counts(), supervisor.counts().unwrap()), ((0, 0), (1, 1, 0)));
    first.terminate(0).unwrap();
    assert_eq!(starts[1].counts(), (1, 0), "its turn has come with the end");
    assert_eq!(supervisor.counts().unwrap(), (0, 1, 0));
    let (process, _) = late();
    second.made(Ok(process));
    second.terminate(0).unwrap();
    assert_eq!(starts[2].counts(), (0, 0), "who was refused hears nothing");
}

#[test]
fn a_failure_and_a_cancellation_give_the_slot_to_the_next() {
    for cancel in [false, true] {
        let supervisor = Supervisor::new().unwrap();
        supervisor.set_max_running(1).unwrap();
        let starts = [(); 2].map(|()| Fake::later());
        let children = starts.each_ref().map(|start| begin(&supervisor.host(), start));
        if cancel {
            children[0].terminate_begin(-1).unwrap();
        } else {
            children[0].made(Err(failure()));
        }
        // Nobody else has looked.
        assert_eq!(starts[1].counts(), (1, 0));
        let (process, _) = late();
        children[1].made(Ok(process));
        children[1].tell_ready();
        let first = if cancel { cancelled(Status::Cancelled) } else { failed(Status::InvalidArgument) };
        expect(&supervisor, &[first, STARTED, READY]);
    }
}

#[test]
fn what_is_never_told_is_refused() {
    let supervisor = Supervisor::new().unwrap();
    let start = Fake::later();
    let mut restarting = told();
    restarting.restart(RestartWhen::Always, 1, 1).unwrap();
    for (command, step) in [(restarting, "restart"), (pausing(), "readiness")] {
        for host in [supervisor.host(), default_host().unwrap()] {
            let error = host.begin(&command, start.clone(), &mut |_| 7).unwrap_err();
            assert_eq!((error.status, error.step), (Status::InvalidArgument, step));
        }
    }
    supervisor.shutdown(0).unwrap();
    assert_eq!(supervisor.host().begin(&told(), start.clone(), &mut |_| 7).unwrap_err().status, Status::Shutdown);
    assert_eq!(start.counts(), (0, 0));
}

#[test]
fn its_budget_is_asked_and_its_permit_given_back() {
    let supervisor = Supervisor::new().unwrap();
    let budget = Arc::new(Budget::new(0, 0).unwrap());
    let mut command = told();
    command.budget(budget, "key").unwrap();
    let host = supervisor.host();
    let start = Fake::later();
    let child = host.begin(&command, start.clone(), &mut |_| 7).unwrap();
    let other = host.begin(&command, start.clone(), &mut |_| 7).unwrap_err();
    assert_eq!(other.status, Status::InProgress, "it is in flight until it is ready");
    child.terminate_begin(-1).unwrap();
    expect(&supervisor, &[cancelled(Status::Cancelled)]);
    let child = host.begin(&command, start.clone(), &mut |_| 7).unwrap();
    child.made(Err(failure()));
    expect(&supervisor, &[failed(Status::InvalidArgument)]);
    let child = host.begin(&command, start.clone(), &mut |_| 7).unwrap();
    child.terminate_begin(-1).unwrap();
    assert_eq!(start.counts(), (3, 2));
}

// ---- cancelled at each point -------------------------------------------------------------------------------------------

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    Begin,
    Terminate,
    Shutdown,
    Close,
}

const HOWS: [How; 4] = [How::Begin, How::Terminate, How::Shutdown, How::Close];

impl How {
    fn act(self, supervisor: &Supervisor, child: &Arc<Managed>) {
        match self {
            How::Begin => child.terminate_begin(-1).unwrap(),
            How::Terminate => drop(child.terminate(-1)),
            How::Shutdown => supervisor.shutdown(-1).unwrap(),
            How::Close => supervisor.close(),
        }
    }

    fn why(self) -> Status {
        if matches!(self, How::Begin | How::Terminate) { Status::Cancelled } else { Status::Shutdown }
    }

    /// What is told, with what comes at the end of a shutdown.
    fn expect(self, supervisor: &Supervisor, told: &[(EventKind, Option<Status>)]) {
        let done = (EventKind::ShutdownDone, None);
        match self {
            How::Close => assert_eq!(supervisor.next_event(0).unwrap_err().status, Status::Shutdown),
            How::Shutdown => expect(supervisor, &[told, &[done]].concat()),
            _ => expect(supervisor, told),
        }
    }
}

#[test]
fn cancelled_in_line_it_is_never_made() {
    for how in HOWS {
        let supervisor = Supervisor::new().unwrap();
        supervisor.set_max_running(1).unwrap();
        let (first, start) = (Fake::later(), Fake::later());
        let before = begin(&supervisor.host(), &first);
        let child = begin(&supervisor.host(), &start);
        how.act(&supervisor, &child);
        assert_eq!(start.counts(), (0, 1), "{how:?}");
        assert_eq!(child.reap(0).unwrap_err().status, how.why());
        assert_eq!(child.wait_ready(0).unwrap_err().status, how.why());
        assert_eq!(child.state().unwrap(), State::Cancelled);
        match how {
            How::Shutdown => how.expect(&supervisor, &[cancelled(how.why()); 2]),
            _ => how.expect(&supervisor, &[cancelled(how.why())]),
        }
        let (process, pid) = late();
        child.made(Ok(process));
        assert!(is_dead(pid));
        before.terminate_begin(0).unwrap();
        drop(supervisor);
        assert_eq!((first.counts(), start.counts()), ((1, 1), (0, 1)), "{how:?}");
    }
}

#[test]
fn cancelled_between_later_and_made_its_process_is_killed() {
    for how in HOWS {
        let supervisor = Supervisor::new().unwrap();
        let start = Fake::later();
        let child = begin(&supervisor.host(), &start);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| child.reap(patience()).unwrap_err());
            how.act(&supervisor, &child);
            assert_eq!(waiter.join().unwrap().status, how.why());
        });
        assert_eq!(start.counts(), (1, 1), "{how:?}");
        assert_eq!(child.state().unwrap(), State::Cancelled);
        how.expect(&supervisor, &[cancelled(how.why())]);
        let (process, pid) = late();
        child.made(Ok(process));
        assert!(is_dead(pid), "{how:?}");
        child.made(Err(failure()));
        assert_eq!(child.wait_ready(0).unwrap_err().status, how.why());
        how.act(&supervisor, &child);
        drop((supervisor, child));
        assert_eq!(start.counts(), (1, 1), "{how:?}: once");
        assert_eq!(Arc::strong_count(&start), 1);
    }
}

#[test]
fn cancelled_while_it_is_being_made() {
    for (how, later) in HOWS.into_iter().flat_map(|how| [(how, false), (how, true)]) {
        let supervisor = Supervisor::new().unwrap();
        supervisor.set_max_running(1).unwrap();
        let (in_make, hears) = mpsc::channel();
        let (go_on, waits) = mpsc::channel::<()>();
        let start = Fake::new(move |_| {
            in_make.send(()).unwrap();
            waits.recv().unwrap();
            if later { Made::Later } else { Made::Now(spawned(&told())) }
        });
        // It comes from the line, so that there is a handle.
        let first = begin(&supervisor.host(), &Fake::later());
        let child = begin(&supervisor.host(), &start);
        std::thread::scope(|scope| {
            let maker = scope.spawn(|| first.made(Err(failure())));
            hears.recv().unwrap();
            if how == How::Terminate {
                // This one waits for its end.
                let ended = scope.spawn(|| child.terminate(-1));
                go_on.send(()).unwrap();
                let _ = ended.join().unwrap();
            } else {
                how.act(&supervisor, &child);
                assert_eq!(start.counts(), (1, 0), "{how:?}: not while it is being made");
                go_on.send(()).unwrap();
            }
            maker.join().unwrap();
        });
        let stopped = matches!(how, How::Begin | How::Terminate) && !later;
        assert_eq!(start.counts(), (1, usize::from(!stopped)), "{how:?} {later}");
        if stopped {
            // It has a process: that is stopped by its plan.
            assert_eq!(child.reap(patience()).unwrap().cause, Cause::Stop);
            how.expect(&supervisor, &[failed(Status::InvalidArgument), STARTED, EXITED, failed(Status::Cancelled)]);
        } else {
            let why = if how == How::Terminate { Status::Cancelled } else { how.why() };
            assert_eq!(child.reap(0).unwrap_err().status, why, "{how:?} {later}");
            if how != How::Shutdown {
                how.expect(&supervisor, &[failed(Status::InvalidArgument), cancelled(why)]);
            }
            let (process, pid) = late();
            child.made(Ok(process));
            assert!(is_dead(pid));
        }
        drop(supervisor);
        assert_eq!(start.counts(), (1, usize::from(!stopped)), "{how:?} {later}");
    }
}

#[test]
fn of_a_stop_and_a_process_that_come_at_once_one_wins() {
    for round in 0..60 {
        let supervisor = Supervisor::new().unwrap();
        let host = if round % 2 == 0 { supervisor.host() } else { default_host().unwrap() };
        let start = Fake::later();
        let child = begin(&host, &start);
        let (process, pid) = late();
        std::thread::scope(|scope| {
            scope.spawn(|| child.made(Ok(process)));
            scope.spawn(|| child.terminate_begin(0).unwrap());
        });
        let ended = child.reap(patience());
        assert!(is_dead(pid));
        let (_, called_off) = start.counts();
        assert_eq!(ended.is_err(), called_off == 1, "{ended:?}");
        if round % 2 == 0 {
            if called_off == 1 {
                expect(&supervisor, &[cancelled(Status::Cancelled)]);
            } else {
                expect(&supervisor, &[STARTED, EXITED, failed(Status::Cancelled)]);
            }
        }
    }
}

#[test]
fn under_the_default_supervisor_it_is_made_at_once_and_can_be_cancelled() {
    let host = default_host().unwrap();
    let start = Fake::later();
    let child = begin(&host, &start);
    assert_eq!((start.counts(), child.state().unwrap()), ((1, 0), State::Pending));
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| child.reap(patience()).unwrap_err());
        child.terminate_begin(-1).unwrap();
        assert_eq!(waiter.join().unwrap().status, Status::Cancelled);
    });
    assert_eq!((start.counts(), child.state().unwrap()), ((1, 1), State::Cancelled));
    let (process, pid) = late();
    child.made(Ok(process));
    assert!(is_dead(pid));
    assert_eq!(child.terminate(-1).unwrap_err().status, Status::Cancelled);
    assert_eq!(start.counts(), (1, 1));
    // One that is let go is looked after all the same.
    let child = begin(&host, &start);
    child.let_go();
    let (process, pid) = late();
    child.made(Ok(process));
    kill(pid, nix::sys::signal::Signal::SIGKILL);
    until("it is reaped in passing", || {
        procsup::spawn(&command("true", &[])).unwrap().reap(patience()).unwrap();
        process_state(pid).is_none()
    });
    // Stopped while it is being made.
    let start = Fake::new(|managed| {
        managed.terminate_begin(0).unwrap();
        Made::Now(spawned(&told()))
    });
    let child = begin(&host, &start);
    assert_eq!(child.reap(patience()).unwrap().cause, Cause::Stop);
    let start = Fake::new(|managed| {
        managed.terminate_begin(0).unwrap();
        Made::Later
    });
    let child = begin(&host, &start);
    assert_eq!((child.reap(0).unwrap_err().status, start.called_off.load(Ordering::SeqCst)), (Status::Cancelled, 1));
}

// ---- told --------------------------------------------------------------------------------------------------------------

#[test]
fn one_that_is_told_to_have_failed_is_killed_with_its_group_and_says_why() {
    for default in [false, true] {
        let supervisor = Supervisor::new().unwrap();
        let host = if default { default_host().unwrap() } else { supervisor.host() };
        let mut command = sh("sleep 100 & echo $!; wait");
        command.ready_when_told().stdio(1, procsup::Stdio::Pipe).unwrap();
        let child = host.begin(&command, Fake::now(command.clone()), &mut |_| 7).unwrap();
        let grandchild: i32 = read_line(&child.take_stream(1).unwrap()).parse().unwrap();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| child.wait_ready(patience()).unwrap_err());
            let mut error = failure();
            error.output = b"boo".to_vec();
            child.tell_failed(error);
            let error = waiter.join().unwrap();
            assert_eq!((error.status, error.step, &error.output[..]), (Status::InvalidArgument, "handshake", &b"boo"[..]));
            assert_eq!(error.pid, Some(child.pid()));
        });
        let exit = child.reap(patience()).unwrap();
        assert_eq!((exit.cause, exit.signal), (Cause::NotReady, 9));
        until("its group is gone", || is_dead(grandchild));
        assert_eq!(child.wait_ready(0).unwrap_err().step, "handshake");
        assert!(!child.tell_ready());
        if !default {
            expect(&supervisor, &[STARTED, (EventKind::Exited, Some(Status::InvalidArgument)), failed(Status::InvalidArgument)]);
        }
    }
}

#[test]
fn an_error_that_comes_behind_its_death_is_still_the_word() {
    let supervisor = Supervisor::new().unwrap();
    let child = begin(&supervisor.host(), &Fake::now(told()));
    child.signal(9).unwrap();
    assert_eq!(child.reap(patience()).unwrap().cause, Cause::Owner);
    expect(&supervisor, &[STARTED, EXITED, failed(Status::Exited)]);
    assert_eq!(child.wait_ready(0).unwrap_err().status, Status::Exited);
    child.tell_failed(failure());
    assert_eq!(child.wait_ready(0).unwrap_err().step, "handshake");
    child.tell_failed(Error::invalid("other", "other"));
    assert_eq!(child.wait_ready(0).unwrap_err().step, "handshake", "the first counts");
    expect(&supervisor, &[]);
}

/// Follows a child as a room above does: by its pidfd.
#[derive(Debug)]
struct Follower(Arc<Managed>, Arc<std::os::fd::OwnedFd>);

impl Errand for Follower {
    fn turn(&self, _: i64) -> Option<Wants> {
        if is_readable(&self.1, 0) {
            self.0.tell_failed(failure());
            return None;
        }
        Some(Wants { fds: vec![(self.1.clone(), false)], due: Deadline::NEVER })
    }
}

#[test]
fn who_follows_it_has_his_word_before_its_end_is_told() {
    for (blocking, late) in [(false, false), (true, false), (false, true)] {
        let supervisor = Supervisor::new().unwrap();
        // He watches it before the supervisor does: the kernel tells of the last that has come first.
        let host = supervisor.host();
        let start = Fake::new(move |managed| {
            let child = spawned(&told()).unwrap();
            let pidfd = Arc::new(child.pidfd().unwrap().try_clone().unwrap());
            host.run(Arc::new(Follower(managed.clone(), pidfd))).unwrap();
            Made::Now(Ok(child))
        });
        let child = begin(&supervisor.host(), &start);
        expect(&supervisor, &[STARTED]);
        kill(child.pid(), nix::sys::signal::Signal::SIGTERM);
        if !blocking {
            until("its end", || is_dead(child.pid()));
        }
        if blocking || late {
            assert_eq!(child.wait_ready(if late { 0 } else { patience() }).unwrap_err().step, "handshake");
        }
        let (kind, _) = take(&supervisor);
        assert_eq!(kind, EventKind::Exited);
        let (kind, why) = take(&supervisor);
        assert_eq!(kind, EventKind::Failed);
        if !blocking && !late {
            assert_eq!(why, Some(Status::InvalidArgument));
        }
    }
}

#[test]
fn one_that_is_being_stopped_is_not_killed_for_it() {
    let supervisor = Supervisor::new().unwrap();
    let mut stubborn = sh("trap 'exit 3' TERM; echo; while :; do sleep 0.01; done");
    stubborn.ready_when_told().stdio(1, procsup::Stdio::Pipe).unwrap();
    let child = supervisor.host().begin(&stubborn, Fake::now(stubborn.clone()), &mut |_| 7).unwrap();
    read_line(&child.take_stream(1).unwrap());
    child.terminate_begin(-1).unwrap();
    child.tell_failed(failure());
    let exit = child.reap(patience()).unwrap();
    assert_eq!((exit.cause, exit.code), (Cause::Stop, 3));
    expect(&supervisor, &[STARTED, EXITED, failed(Status::InvalidArgument)]);
}

#[test]
fn a_shutdown_ends_one_that_is_not_ready_and_tells_both() {
    let supervisor = Supervisor::new().unwrap();
    supervisor.set_max_running(2).unwrap();
    let host = supervisor.host();
    let (running, ready) = (begin(&host, &Fake::now(told())), begin(&host, &Fake::now(told())));
    ready.tell_ready();
    supervisor.shutdown(-1).unwrap();
    let mut told = Vec::new();
    loop {
        let event = supervisor.next_event(patience()).unwrap().unwrap();
        match event.what {
            What::ShutdownDone => break,
            _ => told.push((event.child.as_ref().is_some_and(|child| Arc::ptr_eq(child, &running)), event.kind(), event.status())),
        }
    }
    let of = |whose: bool| told.iter().filter(|(who, ..)| *who == whose).map(|(_, kind, status)| (*kind, *status)).collect::<Vec<_>>();
    assert_eq!(of(true), [STARTED, EXITED, failed(Status::Shutdown)]);
    assert_eq!(of(false), [STARTED, READY, EXITED]);
}

#[test]
fn with_somebody_in_line_failed_still_follows_the_end() {
    let supervisor = Supervisor::new().unwrap();
    supervisor.set_max_running(1).unwrap();
    let (first, next) = (begin(&supervisor.host(), &Fake::now(told())), begin(&supervisor.host(), &Fake::now(told())));
    first.tell_failed(failure());
    first.reap(patience()).unwrap();
    next.tell_ready();
    expect(&supervisor, &[STARTED, (EventKind::Exited, Some(Status::InvalidArgument)), failed(Status::InvalidArgument), STARTED, READY]);
}

#[test]
fn the_end_is_told_before_the_start_that_it_made_room_for() {
    let supervisor = Supervisor::new().unwrap();
    supervisor.set_max_running(1).unwrap();
    let first = begin(&supervisor.host(), &Fake::now(told()));
    first.tell_ready();
    let start = Fake::new(|managed| {
        managed.made(spawned(&told()));
        assert_eq!(managed.state().unwrap(), State::Running, "it counts at once");
        managed.tell_ready();
        Made::Later
    });
    let next = begin(&supervisor.host(), &start);
    first.terminate(0).unwrap();
    assert_eq!(start.counts(), (1, 0));
    expect(&supervisor, &[STARTED, READY, EXITED, STARTED, READY]);
    next.terminate(0).unwrap();
}

// covers: LAW-6
#[test]
fn law05_what_a_panic_leaves_to_be_done_is_the_next_calls() {
    let supervisor = Supervisor::new().unwrap();
    supervisor.set_max_running(2).unwrap();
    let host = supervisor.host();
    let first = [begin(&host, &Fake::now(told())), begin(&host, &Fake::now(told()))];
    let broken = begin(&host, &Arc::new(Fake::broken()));
    let start = Fake::now(told());
    let last = begin(&host, &start);
    for child in &first {
        assert!(child.tell_ready());
    }
    expect(&supervisor, &[STARTED, STARTED, READY, READY]);
    for child in &first {
        child.signal(9).unwrap();
    }
    // Both have ended at the look that finds them.
    for child in &first {
        let pid = nix::unistd::Pid::from_raw(child.pid());
        nix::sys::wait::waitid(nix::sys::wait::Id::Pid(pid), nix::sys::wait::WaitPidFlag::WEXITED | nix::sys::wait::WaitPidFlag::WNOWAIT)
            .unwrap();
    }
    let (mut seen, mut panics) = (Vec::new(), 0);
    while seen.len() < 4 {
        match catch_unwind(AssertUnwindSafe(|| take(&supervisor))) {
            Ok(event) => seen.push(event),
            Err(_) => panics += 1,
        }
        assert!(panics < 2, "{seen:?}");
    }
    seen.sort_by_key(|(kind, _)| *kind as i32);
    assert_eq!((seen, panics), (vec![STARTED, EXITED, EXITED, failed(Status::Internal)], 1));
    assert_eq!(broken.reap(0).unwrap_err().status, Status::Internal);
    assert_eq!((last.state().unwrap(), start.counts()), (State::Running, (1, 0)));
    assert_eq!(supervisor.counts().unwrap(), (0, 1, 0));
    assert!(last.tell_ready());
    last.terminate(0).unwrap();
    expect(&supervisor, &[READY, EXITED]);
}

#[test]
fn law06_a_forked_copy_makes_nothing() {
    let supervisor = Supervisor::new().unwrap();
    let start = Fake::later();
    let child = begin(&supervisor.host(), &start);
    let mut held = Some((supervisor, child));
    in_forked_copy(|| {
        let (supervisor, child) = held.take().unwrap();
        assert_eq!(supervisor.host().begin(&told(), start.clone(), &mut |_| 7).unwrap_err().status, Status::Forked);
        child.made(Err(failure()));
        assert_eq!(child.terminate_begin(0).unwrap_err().status, Status::Forked);
        child.tell_failed(failure());
        drop((supervisor, child));
        assert_eq!(start.counts(), (1, 0));
    });
    let (supervisor, child) = held.take().unwrap();
    child.made(spawned(&told()));
    assert!(child.tell_ready());
    drop(supervisor);
    assert_eq!(child.reap(0).unwrap().cause, Cause::Shutdown);
}
