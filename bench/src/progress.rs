//! One line that says what is being measured, on a terminal only: into a file or a pipe nothing is written but the
//! results.

use std::io::{IsTerminal, Write};

pub struct Progress {
    terminal: bool,
}

impl Progress {
    pub fn new() -> Self {
        Self { terminal: std::io::stderr().is_terminal() }
    }

    pub fn say(&self, what: &str) {
        if self.terminal {
            eprint!("\r\x1b[K  {what} ...");
            let _ = std::io::stderr().flush();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }
}
