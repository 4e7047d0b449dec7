//! Python's forkserver, which a worker of the library's is held against: multiprocessing, with a module of the same size preloaded, from before
//! `start()` until the child's first byte has been read.

use super::app::MIB;
use crate::preloader::Way;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

const PYTHON: &str = "/usr/bin/python3";

const MODULE: &str = "def work(line):
    line.send_bytes(b'r')
";

const MAIN: &str = "import multiprocessing, sys, time
import app
if __name__ == '__main__':
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['app'])
    for order in sys.stdin:
        ours, theirs = context.Pipe(duplex=False)
        begun = time.monotonic_ns()
        process = context.Process(target=app.work, args=(theirs,))
        process.start()
        ours.recv_bytes()
        print(time.monotonic_ns() - begun, flush=True)
        theirs.close()
        process.join()
        ours.close()
";

pub struct Forkserver {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Forkserver {
    /// `None`: there is no Python here.
    pub fn start(dir: &Path) -> Result<Option<Self>, String> {
        if !Path::new(PYTHON).exists() {
            return Ok(None);
        }
        let failed = |error: std::io::Error| format!("{PYTHON}: {error}");
        let (module, main) = (dir.join("app.py"), dir.join("main.py"));
        std::fs::write(&module, format!("table = b'x' * ({MIB} << 20)\n{MODULE}")).map_err(failed)?;
        std::fs::write(&main, MAIN).map_err(failed)?;
        let mut process = Command::new(PYTHON)
            .arg(&main)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let (orders, answers) = (process.stdin.take(), process.stdout.take().expect("piped"));
        Ok(Some(Self { process, orders, answers: BufReader::new(answers) }))
    }
}

impl Way for Forkserver {
    fn ready(&mut self) -> Result<Duration, String> {
        let mut line = String::new();
        writeln!(self.orders.as_mut().expect("open until the end"), "one").map_err(|error| error.to_string())?;
        self.answers.read_line(&mut line).map_err(|error| error.to_string())?;
        line.trim().parse().map(Duration::from_nanos).map_err(|_| format!("Python's forkserver: {line:?}"))
    }

    fn end(&mut self) -> Result<(), String> {
        Ok(())
    }
}

impl Drop for Forkserver {
    /// Its server ends with it: end of file of the pipe that it keeps alive with.
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.process.wait();
    }
}
