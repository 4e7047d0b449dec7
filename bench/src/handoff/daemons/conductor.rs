//! `bench handoff-daemon` (hidden): whoever starts, replaces and ends one daemon, as `handoff-conductor` does with the
//! servers of this bench: procsup's supervisor, or an operator who follows the daemon's manual. It runs on the daemon's
//! CPU. A replacement is over when nobody of the old generation is left.

use super::super::work::pidfd;
use super::{Daemon, Kind, Setup, WORKERS, Way};
use crate::host;
use crate::options::DEFAULT_LIB;
use crate::served::Served;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::io::{BufRead, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(50);
/// Between two looks at what cannot be waited for.
const LOOK: Duration = Duration::from_millis(5);

#[derive(clap::Args)]
pub struct Options {
    id: String,
    /// Of this run
    dir: PathBuf,
    #[arg(long)]
    port: u16,
    #[arg(long)]
    cpu: Option<usize>,
    /// libprocsup.so
    #[arg(long, env = "PROCSUP_LIB", default_value = DEFAULT_LIB)]
    lib: PathBuf,
}

pub fn run(options: &Options) -> Result<(), String> {
    if let Some(cpu) = options.cpu {
        host::pin(cpu)?;
    }
    let daemon = Daemon::find(&options.id).ok_or("no such daemon")?;
    // Masters whose parent has gone are ours, so that nobody is left behind.
    set_child_subreaper(true).map_err(|errno| format!("subreaper: {errno}"))?;
    let setup = Setup { dir: options.dir.clone(), port: options.port };
    let mut conductor = Conductor { daemon, setup, lib: &options.lib, overseer: None, master: Pid::from_raw(0) };
    let done = conductor.obey();
    conductor.end();
    done.map_err(|problem| format!("{}: {problem}", daemon.id))
}

struct Conductor<'a> {
    daemon: &'static Daemon,
    setup: Setup,
    lib: &'a Path,
    overseer: Option<Served>,
    /// Without a supervisor.
    master: Pid,
}

impl Conductor<'_> {
    fn obey(&mut self) -> Result<(), String> {
        for line in std::io::stdin().lock().lines() {
            let begun = Instant::now();
            match line.map_err(|error| error.to_string())?.as_str() {
                "start" => self.start()?,
                "replace" => self.replace()?,
                "stop" => return Ok(()),
                other => return Err(format!("no order {other}")),
            }
            let us = begun.elapsed().as_secs_f64() * 1e6;
            let mut out = std::io::stdout().lock();
            writeln!(out, "{us:.1}").and_then(|()| out.flush()).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn start(&mut self) -> Result<(), String> {
        self.daemon.prepare(&self.setup).map_err(|error| error.to_string())?;
        if self.daemon.is_ours() {
            let (dir, port) = (self.setup.dir.to_string_lossy(), format!("--port={}", self.setup.port));
            let overseer = Served::start(&["handoff-overseer", self.daemon.id, &dir, &port], self.lib)?;
            self.overseer.insert(overseer).ask("start")?;
        } else {
            let words = self.daemon.own_words(&self.setup);
            let mut command = Command::new(&words[0]);
            let command = command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null());
            command.spawn().map_err(|error| format!("{}: {error}", words[0]))?;
            let path = Daemon::pid_file(&self.setup, 0);
            self.master = until("its pid file", || pid_in(&path))?;
        }
        until("its answer", || answers(self.setup.port).then_some(()))
    }

    fn replace(&mut self) -> Result<(), String> {
        let signal = |to: Pid, what: Signal| kill(to, what).map_err(|errno| format!("{what} to {to}: {errno}"));
        let old = self.master;
        match self.daemon.way {
            Way::Procsup => {
                let overseer = self.overseer.as_mut().ok_or("not started")?;
                let mut old = children(overseer.pid()).into_iter().map(|pid| pidfd(pid.as_raw() as u32));
                let old = old.next().ok_or("no old one")??;
                overseer.ask("replace")?;
                until("the end of the old one", || ended(old.as_raw_fd()).then_some(()))
            }
            Way::Hup => {
                let workers = children(old);
                signal(old, Signal::SIGHUP)?;
                until("other workers", || {
                    let now = children(old);
                    (now.len() >= WORKERS && now.is_disjoint(&workers)).then_some(())
                })
            }
            Way::Usr2 => {
                let (path, end) = (
                    Daemon::pid_file(&self.setup, 0),
                    match self.daemon.kind {
                        Kind::Nginx => Signal::SIGQUIT,
                        Kind::Gunicorn => Signal::SIGTERM,
                    },
                );
                let process = pidfd(old.as_raw() as u32)?;
                signal(old, Signal::SIGUSR2)?;
                // nginx has moved its own away first, gunicorn's new one has another name until it is alone.
                let second = path.with_extension("pid.2");
                let new =
                    until("another master", || pid_in(&path).filter(|pid| *pid != old).or_else(|| pid_in(&second)))?;
                until("its workers", || (children(new).len() >= WORKERS).then_some(()))?;
                signal(old, end)?;
                until("the end of the old one", || ended(process.as_raw_fd()).then_some(()))?;
                let _ = waitpid(old, Some(WaitPidFlag::WNOHANG));
                until("the name of the new one", || pid_in(&path).filter(|pid| *pid == new))?;
                self.master = new;
                Ok(())
            }
        }
    }

    /// All that is below this process.
    fn end(&mut self) {
        if let Some(overseer) = self.overseer.take() {
            let _ = overseer.signal(Signal::SIGKILL);
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            for child in children(nix::unistd::getpid()) {
                let _ = kill(child, Signal::SIGKILL); // not waited for yet, so the number is its own
            }
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Err(nix::Error::ECHILD) => return,
                Ok(status) if status.pid().is_some() => {}
                _ => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> Result<T, String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if Instant::now() > deadline {
            return Err(format!("{what} does not come"));
        }
        std::thread::sleep(LOOK);
    }
}

fn pid_in(path: &Path) -> Option<Pid> {
    let number = std::fs::read_to_string(path).ok()?.trim().parse().ok()?;
    (number > 0).then(|| Pid::from_raw(number))
}

fn children(of: Pid) -> BTreeSet<Pid> {
    let text = std::fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|word| word.parse().ok()).map(Pid::from_raw).collect()
}

fn ended(process: i32) -> bool {
    let mut waiting = libc::pollfd { fd: process, events: libc::POLLIN, revents: 0 };
    // SAFETY: one structure of our own.
    unsafe { libc::poll(&mut waiting, 1, 0) == 1 }
}

fn answers(port: u16) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        std::io::Result::Ok(text)
    };
    ask().is_ok_and(|text| text.starts_with("HTTP/1.1 200"))
}
