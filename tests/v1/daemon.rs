//! A daemon that is built on the crate `beyond-handoff` 0.1.4, as its users would: a line per connection is appended to a log, and acknowledged.
//!
//! It is this very test binary, started again with `V1_ROLE`. What it shall do wrong, and where, is said by variables; each process writes its number down,
//! so that the test can end it, and ends by itself when its directory is gone.
//!
//! The checker stands outside of the protocol: who writes holds a lock of its own (`writer`), and each line that was acknowledged must be in the log,
//! in order.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use beyond_handoff as handoff;
use handoff::{DataDirLock, DrainReport, Drainable, Incumbent, ReadinessSnapshot, Role, SealReport, StateSnapshot};
use nix::fcntl::{Flock, FlockArg};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

pub fn said(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

pub fn home() -> PathBuf {
    PathBuf::from(said("V1_HOME").expect("a directory"))
}

/// A crash, or a stop, of this very thread first: nothing of it goes on.
fn crash_at(point: &str) {
    if said("V1_CRASH").as_deref() == Some(point) {
        note(&format!("crashed {point}"));
        nix::sys::signal::raise(nix::sys::signal::SIGKILL).unwrap();
    }
    if said("V1_STOP").as_deref() == Some(point) {
        note(&format!("stopped {point}"));
        nix::sys::signal::raise(nix::sys::signal::SIGSTOP).unwrap();
    }
}

/// A line for the test.
pub fn note(text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(home().join("notes")).unwrap();
    file.write_all(format!("{} {text}\n", std::process::id()).as_bytes()).unwrap();
}

/// The writer's end of the log: there is never a second one.
struct Writer {
    log: File,
    _only: Flock<File>,
    next: u64,
}

impl Writer {
    fn open(home: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(home.join("writer")).unwrap();
        let only = Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap_or_else(|_| {
            note("VIOLATION a second writer");
            std::process::exit(70);
        });
        let log = OpenOptions::new().create(true).append(true).open(home.join("log")).unwrap();
        let next = BufReader::new(File::open(home.join("log")).unwrap()).lines().count() as u64;
        Self { log, _only: only, next }
    }

    fn append(&mut self, words: &str) -> u64 {
        self.log.write_all(format!("{} {words}\n", self.next).as_bytes()).unwrap();
        self.next += 1;
        self.next - 1
    }
}

#[derive(Clone)]
struct Service {
    listener: Arc<TcpListener>,
    writer: Arc<Mutex<Option<Writer>>>,
    accepts: Arc<AtomicBool>,
}

impl Service {
    fn new(listener: TcpListener) -> Self {
        Self { listener: Arc::new(listener), writer: Arc::default(), accepts: Arc::default() }
    }

    /// The state, which takes some time for some.
    fn open(&self) {
        *self.writer.lock().unwrap() = Some(Writer::open(&home()));
    }

    fn serve(&self) {
        self.accepts.store(true, Ordering::SeqCst);
        note("serves");
        self.run();
    }

    /// One connection after the other, while it may.
    fn run(&self) {
        let all = self.clone();
        std::thread::spawn(move || {
            loop {
                let mut set = [PollFd::new(all.listener.as_fd(), PollFlags::POLLIN)];
                let ready = poll(&mut set, PollTimeout::from(20u8)) == Ok(1);
                let mut writer = all.writer.lock().unwrap();
                let Some(writer) = writer.as_mut().filter(|_| ready && all.accepts.load(Ordering::SeqCst)) else {
                    drop(writer);
                    std::thread::sleep(Duration::from_millis(1));
                    continue;
                };
                let Ok((stream, _)) = all.listener.accept() else { continue };
                let mut line = String::new();
                stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                if BufReader::new(&stream).read_line(&mut line).is_ok_and(|length| length > 0) {
                    let number = writer.append(line.trim());
                    let _ = (&stream).write_all(format!("{} {number}\n", std::process::id()).as_bytes());
                }
            }
        });
    }
}

impl Drainable for Service {
    fn drain(&self, deadline: Instant) -> handoff::Result<DrainReport> {
        self.accepts.store(false, Ordering::SeqCst);
        note(&format!("drain {}", deadline.saturating_duration_since(Instant::now()).as_millis()));
        crash_at("o-inside-drain");
        wait("V1_DRAIN_MS");
        if said("V1_DRAIN_FAILS").is_some() {
            return Err(handoff::Error::Protocol("no drain today".into()));
        }
        drop(self.writer.lock().unwrap());
        Ok(DrainReport { open_conns_remaining: 3, accept_closed: true })
    }

    fn seal(&self) -> handoff::Result<SealReport> {
        crash_at("o-inside-seal");
        wait("V1_SEAL_MS");
        if said("V1_SEAL_FAILS").is_some() {
            return Err(handoff::Error::Protocol("no seal today".into()));
        }
        let writer = self.writer.lock().unwrap().take();
        let next = writer.as_ref().map_or(0, |writer| writer.next);
        note("sealed");
        Ok(SealReport { last_revision_per_shard: vec![next], data_dir_fingerprint: [7; 32] })
    }

    fn resume_after_abort(&self) -> handoff::Result<()> {
        let mut writer = self.writer.lock().unwrap();
        if writer.is_none() {
            *writer = Some(Writer::open(&home()));
        }
        self.accepts.store(true, Ordering::SeqCst);
        note("resumed");
        Ok(())
    }

    fn snapshot_state(&self) -> StateSnapshot {
        StateSnapshot::default()
    }
}

fn wait(name: &str) {
    if let Some(ms) = said(name).and_then(|ms| ms.parse().ok()) {
        std::thread::sleep(Duration::from_millis(ms));
    }
}

/// Whoever is left when its test has ended goes, too.
pub fn end_with_the_test() {
    let home = home();
    std::thread::spawn(move || {
        let until = Instant::now() + Duration::from_secs(120);
        while home.exists() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(100));
        }
        std::process::exit(0);
    });
}

/// The whole of it.
pub fn run() -> ! {
    end_with_the_test();
    // A test's name stands in the output of every process of this binary; this one has nothing to say there.
    note("born");
    let (data, control) = (home().join("data"), home().join("control"));
    let pid = said("LISTEN_PID");
    note(&format!("LISTEN_PID {}", pid.is_some_and(|pid| pid == std::process::id().to_string())));
    crash_at("n-before-handshake");
    wait("V1_LOAD_MS");
    let (service, incumbent) = match handoff::detect_role().unwrap() {
        Role::ColdStart { mut inherited } => {
            let service = Service::new(inherited.take("main").expect("the listener"));
            let lock = DataDirLock::acquire_or_break_stale(&data).unwrap();
            service.open();
            service.serve();
            wait("V1_BIND_MS");
            (service, Incumbent::bind_cold_start(&control, lock).unwrap().with_build_id(b"build-1".to_vec()))
        }
        Role::Successor(successor) => {
            let greeted = successor.handshake(vec![0xBE, 0xEF]).unwrap();
            crash_at("n-after-handshake");
            let mut begun = match greeted.wait_for_begin() {
                Ok(begun) => begun,
                Err(error) => {
                    note(&format!("not begun {error}"));
                    std::process::exit(4);
                }
            };
            note("begun");
            crash_at("n-after-begin");
            let service = Service::new(begun.take_listener("main").expect("the listener"));
            let lock = match DataDirLock::acquire(&data) {
                Ok(lock) => lock,
                Err(error) => {
                    note(&format!("no lock {error}"));
                    std::process::exit(3);
                }
            };
            note("has the lock");
            let beats = said("V1_BEATS").map(|_| begun.start_heartbeats());
            service.open();
            wait("V1_OPEN_MS");
            drop(beats);
            crash_at("n-before-announce-ready");
            let unhealthy = said("V1_UNHEALTHY").is_some();
            let ready = ReadinessSnapshot {
                listening_on: vec!["main".into()],
                healthz_ok: !unhealthy,
                advertised_revision_per_shard: vec![if unhealthy { 1 << 40 } else { 0 }],
            };
            let incumbent = match begun.announce_and_bind(ready, &control, lock) {
                Ok(incumbent) => incumbent.with_build_id(b"build-2".to_vec()),
                Err(error) => {
                    note(&format!("not announced {error}"));
                    std::process::exit(5);
                }
            };
            note("announced");
            service.serve();
            (service, incumbent)
        }
    };
    let ended = incumbent.serve(service);
    note(&format!("ends {}", if ended.is_ok() { "committed" } else { "without its lock" }));
    std::process::exit(if ended.is_ok() { 0 } else { 6 });
}
