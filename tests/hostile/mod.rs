//! A hostile other end of the handoff: it knows the protocol well enough to get anywhere, and then does what it likes.
//!
//! What it does is chosen by bytes: random ones in `handoff_hostile.rs`, the fuzzer's in `fuzz/`. Both ends are in one process, so a
//! hostile successor must never be committed to: an owner may kill that one. What comes after the commit is done by processes.

#![allow(dead_code)]

use std::fs::{self, File};
use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, Flock, FlockArg, SealFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{
    AddressFamily, Backlog, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr, accept4, bind, connect, listen,
    recvmsg, sendmsg, socket,
};
use procsup::handoff::outcome::Outcome;
use procsup::handoff::wire::{self, Kind, Message, Own, Place, Writer};
use procsup::handoff::{Handoff, Limits, Mode, Notice, Reason, Role};

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

// ---- choices -----------------------------------------------------------------------------------------------------------

/// Bytes that decide; zeros when they are used up.
pub struct Choices<'a>(pub &'a [u8]);

impl<'a> Choices<'a> {
    pub fn are_over(&self) -> bool {
        self.0.is_empty()
    }
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }
    pub fn below(&mut self, end: u8) -> u8 {
        self.byte() % end
    }
    pub fn number(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }
    pub fn bytes(&mut self, most: u8) -> &'a [u8] {
        let count = usize::from(self.byte() % most.max(1)).min(self.0.len());
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }
}

/// Random bytes of a seed (xorshift64*).
pub fn random_bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 56) as u8
    };
    (0..count).map(|_| next()).collect()
}

// ---- a raw end of the channel --------------------------------------------------------------------------------------------

/// An end that can send anything.
pub struct Raw {
    socket: OwnedFd,
    pub seq: u32,
    pub id: u64,
}

fn address(path: &Path) -> UnixAddr {
    UnixAddr::new(path).unwrap()
}

fn new_socket() -> OwnedFd {
    socket(AddressFamily::Unix, SockType::SeqPacket, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None).unwrap()
}

impl Raw {
    pub fn connect(path: &Path) -> Option<Self> {
        let socket = new_socket();
        connect(socket.as_raw_fd(), &address(path)).ok()?;
        Some(Self { socket, seq: 0, id: 0 })
    }

    pub fn socket(&self) -> &OwnedFd {
        &self.socket
    }

    /// A message that is well formed, with the next number.
    pub fn write(&mut self, kind: Kind) -> Writer {
        self.seq += 1;
        Writer::new(kind, self.id, self.seq)
    }

    /// `false`: nobody takes it (any more).
    pub fn send(&self, bytes: &[u8], fds: &[RawFd]) -> bool {
        let rights = [ControlMessage::ScmRights(fds)];
        let control = if fds.is_empty() { &[][..] } else { &rights };
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        sendmsg::<UnixAddr>(self.socket.as_raw_fd(), &[IoSlice::new(bytes)], control, flags, None).is_ok()
    }

    pub fn send_plain(&mut self, kind: Kind) -> bool {
        let bytes = self.write(kind).finish();
        self.send(&bytes, &[])
    }

    /// The next packet that is a message; its descriptors are closed, or kept if there is a place for them.
    pub fn receive(&self, mut keep: Option<&mut Vec<OwnedFd>>) -> Option<Message> {
        loop {
            let mut buffer = vec![0; wire::LONGEST];
            let mut control = nix::cmsg_space!([RawFd; 253], nix::libc::ucred);
            let mut iov = [std::io::IoSliceMut::new(&mut buffer)];
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
            let received = match recvmsg::<UnixAddr>(self.socket.as_raw_fd(), &mut iov, Some(&mut control), flags) {
                Err(nix::errno::Errno::ECONNRESET) => continue,
                Err(_) => return None,
                Ok(received) => received,
            };
            let length = received.bytes;
            let mut fds = Vec::new();
            for message in received.cmsgs().unwrap() {
                if let ControlMessageOwned::ScmRights(numbers) = message {
                    // SAFETY: just installed for this process; nobody else owns them.
                    fds.extend(numbers.into_iter().map(|number| unsafe { OwnedFd::from_raw_fd(number) }));
                }
            }
            if length == 0 {
                return None;
            }
            let message = wire::read(&buffer[..length], fds.len()).expect("what is sent to us is well formed");
            if let Some(keep) = &mut keep {
                keep.extend(fds);
            }
            return Some(message);
        }
    }

    /// The same, waiting for it.
    pub fn await_message(&self, keep: Option<&mut Vec<OwnedFd>>) -> Option<Message> {
        wait_for(&self.socket);
        self.receive(keep)
    }

    pub fn say_hello_as_observer(&mut self) -> bool {
        let bytes = self.write(Kind::Hello).versions().observes().finish();
        self.send(&bytes, &[])
    }

    pub fn say_hello(&mut self) -> bool {
        let bytes = self.write(Kind::Hello).versions().start(start_time()).finish();
        self.send(&bytes, &[])
    }

    pub fn acknowledge(&mut self, part: u16) -> bool {
        let bytes = self.write(Kind::Ack).part(part, part + 1, 0).finish();
        self.send(&bytes, &[])
    }
}

pub fn wait_for(fd: impl AsFd) {
    let _ = poll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)], PollTimeout::try_from(PATIENCE).unwrap());
}

/// Field 22 of proc_pid_stat(5).
pub fn start_time() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, rest) = stat.rsplit_once(')').unwrap();
    rest.split_whitespace().nth(19).unwrap().parse().unwrap()
}

/// How many descriptors this process has.
pub fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

// ---- messages ----------------------------------------------------------------------------------------------------------

const KINDS: [Kind; 16] = [
    Kind::Hello,
    Kind::Offer,
    Kind::Ack,
    Kind::Warm,
    Kind::Delta,
    Kind::Commit,
    Kind::Live,
    Kind::Settle,
    Kind::Settled,
    Kind::Abort,
    Kind::Nak,
    Kind::Estate,
    Kind::Progress,
    Kind::Outcome,
    Kind::Expect,
    Kind::CallOff,
];

/// Any message, well formed, and how many descriptors go with it.
fn any_message(raw: &mut Raw, choices: &mut Choices<'_>) -> (Vec<u8>, usize) {
    let kind = KINDS[usize::from(choices.below(KINDS.len() as u8))];
    let (id, seq) = (raw.id, raw.seq);
    match choices.below(8) {
        0 => raw.id = u64::from(choices.number()) << 12,
        1 => raw.seq = u32::from(choices.below(3)),
        2 => raw.seq = raw.seq.saturating_sub(2),
        _ => {}
    }
    let mut writer = raw.write(kind);
    (raw.id, raw.seq) = (id, raw.seq.max(seq));
    let mut fds = 0;
    for _ in 0..choices.below(4) {
        match choices.below(13) {
            9 => _ = writer.observes(),
            10 => _ = writer.expect(choices.number() as i32, i64::from(choices.number()), i64::from(choices.number())),
            11 => _ = writer.record(&any_record(choices)).half(Some(&any_record(choices))),
            0 => _ = writer.versions(),
            1 => _ = writer.part(choices.below(3).into(), choices.below(4).into(), 0),
            2 => {
                let span = i64::from(choices.number()) - i64::from(u32::MAX / 2);
                let limits = Limits { drain: span, seal: 0, live: i64::MAX, probation: -span };
                _ = writer.terms(span, Mode::Overlap, &limits);
            }
            3 => _ = writer.gone(choices.bytes(40)),
            4 => _ = writer.revision(choices.number().into()),
            5 => _ = writer.reason(choices.byte(), &String::from_utf8_lossy(choices.bytes(40))),
            6 => _ = writer.start(choices.number().into()),
            _ => {
                fds += 1;
                let own = Own::from_code(choices.below(7)).map(Place::Own);
                _ = writer.place(&own.unwrap_or_else(|| Place::Named(choices.bytes(20).to_vec())));
            }
        }
    }
    (writer.finish(), fds)
}

/// A record in which anything may stand.
fn any_record(choices: &mut Choices<'_>) -> Outcome {
    let mut record = Outcome::begin(choices.number().into(), Mode::Exclusive, choices.number().into(), choices.number().into());
    record.words = String::from_utf8_lossy(choices.bytes(80)).into_owned();
    record.connections.passed = choices.number();
    record.times.iter_mut().for_each(|time| *time = choices.number().into());
    record
}

/// Something that may be damaged, with descriptors that may not fit.
fn send_anything(raw: &mut Raw, choices: &mut Choices<'_>, spare: &File) {
    let (mut bytes, mut fds) = match choices.below(4) {
        0 => (choices.bytes(200).to_vec(), 0),
        _ => any_message(raw, choices),
    };
    match choices.below(8) {
        0 if !bytes.is_empty() => {
            let at = choices.number() as usize % bytes.len();
            bytes[at] = choices.byte();
        }
        1 => bytes.truncate(choices.number() as usize % (bytes.len() + 1)),
        2 => bytes.extend_from_slice(choices.bytes(60)),
        3 if bytes.len() >= 8 => {
            // A later version's.
            bytes[4..8].copy_from_slice(&[choices.byte(), 1, choices.below(2), 0]);
        }
        4 => bytes.resize(choices.number() as usize % (2 * wire::LONGEST), 0),
        _ => {}
    }
    match choices.below(8) {
        0 => fds = usize::from(choices.below(4)),
        1 => fds = 253,
        _ => {}
    }
    raw.send(&bytes, &vec![spare.as_raw_fd(); fds]);
}

// ---- a hostile successor -----------------------------------------------------------------------------------------------

/// What the application of the owner has been told in one handoff.
#[derive(Default)]
struct Course {
    drained: bool,
    sealing: bool,
    over: bool,
    reason: Option<Reason>,
}

/// Lets the owner work, and looks at what it tells: only what S12 allows, and never a commit.
fn pump(owner: &Handoff, course: &mut Course) {
    while let Some(told) = owner.next_event(0).unwrap() {
        match told.notice {
            Notice::Drain => {
                assert!(!course.drained, "DRAIN twice");
                *course = Course { drained: true, ..Course::default() };
            }
            Notice::Seal => {
                assert!(course.drained && !course.sealing, "SEAL out of order");
                course.sealing = true;
            }
            Notice::Resume { unsealed: false } => {
                assert!(course.drained, "RESUME without DRAIN");
                (course.drained, course.sealing) = (false, false);
            }
            Notice::Aborted(reason) => {
                assert!(!course.drained, "ABORTED before RESUME");
                (course.over, course.reason) = (true, Some(reason));
            }
            other => panic!("{other:?}: a hostile peer has changed who owns"),
        }
    }
}

/// A successor that does what it likes until it is sent away or leaves. Then everything must be as it was.
pub fn hostile_successor(owner: &Handoff, path: &Path, mut choices: Choices<'_>) {
    let generation = owner.generation().unwrap();
    let spare = File::open("/dev/null").unwrap();
    let before = descriptors();
    let mut course = Course::default();
    let mut offered = 0;
    let mut kept = Vec::new();
    if let Some(mut raw) = Raw::connect(path) {
        let mut said_hello = false;
        for _ in 0..40 {
            if choices.are_over() {
                break;
            }
            match choices.below(16) {
                0..=3 => send_anything(&mut raw, &mut choices, &spare),
                // What a good successor would do next.
                4 if !said_hello && choices.below(3) == 0 => said_hello = raw.say_hello_as_observer(),
                4..=9 if !said_hello => said_hello = raw.say_hello(),
                4..=6 => {
                    pump(owner, &mut course);
                    while let Some(message) = raw.receive(Some(&mut kept)) {
                        if message.kind == Kind::Offer {
                            (raw.id, offered) = (message.id, message.body.part.unwrap().0 + 1);
                            raw.acknowledge(offered - 1);
                        }
                    }
                }
                7..=9 if offered > 0 => drop(raw.send_plain(Kind::Warm)),
                10 if course.drained && !course.sealing => drop(owner.drained(0)),
                11 if choices.below(4) == 0 => drop(owner.cancel()),
                11 if choices.below(4) == 0 => drop(owner.failed("it cannot")),
                12 => owner.set_state(choices.bytes(30)).unwrap(),
                13 => owner.set_fd(b"spare", spare.as_raw_fd()).unwrap(),
                14 if choices.below(8) == 0 => break,
                _ => pump(owner, &mut course),
            }
        }
        // Its good-bye: half of them call it off themselves, so that not all wait for a death that does not come.
        pump(owner, &mut course);
        if raw.id != 0 && choices.below(8) != 0 {
            raw.seq += 1000;
            raw.send_plain(Kind::Abort);
            pump(owner, &mut course);
        }
    }
    drop(kept);
    until_idle(owner, &mut course);
    assert_eq!(owner.generation().unwrap(), generation);
    good_greeting(owner, path);
    let _ = owner.set_fd(b"spare", -1);
    owner.set_state(b"").unwrap();
    // One state more, at most: the first that was ever set.
    assert!(descriptors() <= before + 1, "descriptors leak: {before}, now {}", descriptors());
}

/// Waits until no handoff is under way.
fn until_idle(owner: &Handoff, course: &mut Course) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        pump(owner, course);
        match owner.cancel() {
            Err(error) => return assert_eq!(error.status, procsup::Status::State),
            Ok(()) => pump(owner, course),
        }
        assert!(Instant::now() < deadline, "the owner does not come to rest");
    }
}

/// L3: a good successor is offered everything at once.
pub fn good_greeting(owner: &Handoff, path: &Path) {
    let mut course = Course::default();
    let mut raw = Raw::connect(path).expect("the control path can be reached");
    assert!(raw.say_hello());
    let deadline = Instant::now() + PATIENCE;
    let offer = loop {
        pump(owner, &mut course);
        if let Some(message) = raw.receive(None) {
            break message;
        }
        assert!(Instant::now() < deadline, "a good successor is not offered anything");
    };
    assert_eq!(offer.kind, Kind::Offer, "{:?}", offer.body.text);
    raw.id = offer.id;
    raw.send_plain(Kind::Abort);
    while !course.over {
        pump(owner, &mut course);
        assert!(Instant::now() < deadline, "the owner does not hear a good-bye");
    }
    assert_eq!(course.reason, Some(Reason::PeerFailed));
}

// ---- a hostile owner ---------------------------------------------------------------------------------------------------

/// A page with these contents; the seals decide whether it is taken.
pub fn page(contents: &[u8], length: u64, sealed: bool) -> File {
    let file = File::from(memfd_create(c"page", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING).unwrap());
    file.set_len(length).unwrap();
    file.write_all_at(&contents[..contents.len().min(length as usize)], 0).unwrap();
    if sealed {
        fcntl(&file, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL)).unwrap();
    }
    file
}

/// The word as docs/reference/handoff-protocol.md has it.
pub fn word(generation: u32, handoff: u32, phase: u8) -> u64 {
    u64::from(generation) << 32 | u64::from(handoff) << 8 | u64::from(phase)
}

/// A good page: generation 1, attempt 1, offered.
pub fn good_page() -> Vec<u8> {
    let mut bytes = b"PSEPOCH1".to_vec();
    bytes.extend_from_slice(&word(1, 1, 2).to_le_bytes());
    bytes
}

/// Where a fake owner sits: lock held, path bound.
pub struct Seat {
    pub path: PathBuf,
    pub lock: Flock<File>,
    pub listener: OwnedFd,
}

impl Seat {
    pub fn new(path: &Path, lock_text: &[u8]) -> Self {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(format!("{}.lock", path.display())).unwrap();
        file.write_all_at(lock_text, 0).unwrap();
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap_or_else(|(_, errno)| panic!("{errno}"));
        let _ = fs::remove_file(path);
        let listener = new_socket();
        bind(listener.as_raw_fd(), &address(path)).unwrap();
        listen(&listener, Backlog::new(8).unwrap()).unwrap();
        Self { path: path.to_owned(), lock, listener }
    }

    pub fn accept(&self) -> Raw {
        wait_for(&self.listener);
        let number = accept4(self.listener.as_raw_fd(), SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK).unwrap();
        // SAFETY: a new descriptor that nobody else owns.
        Raw { socket: unsafe { OwnedFd::from_raw_fd(number) }, seq: 0, id: 1 << 24 | 1 }
    }
}

/// An owner that does what it likes against a successor that does everything right.
pub fn hostile_owner(path: &Path, mut choices: Choices<'_>) {
    let spare = File::open("/dev/null").unwrap();
    let before = descriptors();
    let committed = AtomicBool::new(false);
    let over = AtomicBool::new(false);
    let text = choices.bytes(80);
    let place = Seat::new(path, text);
    std::thread::scope(|scope| {
        scope.spawn(|| good_successor(path, &committed, &over));
        let place = place;
        let mut raw = place.accept();
        let hello = raw.await_message(None);
        assert!(hello.is_some_and(|message| message.kind == Kind::Hello));
        let page = match choices.below(8) {
            0 => page(&random_bytes(choices.byte().into(), 64), 4096, true),
            1 => page(&good_page(), 4096, false),
            2 => page(&good_page(), 100 * u64::from(choices.byte()), true),
            3 => {
                let mut bytes = b"PSEPOCH1".to_vec();
                let word = word(choices.below(4).into(), choices.below(3).into(), choices.below(8));
                committed.store(word == self::word(2, 1, 3), Ordering::SeqCst);
                bytes.extend_from_slice(&word.to_le_bytes());
                self::page(&bytes, 4096, true)
            }
            _ => page(&good_page(), 4096, true),
        };
        let mut offered = false;
        for _ in 0..30 {
            if choices.are_over() {
                break;
            }
            match choices.below(12) {
                0..=2 => send_anything(&mut raw, &mut choices, &spare),
                3..=6 if !offered => {
                    offered = true;
                    let parts = u16::from(choices.below(3));
                    for part in 0..=parts {
                        let mut writer = raw.write(Kind::Offer);
                        writer.part(part, parts + 1, 0);
                        let mut fds = Vec::new();
                        if part == 0 {
                            let limits = Limits { drain: 1 << 40, seal: 1 << 40, live: 1 << 40, probation: i64::from(choices.number()) };
                            writer.versions().terms(1 << 40, Mode::Exclusive, &limits).start(start_time());
                            let owns = [
                                (Own::Epoch, page.as_raw_fd()),
                                (Own::Lock, place.lock.as_raw_fd()),
                                (Own::Control, place.listener.as_raw_fd()),
                            ];
                            for (own, fd) in owns {
                                if choices.below(16) != 1 {
                                    writer.place(&Place::Own(own));
                                    fds.push(fd);
                                }
                            }
                        }
                        for _ in 0..choices.below(3) {
                            writer.place(&Place::Named(format!("name{}", choices.below(3)).into_bytes()));
                            fds.push(spare.as_raw_fd());
                        }
                        let bytes = writer.finish();
                        raw.send(&bytes, &fds);
                    }
                }
                7 => {
                    let mut writer = raw.write(Kind::Delta);
                    writer.part(0, 1, 1).place(&Place::Named(b"more".to_vec())).gone(b"name1");
                    let bytes = writer.finish();
                    raw.send(&bytes, &[spare.as_raw_fd()]);
                }
                // The message alone, or with the word.
                8 => drop(raw.send_plain(Kind::Commit)),
                9 if choices.below(3) == 0 => {
                    committed.store(true, Ordering::SeqCst);
                    let _ = page.write_all_at(&word(2, 1, 3).to_le_bytes(), 8);
                    raw.send_plain(Kind::Commit);
                }
                10 => drop(raw.send_plain(Kind::Settle)),
                11 if choices.below(6) == 0 => drop(raw.send_plain(Kind::Abort)),
                _ => while raw.receive(None).is_some() {},
            }
            if choices.below(4) == 0 {
                std::thread::yield_now();
            }
        }
        while raw.receive(None).is_some() {}
        over.store(true, Ordering::SeqCst);
        // Channel, path and lock go; what was handed on goes with the successor.
        drop((raw, page));
    });
    let _ = fs::remove_file(path);
    assert!(descriptors() <= before, "descriptors leak: {before}, now {}", descriptors());
    // And at once there can be a first generation, unless the lock file holds what nobody of ours has written: that is left alone.
    let lock = PathBuf::from(format!("{}.lock", path.display()));
    let mut first = Handoff::new(path);
    if first.as_ref().is_err_and(|error| error.status == procsup::Status::InvalidArgument) {
        assert!(!text.starts_with(b"procsup handoff ") && text.iter().any(|byte| *byte != 0));
        assert!(fs::read(&lock).unwrap() == text, "it was left alone");
        fs::remove_file(&lock).unwrap();
        first = Handoff::new(path);
    }
    let first = first.unwrap();
    assert_eq!(first.role().unwrap(), Role::First);
    assert!(matches!(first.next_event(0).unwrap().unwrap().notice, Notice::Live { unsealed: false }));
    assert!(first.generation().unwrap() > 0);
}

/// A successor that does everything right, until its owner has done enough.
fn good_successor(path: &Path, committed: &AtomicBool, over: &AtomicBool) {
    let handoff = match Handoff::new(path) {
        Ok(handoff) => handoff,
        Err(_) => return,
    };
    // The owner went away before it had offered anything.
    if handoff.role().unwrap() == Role::First {
        return;
    }
    let _ = handoff.warm();
    for name in handoff.fd_names().unwrap().split(|byte| *byte == b'\n').filter(|name| !name.is_empty()) {
        let _taken = handoff.take_fd(name).unwrap();
    }
    let mut serves = false;
    while !over.load(Ordering::SeqCst) {
        let Some(told) = handoff.next_event(1).unwrap() else { continue };
        match told.notice {
            Notice::Live { unsealed } => {
                assert!(!unsealed && committed.load(Ordering::SeqCst), "LIVE without a commit");
                handoff.live().unwrap();
                serves = true;
            }
            Notice::Committed => assert!(serves, "settled before it served"),
            Notice::Aborted(_) => break,
            other => panic!("{other:?} is nothing that a successor is told"),
        }
    }
}
