//! Which descriptors it gets: the standard streams, those that are passed, those it listens on; and what becomes of what it says.
//!
//! The trap: descriptors are named by number, and a number is the caller's until he closes it; then it may be anybody's. So each one is
//! looked at when it is named, again before anything is opened for a spawn, and duplicated for a spawn that comes later.

use core::ffi::CStr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::Arc;

use nix::errno::Errno;

use super::Command;
use super::passed::Passed;
use crate::clock::MILLI;
use crate::error::{Error, Result};
use crate::process::output::file;
use crate::process::output::input::Input;
use crate::process::output::{Cut, End, Keep};
use crate::process::systemd;
use crate::sys::reserve::out_of_memory;
use crate::sys::spawn::Move;
use crate::sys::{fds, reserve};

/// What a standard stream of a child is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Stdio {
    /// The host's own (default).
    #[default]
    #[strum(serialize = "PS_STDIO_INHERIT")]
    Inherit = 0,
    /// /dev/null.
    #[strum(serialize = "PS_STDIO_NULL")]
    Null = 1,
    /// A pipe, whose other end the host gets.
    #[strum(serialize = "PS_STDIO_PIPE")]
    Pipe = 2,
    /// A descriptor of the host.
    #[strum(serialize = "PS_STDIO_FD")]
    Fd(RawFd) = 3,
    /// Stream 2 only: wherever stream 1 goes.
    #[strum(serialize = "PS_STDIO_MERGE")]
    Merge = 4,
    /// A pseudo-terminal, the same for all streams that are one; the host gets its other end.
    #[strum(serialize = "PS_STDIO_PTY")]
    Pty = 5,
}

/// Which way a pipe of a child's goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum PipeDirection {
    /// The child reads, the host writes.
    #[strum(serialize = "PS_PIPE_TO_CHILD")]
    ToChild = 1,
    /// The child writes, the host reads.
    #[strum(serialize = "PS_PIPE_FROM_CHILD")]
    FromChild = 2,
}

/// Streams and descriptors.
#[derive(Clone, Debug)]
pub struct Streams {
    pub(in crate::process) stdio: [Stdio; 3],
    /// Those that are given by number.
    pub(in crate::process) passed: Passed,
    /// Pipes beside the standard streams: number in the child, and its direction.
    pub(in crate::process) pipes: Vec<(RawFd, PipeDirection)>,
    /// (descriptor of the host, name)
    pub(in crate::process) listening: Vec<(RawFd, Vec<u8>)>,
    pub(in crate::process) capture: Option<usize>,
    /// Of what is captured: each stream by itself.
    apart: bool,
    /// And which bytes of it.
    end: End,
    pub(in crate::process) lines: bool,
    pub(in crate::process) line_limit: usize,
    /// A piece of a line is told when it has lain there for so long.
    piece_ms: Option<i64>,
    pub(in crate::process) output_file: Option<file::Spec>,
    pub(in crate::process) keep_on_failure: bool,
    pub(in crate::process) input: Option<Arc<Input>>,
    /// Its input is fed while it runs; so many bytes may wait for it.
    pub(in crate::process) fed: Option<usize>,
    /// The terminal of its session, lent.
    pub(in crate::process) terminal: Option<RawFd>,
    /// Rows and columns of a pseudo-terminal.
    pub(in crate::process) pty_size: [u16; 2],
    /// Duplicates of lent descriptors, for a command that is spawned later than it was given; in the order of their numbers.
    pins: Vec<Arc<OwnedFd>>,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            stdio: [Stdio::Inherit; 3],
            passed: Passed::default(),
            pipes: Vec::new(),
            listening: Vec::new(),
            capture: None,
            apart: false,
            end: End::Last,
            lines: false,
            line_limit: 64 * 1024,
            piece_ms: None,
            output_file: None,
            keep_on_failure: true,
            input: None,
            fed: None,
            terminal: None,
            pty_size: [24, 80],
            pins: Vec::new(),
        }
    }
}

fn open_fd(step: &'static str, fd: RawFd) -> Result<()> {
    if fds::is_open(fd) {
        return Ok(());
    }
    Err(Error::invalid(step, format!("{step}: {fd} is not an open descriptor")).with_errno(Errno::EBADF))
}

/// Why a descriptor is not given.
enum NotPassed {
    /// It is not open.
    Closed(RawFd),
    /// No descriptor can have that number.
    NoNumber(RawFd),
    /// The child has another one of that number.
    Twice(RawFd),
}

impl NotPassed {
    /// `call`: which, and of which of its descriptors, as the message begins.
    fn error(self, step: &'static str, call: &str) -> Error {
        match self {
            Self::Closed(fd) => Error::invalid(step, format!("{call}{fd} is not an open descriptor")).with_errno(Errno::EBADF),
            Self::NoNumber(number) => Error::invalid(step, format!("{call}{number} cannot be the number of a descriptor")),
            Self::Twice(number) => Error::invalid(step, format!("{call}descriptor {number} of the child is given twice")),
        }
    }
}

/// Numbers of descriptors that a child may have; the kernel's ceiling of `fs.nr_open` is far below.
const MAX_FD: RawFd = 1 << 20;

/// Takes the streams apart, so that a new field is decided on here: the numbers that the caller has lent, as an iterator. All of them are
/// checked at each spawn, and duplicated for one that comes later.
macro_rules! lent {
    ($streams:expr, $iter:ident) => {{
        let Streams {
            stdio,
            passed,
            pipes: _,
            listening,
            capture: _,
            apart: _,
            end: _,
            lines: _,
            line_limit: _,
            piece_ms: _,
            output_file: _,
            keep_on_failure: _,
            input: _,
            fed: _,
            terminal,
            pty_size: _,
            pins: _,
        } = $streams;
        let streams = stdio.$iter().filter_map(|how| if let Stdio::Fd(fd) = how { Some(fd) } else { None });
        passed.$iter().map(|(fd, _)| fd).chain(listening.$iter().map(|(fd, _)| fd)).chain(streams).chain(terminal.$iter())
    }};
}

impl Streams {
    /// What would tie a child to this process. Names every field (see `lasting.rs`).
    pub(super) fn tie(&self) -> Option<&'static str> {
        let Self {
            stdio,
            passed: _,
            pipes,
            listening: _,
            capture,
            apart: _,
            end: _,
            lines,
            line_limit: _,
            piece_ms: _,
            output_file,
            keep_on_failure: _,
            input: _,
            fed,
            terminal: _,
            pty_size: _,
            pins: _,
        } = self;
        super::lasting::first([
            (stdio.contains(&Stdio::Pty), "a pseudo-terminal"),
            (capture.is_some() || *lines, "captured output"),
            (output_file.is_some(), "output_file"),
            (stdio.contains(&Stdio::Pipe), "a pipe as a standard stream"),
            (!pipes.is_empty(), "a pipe"),
            (fed.is_some(), "input_stream"),
        ])
    }

    /// What only its maker could give to a process.
    pub(super) fn of_a_maker(&self) -> Option<&'static str> {
        let Self {
            stdio,
            passed,
            pipes,
            listening,
            capture: _,
            apart: _,
            end: _,
            lines: _,
            line_limit: _,
            piece_ms: _,
            output_file,
            keep_on_failure: _,
            input,
            fed,
            terminal,
            pty_size: _,
            pins: _,
        } = self;
        super::lasting::first([
            (stdio.iter().any(|how| matches!(how, Stdio::Fd(_) | Stdio::Pty)), "stdio"),
            (terminal.is_some(), "terminal"),
            (!passed.is_empty(), "pass_fd"),
            (!pipes.is_empty(), "pipe"),
            (!listening.is_empty(), "listen_fd"),
            (output_file.is_some(), "output_file"),
            (input.is_some(), "input"),
            (fed.is_some(), "input_stream"),
        ])
    }

    /// Whether each child gets other descriptors, or is told of them. Names every field (see `prepared.rs`).
    pub(super) fn differ(&self) -> bool {
        let Self {
            stdio,
            passed: _,
            pipes,
            listening,
            capture,
            apart: _,
            end: _,
            lines,
            line_limit: _,
            piece_ms: _,
            output_file,
            keep_on_failure: _,
            input,
            fed,
            terminal,
            pty_size: _,
            pins: _,
        } = self;
        let piped = stdio.contains(&Stdio::Pipe)
            || stdio.contains(&Stdio::Pty)
            || terminal.is_some()
            || capture.is_some()
            || *lines
            || fed.is_some()
            || !pipes.is_empty();
        piped || output_file.is_some() || input.is_some() || !listening.is_empty()
    }

    /// What says what stream 0 or 1 is, if anything does. Names every field (see `piped.rs`); what is kept of a stream is not what it is.
    pub(super) fn claimed(&self, stream: RawFd) -> Option<&'static str> {
        let Self {
            stdio,
            passed,
            pipes: _,
            listening: _,
            capture: _,
            apart: _,
            end: _,
            lines: _,
            line_limit: _,
            piece_ms: _,
            output_file,
            keep_on_failure: _,
            input,
            fed,
            terminal: _,
            pty_size: _,
            pins: _,
        } = self;
        super::lasting::first([
            (stdio[stream as usize] != Stdio::Inherit, "stdio"),
            (passed.iter().any(|(_, to)| *to == stream), "pass_fd"),
            (stream == 0 && input.is_some(), "input"),
            (stream == 0 && fed.is_some(), "input_stream"),
            (stream == 1 && output_file.is_some(), "output_file"),
        ])
    }

    /// Those that are the host's own, if it has them and its children inherit them: a bit each.
    pub(in crate::process) fn inherited(&self) -> u8 {
        let is_the_hosts = |stream: &RawFd| self.stdio[*stream as usize] == Stdio::Inherit && !self.passed.has(*stream);
        (0..3).filter(|stream| is_the_hosts(stream) && fds::is_inherited(*stream)).fold(0, |bits, stream| bits | 1 << stream)
    }

    /// What cannot be given to a process that waits at its gate: a name in its environment, a file that is put in its place by its maker's rules.
    pub(super) fn of_a_birth(&self) -> Option<&'static str> {
        let Self {
            stdio,
            passed: _,
            pipes: _,
            listening,
            capture: _,
            apart: _,
            end: _,
            lines: _,
            line_limit: _,
            piece_ms: _,
            output_file,
            keep_on_failure: _,
            input: _,
            fed: _,
            terminal,
            pty_size: _,
            pins: _,
        } = self;
        // Stream 1 is the preloader's then, and no descriptor here stands for it.
        let merges_into_the_preloaders = stdio[2] == Stdio::Merge && self.merges_into_the_hosts();
        super::lasting::first([
            (merges_into_the_preloaders || stdio.contains(&Stdio::Pty), "stdio"),
            (terminal.is_some(), "terminal"),
            (!listening.is_empty(), "listen_fd"),
            (output_file.is_some(), "output_file"),
        ])
    }

    /// The bytes of the longest list that a spawn makes of them.
    pub(super) fn bytes(&self) -> usize {
        // Moves grow by doubling.
        let moves = 2 * size_of::<Move>() * (self.passed.len() + self.listening.len() + self.pipes.len());
        let names: usize = self.listening.iter().map(|(_, name)| name.len() + 1 + size_of::<(RawFd, Vec<u8>)>()).sum();
        moves.max(names)
    }

    /// Whether this number of the child is given.
    fn has(&self, number: RawFd) -> bool {
        self.passed.has(number) || self.pipes.iter().any(|(at, _)| *at == number)
    }

    /// Refuses a number of the child that is given already.
    fn check_free(&self, step: &'static str, number: RawFd) -> Result<()> {
        if self.has(number) {
            return Err(Error::invalid(step, format!("{step}: descriptor {number} of the child is given twice")));
        }
        Ok(())
    }

    /// The numbers that the caller has lent.
    pub(in crate::process) fn lent(&self) -> impl Iterator<Item = RawFd> {
        lent!(self, iter).copied()
    }

    /// What is kept of what it says.
    pub(in crate::process) fn keep(&self) -> Option<Keep> {
        self.capture.map(|most| Keep { most, end: self.end, apart: self.apart })
    }

    /// How what it says is cut into lines, if it is.
    pub(in crate::process) fn cut(&self) -> Option<Cut> {
        let piece_after = self.piece_ms.map(|ms| ms.saturating_mul(MILLI));
        self.lines.then_some(Cut { limit: self.line_limit, piece_after })
    }

    /// Whether pieces of lines are told.
    pub(in crate::process) fn tells_pieces(&self) -> bool {
        self.lines && self.piece_ms.is_some()
    }

    /// Whether streams 1 and 2 are read through one pipe, which keeps their order.
    pub(in crate::process) fn share_a_pipe(&self) -> bool {
        !self.lines && !self.apart
    }

    /// Whether stream 2 goes where the host's own 1 goes.
    pub(in crate::process) fn merges_into_the_hosts(&self) -> bool {
        let redirected = self.capture.is_some() || self.lines || self.output_file.is_some() || self.passed.has(1);
        self.stdio[2] == Stdio::Merge && self.stdio[1] == Stdio::Inherit && !redirected
    }

    /// Duplicates what was lent, and holds it.
    pub(super) fn pin(&mut self) -> Result<()> {
        let mut pins: Vec<Arc<OwnedFd>> = reserve::room(self.lent().count())?;
        for fd in lent!(&mut *self, iter_mut) {
            let copy = fds::duplicate_number(*fd)
                .map_err(|errno| Error::system("fcntl", errno, format!("cannot keep descriptor {fd} for a later start")))?;
            *fd = copy.as_raw_fd();
            pins.push(Arc::new(copy));
        }
        pins.sort_unstable_by_key(|pin| pin.as_raw_fd());
        self.pins = pins;
        Ok(())
    }

    /// The duplicate that this number is, if it was pinned.
    pub(in crate::process) fn pinned(&self, number: RawFd) -> Option<&Arc<OwnedFd>> {
        self.pins.binary_search_by_key(&number, |pin| pin.as_raw_fd()).ok().map(|place| &self.pins[place])
    }

    /// Whether all that is lent is held.
    pub(in crate::process) fn is_pinned(&self) -> bool {
        self.lent().all(|number| self.pinned(number).is_some())
    }
}

impl Command {
    /// What stream 0, 1 or 2 is.
    pub fn stdio(&mut self, stream: i32, how: Stdio) -> Result<&mut Self> {
        let index = usize::try_from(stream).ok().filter(|i| *i < 3);
        let index = index.ok_or_else(|| Error::invalid("stdio", format!("stdio: stream {stream} is not 0, 1 or 2")))?;
        match how {
            Stdio::Fd(fd) => open_fd("stdio", fd)?,
            Stdio::Merge if stream != 2 => return Err(Error::invalid("stdio", "stdio: only stream 2 can be merged (into 1)")),
            _ => {}
        }
        self.streams.stdio[index] = how;
        Ok(self)
    }

    /// Gives the child the descriptor `fd` as `child_fd`.
    pub fn pass_fd(&mut self, fd: RawFd, child_fd: RawFd) -> Result<&mut Self> {
        self.streams.passed.make_room(1)?;
        self.pass(fd, child_fd).map_err(|refused| refused.error("pass_fd", "pass_fd: "))?;
        Ok(self)
    }

    /// Gives the child these descriptors as those numbers: all, or none. The same numbers, if none are said.
    pub fn pass_fds(&mut self, fds: &[RawFd], child_fds: Option<&[RawFd]>) -> Result<&mut Self> {
        if fds.len() > MAX_FD as usize {
            return Err(Error::invalid("pass_fds", format!("pass_fds: {} descriptors are more than a child can have", fds.len())));
        }
        let before = self.streams.passed.len();
        self.streams.passed.make_room(fds.len())?;
        for (index, (fd, child_fd)) in fds.iter().zip(child_fds.unwrap_or(fds)).enumerate() {
            if let Err(refused) = self.pass(*fd, *child_fd) {
                self.streams.passed.truncate(before);
                return Err(refused.error("pass_fds", &format!("pass_fds: entry {index}: ")));
            }
        }
        Ok(self)
    }

    /// There is room for one more.
    fn pass(&mut self, fd: RawFd, child_fd: RawFd) -> core::result::Result<(), NotPassed> {
        if !fds::is_open(fd) {
            return Err(NotPassed::Closed(fd));
        }
        if !(0..MAX_FD).contains(&child_fd) {
            return Err(NotPassed::NoNumber(child_fd));
        }
        if self.streams.has(child_fd) {
            return Err(NotPassed::Twice(child_fd));
        }
        self.streams.passed.push(fd, child_fd);
        Ok(())
    }

    /// A pipe: the child has one end as `child_fd`, the host gets the other. Of a standard stream the same as [`Stdio::Pipe`].
    pub fn pipe(&mut self, child_fd: RawFd, direction: PipeDirection) -> Result<&mut Self> {
        match (child_fd, direction) {
            (0, PipeDirection::ToChild) | (1 | 2, PipeDirection::FromChild) => {
                self.streams.check_free("pipe", child_fd)?;
                self.stdio(child_fd, Stdio::Pipe)
            }
            (0, _) => Err(Error::invalid("pipe", "pipe: stream 0 is what the child reads")),
            (1 | 2, _) => Err(Error::invalid("pipe", format!("pipe: stream {child_fd} is what the child writes"))),
            (3..MAX_FD, _) => {
                self.streams.check_free("pipe", child_fd)?;
                self.streams.pipes.try_reserve(1).map_err(out_of_memory)?;
                self.streams.pipes.push((child_fd, direction));
                Ok(self)
            }
            _ => Err(Error::invalid("pipe", format!("pipe: {child_fd} cannot be the number of a descriptor"))),
        }
    }

    /// Gives the child a listening descriptor by the rules of sd_listen_fds(3): numbers from 3 in the order of calls.
    pub fn listen_fd(&mut self, fd: RawFd, name: Option<&CStr>) -> Result<&mut Self> {
        open_fd("listen_fd", fd)?;
        let name = systemd::name(name)?;
        self.streams.listening.try_reserve(1).map_err(out_of_memory)?;
        self.streams.listening.push((fd, name));
        Ok(self)
    }

    /// How many of those there are.
    pub fn listening(&self) -> usize {
        self.streams.listening.len()
    }

    /// Keeps the last `max_bytes` of what streams 1 and 2 say, as far as they are not redirected.
    pub fn capture(&mut self, max_bytes: usize) -> Result<&mut Self> {
        if max_bytes == 0 || max_bytes > 1 << 30 {
            return Err(Error::invalid("capture", "capture: between 1 byte and 1 GiB can be kept"));
        }
        self.streams.capture = Some(max_bytes);
        Ok(self)
    }

    /// Whether what is captured is kept by stream, so many bytes of each.
    pub fn capture_apart(&mut self, on: bool) -> &mut Self {
        self.streams.apart = on;
        self
    }

    /// Of a program that is run for its answer: the first bytes of streams 1 and 2 are kept apart, `most` of each, as far as they go nowhere else.
    /// A pipe of theirs is read for the answer, too, since nobody else gets its end. Where nothing was said of stream 0 there is nothing to read:
    /// who waits for the answer types nothing.
    pub fn answer(&mut self, most: usize) -> Result<&mut Self> {
        if most > 1 << 30 {
            return Err(Error::invalid(
                "max_bytes",
                format!("max_bytes: {most} bytes are more than the 1 GiB of a stream that can be kept"),
            ));
        }
        let Streams { stdio, passed, pipes, capture, apart, end, output_file, input, fed, .. } = &mut self.streams;
        if let Some((number, _)) = pipes.first() {
            return Err(Error::invalid("pipe", format!("pipe: nobody gets the other end of descriptor {number} here")));
        }
        if fed.is_some() {
            return Err(Error::invalid("input_stream", "input_stream: nobody can feed it here: give it input, or a descriptor"));
        }
        if stdio[0] == Stdio::Pty && input.is_none() {
            return Err(Error::invalid("stdio", "stdio: stream 0 is a terminal, and nobody types at it here: give it input"));
        }
        let given = |stream: usize| passed.iter().any(|(_, to)| *to == stream as RawFd);
        if stdio[0] == Stdio::Pipe {
            return Err(Error::invalid(
                "stdio",
                "stdio: stream 0 is a pipe, and nobody gets its other end here: give it input, or a descriptor",
            ));
        }
        if stdio[0] == Stdio::Inherit && input.is_none() && !given(0) {
            stdio[0] = Stdio::Null;
        }
        for (stream, elsewhere) in [(1, output_file.is_some()), (2, false)] {
            // (What is said of it twice is refused as ever.)
            if stdio[stream] == Stdio::Pipe && !elsewhere && !given(stream) {
                stdio[stream] = Stdio::Inherit;
            }
        }
        (*capture, *apart, *end) = (Some(most), true, End::First);
        Ok(self)
    }

    /// Hands out every line that streams 1 and 2 say, as far as they are not redirected, as an event.
    pub fn output_lines(&mut self, on: bool) -> &mut Self {
        self.streams.lines = on;
        self
    }

    /// The longest line that comes in one piece; 1 byte to 16 MiB.
    pub fn output_line_limit(&mut self, max_bytes: usize) -> Result<&mut Self> {
        if max_bytes == 0 || max_bytes > 1 << 24 {
            return Err(Error::invalid("output_line_limit", "output_line_limit: a line may have between 1 byte and 16 MiB"));
        }
        self.streams.line_limit = max_bytes;
        Ok(self)
    }

    /// A piece of a line that has lain there for so many milliseconds is told as it is; 0: it waits for its end.
    pub fn output_partial(&mut self, ms: i64) -> Result<&mut Self> {
        if !(0..=i64::MAX / MILLI).contains(&ms) {
            return Err(Error::invalid("ms", format!("ms: a piece of a line cannot wait for {ms} ms")));
        }
        self.streams.piece_ms = Some(ms).filter(|ms| *ms > 0);
        Ok(self)
    }

    /// Of a child that is spoken with: where nothing was said of its streams, 0 is a pipe, and 1 and 2 as by [`Command::keep_output`].
    pub fn speak(&mut self, kept: usize) -> &mut Self {
        let Streams { stdio, input, fed, .. } = &mut self.streams;
        if stdio[0] == Stdio::Inherit && input.is_none() && fed.is_none() {
            stdio[0] = Stdio::Pipe;
        }
        self.keep_output(kept)
    }

    /// Where nothing was said of streams 1 and 2, they are one of which the last `kept` bytes are kept; of what goes elsewhere nothing is.
    pub fn keep_output(&mut self, kept: usize) -> &mut Self {
        let Streams { stdio, capture, lines, output_file, .. } = &mut self.streams;
        if capture.is_none() {
            if !*lines && output_file.is_none() && stdio[1..] == [Stdio::Inherit; 2] {
                stdio[2] = Stdio::Merge;
            }
            *capture = Some(kept);
        }
        self
    }

    /// Whether there is an input for its child.
    pub fn has_input(&self) -> bool {
        self.streams.input.is_some()
    }

    /// How many descriptors a process is given that waits for them at its gate: at the most.
    pub fn given(&self) -> usize {
        3 + self.streams.passed.len() + self.streams.pipes.len()
    }

    /// Whether its output comes as events.
    pub fn has_output_lines(&self) -> bool {
        self.streams.lines
    }

    /// Stream 1 goes to a file that appears when the child has ended. `replace`: in place of one that is there.
    pub fn output_file(&mut self, path: impl AsRef<Path>, replace: bool) -> Result<&mut Self> {
        self.streams.output_file = Some(file::Spec::new(path.as_ref(), replace)?);
        Ok(self)
    }

    /// Whether that file appears also when the child did not exit with 0 (the default).
    pub fn output_on_failure(&mut self, keep: bool) -> &mut Self {
        self.streams.keep_on_failure = keep;
        self
    }

    /// What the child finds on its standard input. The bytes are copied.
    pub fn input(&mut self, bytes: &[u8]) -> Result<&mut Self> {
        let input = Input::new(bytes).map_err(|fault| fault.error("cannot keep the input of a command"))?;
        self.streams.input = Some(Arc::new(input));
        Ok(self)
    }

    /// The child's standard input is fed while it runs; up to `most` bytes wait for it.
    pub fn input_stream(&mut self, most: usize) -> Result<&mut Self> {
        if most == 0 || most > 1 << 30 {
            return Err(Error::invalid("input_stream", "input_stream: between 1 byte and 1 GiB can wait"));
        }
        self.streams.fed = Some(most);
        Ok(self)
    }

    /// What is to have a number that no process may have here: what it is, that number, and the hard limit.
    pub(in crate::process) fn beyond_the_limit(&self) -> Option<(String, RawFd, u64)> {
        let hard = fds::hard_limit();
        let Streams { passed, listening, pipes, .. } = &self.streams;
        let listening = listening.iter().map(|(fd, _)| *fd).zip(systemd::FIRST..);
        let lent = passed.iter().copied().chain(listening).map(|(from, to)| (Some(from), to));
        let made = pipes.iter().map(|(to, _)| (None, *to));
        let found = lent.chain(made).find(|(_, to)| *to as u64 >= hard);
        let of_readiness = || self.readiness.number().filter(|to| *to as u64 >= hard);
        Some(match found {
            Some((Some(from), to)) => (format!("descriptor {from}"), to, hard),
            Some((None, to)) => ("a pipe".to_owned(), to, hard),
            None => ("descriptor that of readiness".to_owned(), of_readiness()?, hard),
        })
    }

    /// A number in the child, above the standard streams and the listening descriptors, that nothing is given to.
    pub fn free_number(&self) -> RawFd {
        self.free_number_from(systemd::FIRST)
    }

    /// The first such number from there on.
    pub fn free_number_from(&self, least: RawFd) -> RawFd {
        let mut number = least.max(systemd::FIRST + self.streams.listening.len() as RawFd);
        while self.streams.has(number) || self.readiness.number() == Some(number) {
            number += 1;
        }
        number
    }
}
