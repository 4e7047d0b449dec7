//! A helper process of a measurement, which is this program again under a hidden subcommand: starts it, gives it orders,
//! one line each, which it answers with a line of numbers, and sees to it that it and its children end.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// For one order; the slowest takes some seconds.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Served {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Served {
    /// `words`: the subcommand and its arguments.
    pub fn start(words: &[&str], lib: &Path) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut process = Command::new(program)
            .args(words)
            .arg("--lib")
            .arg(lib)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", words.join(" ")))?;
        let (orders, answers) = (process.stdin.take(), process.stdout.take().expect("piped"));
        Ok(Self { process, orders, answers: BufReader::new(answers) })
    }

    /// An order that fails ends the host, which has said why on stream 2.
    pub fn ask(&mut self, order: &str) -> Result<Vec<f64>, String> {
        self.order(order)?;
        self.answer(order)
    }

    /// Without waiting for its answer.
    pub fn order(&mut self, order: &str) -> Result<(), String> {
        let orders = self.orders.as_mut().expect("open until the end");
        writeln!(orders, "{order}").map_err(|error| format!("the host of \"{order}\": {error}"))
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.process.id() as i32)
    }

    /// It has not been waited for, so the number is its own.
    pub fn signal(&self, signal: Signal) -> Result<(), String> {
        kill(self.pid(), signal).map_err(|errno| format!("{signal}: {errno}"))
    }

    /// One more answer to the last order.
    pub fn answer(&mut self, order: &str) -> Result<Vec<f64>, String> {
        let failed = |why: String| format!("the host of \"{order}\": {why}");
        let mut line = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        while line.last() != Some(&b'\n') {
            if !readable(self.answers.get_ref(), deadline) {
                let _ = self.process.kill(); // its children die with it: they asked the kernel for that
                return Err(failed("no answer".into()));
            }
            let bytes = self.answers.fill_buf().map_err(|error| failed(error.to_string()))?;
            if bytes.is_empty() {
                return Err(failed("has ended".into()));
            }
            let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
            line.extend_from_slice(&bytes[..end]);
            self.answers.consume(end);
        }
        let text = String::from_utf8_lossy(&line);
        text.split_whitespace().map(|word| word.parse().map_err(|_| failed(format!("answered {word}")))).collect()
    }
}

fn readable(stream: &ChildStdout, deadline: Instant) -> bool {
    let mut waiting = libc::pollfd { fd: stream.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    loop {
        let left = deadline.saturating_duration_since(Instant::now()).as_millis();
        // SAFETY: one structure of our own.
        match unsafe { libc::poll(&mut waiting, 1, left as i32) } {
            0 => return false,
            status if status < 0 && left > 0 => {} // a signal
            _ => return true,
        }
    }
}

impl Drop for Served {
    /// The next one must not be measured while this one's children are being buried.
    fn drop(&mut self) {
        drop(self.orders.take());
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
