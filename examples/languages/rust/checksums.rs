//! Checksums of files by sha256sum, four at a time, under tokio, through the crate itself. The same program in ten languages: docs/languages.md.
//!
//! ```text
//! cargo run -- FILE... +LATER...
//! ```
//!
//! +LATER is a file that is not there yet: it is tried again until it is, and a child of tokio's own (tokio::process) makes it meanwhile. Ctrl-C
//! stops all children by their stop plans; then the program ends by itself.
//!
//! The trap: tokio watches edge-triggered. `AsyncFd` remembers that there was an edge until it is told that nothing is left (`clear_ready`): so
//! take all events first, and look at `None` as the only end. It owns what it watches: give it a duplicate.
use std::process::ExitCode;

use procsup::{Command, EventKind, Exit, Kind, Managed, RestartWhen, Stdio, Supervisor};
use tokio::io::{Interest, unix::AsyncFd};

type Failure = Box<dyn std::error::Error>;

const AT_ONCE: u32 = 4;

struct File {
    name: String,
    result: Option<String>,
}

struct Checksums {
    supervisor: Supervisor,
    files: Vec<File>,
    running: u32,
    most: u32,
    own: Option<tokio::process::Child>,
    own_code: Option<i32>,
    interrupted: bool,
    ending: bool,
    done: bool,
}

impl Checksums {
    fn new(names: &[String]) -> Result<Self, Failure> {
        let supervisor = Supervisor::new()?;
        supervisor.set_max_running(AT_ONCE)?;
        let mut files = Vec::new();
        for (number, word) in names.iter().enumerate() {
            let name = word.trim_start_matches('+').to_owned();
            let mut command = Command::new("sha256sum")?;
            if word.starts_with('+') {
                command.restart(RestartWhen::OnFailure, 10, 100)?.restart_limit(0, 10_000)?; // 0: it never gives up
            }
            command.arg(&name)?.env("LC_ALL", Some("C".as_ref()))?.stdio(0, Stdio::Null)?.capture(4096)?.user_data(number as u64);
            supervisor.spawn(&command, 0)?; // or stands in line; what it gives comes with each event, too
            files.push(File { name, result: None });
        }
        let (own, own_code) = (None, None);
        Ok(Self { supervisor, files, running: 0, most: 0, own, own_code, interrupted: false, ending: false, done: false })
    }

    async fn run(&mut self) -> Result<(), Failure> {
        let fd = self.supervisor.fd()?.try_clone_to_owned()?;
        // SAFETY: the watcher owns this duplicate, so it stays the same descriptor, and open, for as long as it is watched.
        let watched = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }?;
        let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
        while !self.done {
            tokio::select! {
                ready = watched.readable() => {
                    self.take_events()?; // until there is none
                    ready?.clear_ready();
                }
                ended = ended(&mut self.own) => {
                    self.own_code = ended?.code();
                    self.own = None;
                }
                _ = interrupt.recv() => {
                    self.interrupted = true;
                    self.end()?;
                }
            }
            self.end_if_all_is_over()?;
        }
        Ok(()) // the watcher goes before the supervisor
    }

    fn take_events(&mut self) -> Result<(), Failure> {
        while let Some(event) = self.supervisor.next_event(0)? {
            let number = event.user_data() as usize;
            match event.kind() {
                EventKind::Started => {
                    self.running += 1;
                    self.most = self.most.max(self.running);
                }
                EventKind::Exited => {
                    self.running -= 1;
                    let (child, exit) = (event.child.as_ref(), event.exit());
                    self.files[number].result = child.zip(exit).map(|(child, exit)| result(child, &exit, event.run)).transpose()?;
                }
                // Comes right behind Exited: that was not the last run.
                EventKind::Restarting => {
                    self.files[number].result = None;
                    if self.own.is_none() && self.own_code.is_none() {
                        self.own = Some(make(&self.files[number].name)?);
                    }
                }
                kind @ (EventKind::Failed | EventKind::Cancelled) => self.files[number].result = Some(named(kind)),
                EventKind::ShutdownDone => self.done = true,
                _ => {}
            }
        }
        Ok(())
    }

    fn end_if_all_is_over(&mut self) -> Result<(), Failure> {
        if self.own.is_none() && self.files.iter().all(|file| file.result.is_some()) { self.end() } else { Ok(()) }
    }

    fn end(&mut self) -> Result<(), Failure> {
        if !std::mem::replace(&mut self.ending, true) {
            self.supervisor.shutdown(1000)?; // one last event says that all is over
        }
        Ok(())
    }

    fn report(&self) -> ExitCode {
        for file in &self.files {
            println!("{} {}", file.name, file.result.as_deref().unwrap_or("?"));
        }
        if let Some(code) = self.own_code {
            println!("own child: exit code {code}");
        }
        if self.interrupted {
            println!("interrupted");
        }
        let kept = if self.most <= AT_ONCE { "never more than" } else { "MORE THAN" };
        println!("{} files, {kept} {AT_ONCE} at once, {} children left", self.files.len(), procsup::live_count());
        if self.interrupted { ExitCode::from(130) } else { ExitCode::SUCCESS }
    }
}

fn result(child: &Managed, exit: &Exit, run: u32) -> Result<String, Failure> {
    let output = String::from_utf8_lossy(&child.output()?).trim().to_owned();
    Ok(match exit.kind {
        Kind::Exited if exit.code != 0 => format!("exit code {}: {output}", exit.code),
        Kind::Exited => format!("{}{}", output.split(' ').next().unwrap_or_default(), if run > 1 { " at a later run" } else { "" }),
        _ => {
            let signal = if exit.signal == 15 { "SIGTERM".to_owned() } else { format!("signal {}", exit.signal) };
            format!("{signal}, {}", named(exit.cause))
        }
    })
}

/// A constant by its name in C, which ends as C wants it.
fn named(constant: impl Into<&'static str>) -> String {
    constant.into().trim_end_matches('\0').to_owned()
}

/// A child that procsup knows nothing of.
fn make(name: &str) -> std::io::Result<tokio::process::Child> {
    let script = "echo it has come >\"$0.new\" && mv \"$0.new\" \"$0\"; exit 7";
    tokio::process::Command::new("sh").args(["-c", script, name]).spawn()
}

/// Its end, or never.
async fn ended(own: &mut Option<tokio::process::Child>) -> std::io::Result<std::process::ExitStatus> {
    match own {
        Some(child) => child.wait().await,
        None => std::future::pending().await,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Failure> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let mut work = Checksums::new(&names)?;
    work.run().await?;
    Ok(work.report())
}
