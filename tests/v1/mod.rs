//! What the tests of protocol v1 share: a world with a daemon of the crate, a supervisor of ours, clients, and a checker that knows neither.

pub mod daemon;
mod hostile;
pub mod raw;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procsup::handoff::supervisor::{EventKind, HandoffSupervisor, Happened, Protocol};
use procsup::{Command, Status, Stdio};

pub fn patience() -> Duration {
    let slowness = std::env::var("PROCSUP_TEST_SLOWNESS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    Duration::from_secs(30 * u64::max(slowness, 1))
}

/// Waits for the condition.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience();
    while !condition() {
        assert!(Instant::now() < deadline, "never came true: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// This binary, as somebody else.
pub fn this_as(role: &str, home: &std::path::Path, variables: &[(&str, &str)]) -> Arc<Command> {
    let mut command = Command::new(std::env::current_exe().unwrap()).unwrap();
    for arg in [role, "--exact", "--nocapture", "--test-threads=1"] {
        command.arg(arg).unwrap();
    }
    command.stdio(0, Stdio::Null).unwrap().stdio(1, Stdio::Null).unwrap();
    if std::env::var("V1_LOUD").is_err() {
        command.stdio(2, Stdio::Null).unwrap();
    }
    command.env("V1_ROLE", Some(OsStr::new(role))).unwrap().env("V1_HOME", Some(home.as_os_str())).unwrap();
    for (name, value) in variables {
        command.env(name, Some(OsStr::new(value))).unwrap();
    }
    Arc::new(command)
}

/// See the head of this file.
pub struct World {
    home: Option<tempfile::TempDir>,
    pub path: PathBuf,
    pub listener: TcpListener,
    address: SocketAddr,
    pub supervisor: Option<HandoffSupervisor>,
    pub events: Vec<Happened>,
    acknowledged: Vec<(u64, String)>,
    asked: u64,
}

impl World {
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (events, acknowledged) = (Vec::new(), Vec::new());
        Self { home: Some(home), path, listener, address, supervisor: None, events, acknowledged, asked: 0 }
    }

    pub fn control(&self) -> PathBuf {
        self.path.join("control")
    }

    pub fn journal(&self) -> PathBuf {
        self.path.join("state.bin")
    }

    /// A supervisor in this process.
    pub fn supervise(&mut self) -> &HandoffSupervisor {
        let supervisor = HandoffSupervisor::new(Some(&self.control())).unwrap();
        supervisor.set_protocol(Protocol::V1).unwrap();
        supervisor.set_journal(&self.journal()).unwrap();
        supervisor.listener(c"main", self.listener.as_raw_fd()).unwrap();
        self.supervisor.insert(supervisor)
    }

    pub fn daemon(&self, variables: &[(&str, &str)]) -> Arc<Command> {
        this_as("daemon", &self.path, variables)
    }

    /// One generation serves.
    pub fn started(variables: &[(&str, &str)]) -> Self {
        let mut world = Self::new();
        world.supervise();
        let command = world.daemon(variables);
        world.supervisor().start(command).unwrap();
        world.wait(EventKind::Serving);
        world.ask();
        world
    }

    pub fn supervisor(&self) -> &HandoffSupervisor {
        self.supervisor.as_ref().unwrap()
    }

    pub fn replace(&self, variables: &[(&str, &str)], deadline_ms: i64, drain_ms: i64) {
        self.supervisor().replace(self.daemon(variables), deadline_ms, drain_ms).unwrap();
    }

    /// The next event of this kind; others before it are kept.
    #[track_caller]
    pub fn wait(&mut self, kind: EventKind) -> Happened {
        self.wait_for(kind, &mut |_| {})
    }

    #[track_caller]
    pub fn wait_for(&mut self, kind: EventKind, each: &mut dyn FnMut(&Happened)) -> Happened {
        let deadline = Instant::now() + patience();
        loop {
            assert!(Instant::now() < deadline, "no {kind:?}, but {:?}\n{}", self.events, self.notes());
            if let Some(told) = self.supervisor().next_event(100).unwrap() {
                self.events.push(told);
                each(&told);
                if told.kind == kind {
                    return told;
                }
            }
        }
    }

    /// How the replacement ended.
    #[track_caller]
    pub fn end(&mut self) -> Happened {
        let deadline = Instant::now() + patience();
        loop {
            assert!(Instant::now() < deadline, "no end, but {:?}\n{}", self.events, self.notes());
            if let Some(told) = self.supervisor().next_event(100).unwrap() {
                self.events.push(told);
                if matches!(told.kind, EventKind::Committed | EventKind::Aborted) {
                    return told;
                }
            }
        }
    }

    #[track_caller]
    pub fn aborted(&mut self, reason: Status) -> String {
        let told = self.end();
        let words = self.words();
        assert_eq!((told.kind, told.reason), (EventKind::Aborted, reason), "{words}\n{}", self.notes());
        words
    }

    #[track_caller]
    pub fn committed(&mut self) -> i32 {
        let told = self.end();
        assert_eq!(told.kind, EventKind::Committed, "{}\n{}", self.words(), self.notes());
        told.pid
    }

    pub fn words(&self) -> String {
        self.supervisor().outcome(0).map_or_else(|_| String::new(), |outcome| outcome.words)
    }

    // ---- clients ----

    /// One request. Nobody may ever refuse it, and whoever answers is told.
    #[track_caller]
    pub fn ask(&mut self) -> i32 {
        let words = format!("request-{}", self.asked);
        self.asked += 1;
        let deadline = Instant::now() + patience();
        loop {
            let mut stream = TcpStream::connect(self.address).expect("the listener was closed");
            stream.set_read_timeout(Some(patience())).unwrap();
            let mut line = String::new();
            let answered = stream.write_all(format!("{words}\n").as_bytes()).and_then(|()| BufReader::new(&stream).read_line(&mut line));
            if let (Ok(_), Some((pid, number))) = (&answered, line.trim().split_once(' ')) {
                self.acknowledged.push((number.parse().unwrap(), words));
                return pid.parse().unwrap();
            }
            // Whoever had taken it has died: that is no answer, and no loss.
            assert!(Instant::now() < deadline, "nobody answers: {answered:?}\n{}", self.notes());
        }
    }

    // ---- the checker ----

    pub fn notes(&self) -> String {
        fs::read_to_string(self.path.join("notes")).unwrap_or_default()
    }

    pub fn has_noted(&self, text: &str) -> bool {
        self.notes().lines().any(|line| line.ends_with(text))
    }

    /// The daemons that there were, in order.
    pub fn pids(&self) -> Vec<i32> {
        self.notes().lines().filter(|line| line.ends_with(" born")).filter_map(|line| line.split_once(' ')?.0.parse().ok()).collect()
    }

    /// Exactly one serves; there never was a second writer, and nothing that was acknowledged is lost.
    #[track_caller]
    pub fn check(&mut self) -> i32 {
        let first = self.ask();
        for _ in 0..3 {
            assert_eq!(self.ask(), first, "two serve\n{}", self.notes());
        }
        assert!(!self.notes().contains("VIOLATION"), "{}", self.notes());
        let log = fs::read_to_string(self.path.join("log")).unwrap();
        let lines: Vec<(u64, &str)> =
            log.lines().map(|line| line.split_once(' ').unwrap()).map(|(n, words)| (n.parse().unwrap(), words)).collect();
        assert!(lines.iter().enumerate().all(|(at, (number, _))| at as u64 == *number), "{log}");
        for (number, words) in &self.acknowledged {
            assert_eq!(lines.get(*number as usize).map(|(_, words)| *words), Some(&words[..]), "acknowledged, and lost");
        }
        first
    }

    /// The next handoff works, from whatever this one has left.
    #[track_caller]
    pub fn check_next(&mut self) {
        let before = self.check();
        self.replace(&[], 20_000, 5_000);
        let after = self.committed();
        assert_ne!(before, after);
        assert_eq!(self.check(), after);
        until("the old one has ended", || !is_there(before));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.supervisor.take());
        let notes = self.notes();
        drop(self.home.take());
        // They end with their directory; who stands still cannot.
        for pid in notes.lines().filter(|line| line.ends_with("born")).filter_map(|line| line.split_once(' ')?.0.parse().ok()) {
            if is_of(pid, &self.path) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
    }
}

/// Whether it runs (a zombie does not).
pub fn is_there(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

pub fn is_stopped(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
}

/// Whether it is a process of that world.
fn is_of(pid: i32, home: &std::path::Path) -> bool {
    let marker = format!("V1_HOME={}", home.display());
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|all| all.split(|byte| *byte == 0).any(|variable| variable == marker.as_bytes()))
}

// ---- a supervisor that dies ----

const LISTENER: i32 = 9;

fn die(point: &'static str) {
    if daemon::said("V1_CRASH_S").as_deref() == Some(point) {
        daemon::note(&format!("supervisor dies {point}"));
        nix::sys::signal::raise(Signal::SIGKILL).unwrap();
    }
}

/// Not a test: a supervisor in a process of its own, which starts a daemon, has it replaced, and dies where it is told to.
pub fn supervise_and_die() -> ! {
    let path = daemon::home();
    let supervisor = HandoffSupervisor::new(Some(&path.join("control"))).unwrap();
    supervisor.set_protocol(Protocol::V1).unwrap();
    supervisor.set_journal(&path.join("state.bin")).unwrap();
    supervisor.listener(c"main", LISTENER).unwrap();
    supervisor.set_tracer(die).unwrap();
    supervisor.start(this_as("daemon", &path, &[])).unwrap();
    let wait = |kind| while supervisor.next_event(-1).unwrap().is_none_or(|told| told.kind != kind) {};
    wait(EventKind::Serving);
    daemon::note("started");
    let opens = daemon::said("V1_OPENS").unwrap_or_default();
    supervisor.replace(this_as("daemon", &path, &[("V1_OPEN_MS", &opens)]), 20_000, 5_000).unwrap();
    wait(EventKind::Committed);
    std::process::exit(1);
}

impl World {
    /// A supervisor in a process of its own ran, and has died at this step.
    pub fn after_a_death_at(point: &str, opens_ms: &str) -> Self {
        let world = Self::new();
        let mut command = (*this_as("supervisor", &world.path, &[("V1_CRASH_S", point), ("V1_OPENS", opens_ms)])).clone();
        command.pass_fd(world.listener.as_raw_fd(), LISTENER).unwrap();
        let child = procsup::spawn(&command).unwrap();
        let exit = child.reap(patience().as_millis() as i64).unwrap();
        assert_eq!(exit.signal, 9, "{point}: {}", world.notes());
        assert!(world.has_noted(&format!("supervisor dies {point}")));
        world
    }

    /// Its own process died, and it comes again.
    #[track_caller]
    pub fn recover(&mut self) -> i32 {
        self.supervise();
        self.supervisor().recover().unwrap_or_else(|error| panic!("{error}\n{}", self.notes()));
        self.wait(EventKind::Serving).pid
    }
}
