//! A command becomes a child.
//!
//! Order, and what is undone when a step fails: sandbox share, pipes, registry slot, parked descriptors, clone. Everything is
//! an owned value, so an early return releases it; only the registry slot is given back by hand.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Condvar, Mutex};

use nix::errno::Errno;

use super::belongings::{Belongings, Resources};
use super::cgroup::Cgroup;
use super::child::{Child, Life};
use super::command::{Command, Stdio};
use super::descriptors::Map;
use super::lineage::Mark;
use super::outfile::OutFile;
use super::output::Output;
use super::path;
use super::sandbox;
use super::stop::Ladder;
use super::systemd::{self, Listening};
use crate::clock;
use crate::error::{Error, Result, Status};
use crate::registry::{Cause, Facts, Lease};
use crate::sys::child::{Limit, Move};
use crate::sys::clone::{Failure, Path, Request};
use crate::sys::environ::Block;
use crate::sys::landing::{LOW, Landing, Parked, open_null};
use crate::sys::memory::{Home, PerProcess};
use crate::sys::procfs::Ignored;
use crate::sys::{fds, pidfd};

/// What this process keeps open to spawn fast.
struct Engine {
    landing: Landing,
    ignored: Ignored,
}

static ENGINE: PerProcess<Engine> = PerProcess::new();

fn engine() -> Result<&'static Engine> {
    ENGINE
        .get_or_try_init(|| {
            pidfd::learn();
            Ok(Engine { landing: Landing::reserve(), ignored: Ignored::open() })
        })
        .map_err(|errno| Error::system("mmap", errno, "cannot set up the spawn engine"))
}

/// Reserves the landing descriptors now, while low numbers are free. A host that calls this early spawns faster.
pub fn prepare() -> Result<()> {
    engine().map(drop)
}

/// The pipes of one spawn: our ends, and the ends that the child gets.
#[derive(Default)]
struct Pipes {
    ours: [Option<OwnedFd>; 3],
    /// What we read ourselves, and as which stream.
    output: Vec<(i32, OwnedFd)>,
    theirs: Vec<OwnedFd>,
}

/// Starts the command. Returns when the program has begun, or with the exact step and errno of what failed.
///
/// Blocks as long as its exec takes (a slow file system shows here), and for at most 32 ms when the kernel is out of processes.
///
/// `belongings`: what the command gives to this child; given back if it is never made. Those aside, all it
/// holds is made here.
pub fn spawn(command: &Command, belongings: Belongings) -> Result<Child> {
    let mut kept = Undo(Some(belongings));
    let mut child = make(command)?;
    if let (Some(belongings), Ok(life)) = (kept.0.take(), child.life.get_mut())
        && !belongings.is_empty()
    {
        life.resources.get_or_insert_default().lasting = belongings;
    }
    Ok(child)
}

fn make(command: &Command) -> Result<Child> {
    sandbox::retry_left();
    check_lent(command)?;
    let engine = engine()?;
    let doing = || command.cannot();
    let system = |step: &'static str| move |errno: Errno| Error::system(step, errno, doing());
    let file = command.streams.output_file.as_ref().map(OutFile::create).transpose()?;
    let cgroup = command.gifts.cgroup.as_ref().map(|spec| Cgroup::create(spec, command.lifetime.sweep)).transpose()?;

    let mut pipes = Pipes::default();
    let (map, inherited) = plan(command, engine, file.as_ref(), &mut pipes)?;
    for (_, pipe) in &pipes.output {
        fds::set_nonblocking(pipe).map_err(system("fcntl"))?;
    }
    let (map, parked) = park(map, &inherited, &engine.landing);
    let unshare_first = (map.first_unneeded <= LOW).then_some(map.first_unneeded);

    let found;
    let candidates = if command.program.name.to_bytes().contains(&b'/') {
        std::slice::from_ref(&command.program.name)
    } else {
        found = path::candidates(&command.program.name, command.program.env.get(b"PATH").as_deref());
        &found[..]
    };
    let listening = Listening::of(command.streams.listening.iter().map(|(_, name)| &name[..]));
    let list = command.program.env.list(listening.as_ref());
    let marked: Vec<Limit>;
    let mark = if command.lifetime.outlives { None } else { Mark::new(command.lifetime.sweep) };
    let carrier = mark.as_ref().map(Mark::limit);
    let limits = match carrier.filter(|mark| command.identity.limits.iter().all(|limit| limit.resource != mark.resource)) {
        None => &command.identity.limits[..],
        Some(mark) => {
            marked = command.identity.limits.iter().copied().chain([mark]).collect();
            &marked[..]
        }
    };
    let request = Request {
        candidates,
        argv: command.program.argv(),
        env: list.as_ref().map_or(Block::Inherit, Block::List),
        listen_pid: listening.as_ref().map(|listening| &listening.pid),
        directory: command.program.directory.as_deref(),
        moves: &map.moves,
        gaps: &map.gaps,
        above: map.above,
        unshare_first,
        isolation: command.identity.isolation,
        umask: command.identity.umask,
        nice: command.identity.nice,
        limits,
        credentials: command.identity.credentials.as_ref(),
        no_new_privs: command.identity.no_new_privs,
        die_with_host: command.identity.die_with_host,
        cgroup: cgroup.as_ref().map(Cgroup::group),
        ignored: &engine.ignored,
    };
    let facts = Facts {
        isolation: command.identity.isolation,
        sweep: command.lifetime.sweep,
        cgroup_kill: cgroup.as_ref().map_or(-1, |cgroup| cgroup.group().kill_fd()),
    };
    let (lease, slot) = Lease::take(facts).map_err(system("registry"))?;
    let made = slot.spawn(&request);
    drop(parked);
    let spawned = match made {
        Ok(spawned) => spawned,
        Err(failure) => {
            lease.retire();
            return Err(explain(failure, command, &doing()));
        }
    };
    slot.set_live();
    let deadline = command.lifetime.deadline_ms.and_then(clock::deadline);
    let life = Life {
        lease: Some(lease),
        pidfd: Some(Arc::new(spawned.pidfd)),
        exit: None,
        awaiting: 0,
        ladder: Ladder::default(),
        stop_cause: Cause::Stop,
        deadline,
        plan: command.lifetime.plan.clone(),
        resources: Resources {
            cgroup,
            file,
            keep_on_failure: command.streams.keep_on_failure,
            _mark: mark,
            lasting: Belongings::default(),
        }
        .boxed(),
        complaint: None,
    };
    Ok(Child {
        pid: spawned.pid,
        path: spawned.path,
        home: Home::here(),
        sweep: command.lifetime.sweep,
        life: Mutex::new(life),
        settled: Condvar::new(),
        streams: Mutex::new(pipes.ours),
        lines: command.streams.lines,
        in_cgroup: command.gifts.cgroup.is_some(),
        output: (command.streams.capture.is_some() || command.streams.lines).then(|| {
            Box::new(Mutex::new(Output::new(
                pipes.output,
                command.streams.capture,
                command.streams.lines.then_some(command.streams.line_limit),
            )))
        }),
    })
}

/// Descriptors that the caller lends must be open still. Before anything is opened here: it might get just their numbers.
pub fn check_lent(command: &Command) -> Result<()> {
    for fd in command.streams.lent() {
        if !fds::is_open(fd) {
            let error = Error::system("dup2", Errno::EBADF, format!("{}: descriptor {fd}", command.cannot()));
            return Err(Error { status: Status::InvalidArgument, ..error });
        }
    }
    Ok(())
}

/// What is given back when the spawn fails.
struct Undo(Option<Belongings>);

impl Drop for Undo {
    fn drop(&mut self) {
        if let Some(belongings) = self.0.take() {
            belongings.give_back();
        }
    }
}

/// The error of a failed spawn, with what a reader would have to look for himself.
fn explain(failure: Failure, command: &Command, doing: &str) -> Error {
    let mut error = Error::system(failure.step, failure.errno, doing);
    match failure.step {
        _ if failure.unsupported => error.status = Status::Unsupported,
        // Our own numbers were checked: what is not open any more was the caller's.
        "dup2" | "fcntl" if failure.errno == Errno::EBADF => error.status = Status::InvalidArgument,
        "chdir" => error.message += &format!(": {}", command.program.directory.as_deref().unwrap_or_default().to_string_lossy()),
        "exec" if failure.errno == Errno::ENOENT && is_there(command) => {
            error.message += ": the file is there, but not the interpreter that it names"
        }
        _ => {}
    }
    error
}

fn is_there(command: &Command) -> bool {
    command.program.name.to_bytes().contains(&b'/')
        && command.program.directory.is_none()
        && std::fs::exists(std::ffi::OsStr::from_bytes(command.program.name.to_bytes())).unwrap_or(false)
}

/// Decides the child's descriptors and makes the pipes.
fn plan(command: &Command, engine: &Engine, file: Option<&OutFile>, pipes: &mut Pipes) -> Result<(Map, Vec<i32>)> {
    let doing = || command.cannot();
    let pipe = || fds::pipe().map_err(|errno| Error::system("pipe2", errno, doing()));
    let mut moves: Vec<Move> = Vec::new();
    let mut inherited = Vec::new();
    let given = |fd: i32| command.streams.passed.iter().any(|(_, to)| *to == fd);
    let mut captured: Option<RawFd> = None;
    let piped = command.streams.capture.is_some() || command.streams.lines;
    for (stream, what, wanted) in [(0, "input", command.streams.input.is_some()), (1, "output_file", file.is_some())] {
        if wanted && (command.streams.stdio[stream] != Stdio::Inherit || given(stream as i32)) {
            return Err(Error::invalid(what, format!("{}: descriptor {stream} is given twice, by {what} and otherwise", doing())));
        }
    }
    for stream in 0..3i32 {
        let how = command.streams.stdio[stream as usize];
        if given(stream) {
            if how != Stdio::Inherit {
                return Err(Error::invalid("pass_fd", format!("{}: descriptor {stream} is given twice, by stdio and pass_fd", doing())));
            }
            continue;
        }
        let from = match how {
            Stdio::Inherit if stream == 0 && command.streams.input.is_some() => {
                let opened = command.streams.input.as_ref().map(|input| input.open()).transpose();
                pipes.theirs.extend(opened.map_err(|errno| Error::system("open", errno, format!("{}: its input", doing())))?);
                pipes.theirs.last().map_or(-1, AsRawFd::as_raw_fd)
            }
            Stdio::Inherit if stream == 1 && file.is_some() => file.map_or(-1, OutFile::fd),
            Stdio::Inherit if stream > 0 && piped => {
                // Captured streams share one pipe, which keeps their order; lines tell which stream they come from.
                if captured.is_none() || command.streams.lines {
                    let (read, write) = pipe()?;
                    captured = Some(write.as_raw_fd());
                    pipes.output.push((stream, read));
                    pipes.theirs.push(write);
                }
                captured.unwrap_or(-1)
            }
            Stdio::Inherit => {
                inherited.push(stream);
                continue;
            }
            Stdio::Null => match engine.landing.null() {
                Some(null) => null,
                None => {
                    let null = open_null().map_err(|errno| Error::system("open", errno, format!("{}: /dev/null", doing())))?;
                    pipes.theirs.push(null);
                    pipes.theirs[pipes.theirs.len() - 1].as_raw_fd()
                }
            },
            Stdio::Pipe => {
                let (read, write) = pipe()?;
                let (ours, theirs) = if stream == 0 { (write, read) } else { (read, write) };
                let number = theirs.as_raw_fd();
                pipes.ours[stream as usize] = Some(ours);
                pipes.theirs.push(theirs);
                number
            }
            Stdio::Fd(fd) => fd,
            // Wherever 1 comes from; an inherited 1 is the host's own.
            Stdio::Merge => {
                let one = moves.iter().map(|m| (m.from, m.to)).chain(command.streams.passed.iter().copied()).find(|(_, to)| *to == 1);
                one.map_or(1, |(from, _)| from)
            }
        };
        moves.push(Move { from, to: stream });
    }
    moves.extend(command.streams.passed.iter().map(|(from, to)| Move { from: *from, to: *to }));
    for (index, (fd, _)) in command.streams.listening.iter().enumerate() {
        let to = systemd::FIRST + index as i32;
        if given(to) {
            return Err(Error::invalid("listen_fd", format!("{}: descriptor {to} is given twice, by listen_fd and pass_fd", doing())));
        }
        moves.push(Move { from: *fd, to });
    }
    // Merging into an inherited 1 reads the host's 1 as a source, so it stays inherited as well.
    Ok((Map::new(moves, &inherited), inherited))
}

/// Brings every source down to a low number, so that the child's table can be cut there. Without a free place: as it was.
fn park<'a>(map: Map, inherited: &[i32], landing: &'a Landing) -> (Map, Option<Parked<'a>>) {
    let mut high: Vec<RawFd> = map.moves.iter().map(|m| m.from).filter(|from| *from >= LOW / 4).collect();
    high.sort_unstable();
    high.dedup();
    if high.is_empty() {
        return (map, None);
    }
    let Some(parked) = landing.park(&high) else { return (map, None) };
    let place = |from: RawFd| high.iter().position(|fd| *fd == from).map(|i| parked.numbers[i]);
    let sources: Vec<(usize, RawFd)> = map.moves.iter().enumerate().filter_map(|(i, m)| Some((i, place(m.from)?))).collect();
    (map.resourced(&sources, inherited), Some(parked))
}

/// The tier that made a child, by the name that `PROCSUP_SPAWN_PATH` knows it by.
pub fn path_name(path: Path) -> &'static str {
    match path {
        Path::Clone3 => "clone3",
        Path::Clone => "clone",
        Path::Fork => "fork",
    }
}
