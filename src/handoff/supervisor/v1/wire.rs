//! What is said in protocol v1 of the crate `beyond-handoff`: frames on a byte stream, and the fourteen messages in them.
//!
//! The traps. **A stream has no boundaries**: a frame comes in pieces, and who gives up between two of them reads the rest as the next frame's
//! length. So bytes are gathered here, whenever they come, and a time that is over ends the session, never a read. **A length is a promise
//! of a stranger**: memory grows with what has come, never with what was announced; a frame has 1 MiB, a session so many frames and bytes ([`Inbox`]).
//! **The kind is the place in a list** of the crate's source, so nothing can be inserted, and what is behind the last field of a message is not
//! looked at: a newer peer may have appended it.
//!
//! Written by hand, not by the crate postcard: that costs 22.6 KB of the stripped library and brings serde's derive, cobs and a second syn;
//! what is needed of it is a varint. It reads vectors into memory, too; here of what a stranger can make long only a beginning is kept.
//!
//! Where the bytes are described: docs/reference/handoff-v1.md.

use nix::errno::Errno;

pub use super::encoding::Id;
use super::encoding::{Bytes, KEPT, Reader, kept};

/// The versions spoken here.
pub const VERSIONS: (u16, u16) = (1, 1);
/// The longest frame, without its length.
pub const LONGEST: usize = 1 << 20;
/// The version stands in each frame.
const SHORTEST: usize = 2;
const PREFIX: usize = 4;
/// A whole handoff has a few hundred frames, with a heartbeat every two seconds.
const FRAMES: u32 = 20_000;
/// And none of them is long.
const BYTES: u64 = 16 << 20;

/// Who greets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The process that runs.
    Incumbent,
    /// The one that is to come.
    Successor,
}

/// What a supervisor says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order<'a> {
    /// The answer to a greeting: the version, and the handoff.
    HelloAck(u16, Id),
    /// Stop accepting; the successor's number, milliseconds that are left, and of those for this.
    Prepare(Id, u32, u64, u64),
    /// Stop writing, and give up the lock.
    SealRequest(Id),
    /// Take the lock.
    Begin(Id),
    /// The successor is ready: exit.
    Commit(Id),
    /// It is off, and why.
    Abort(Id, &'a str),
    /// The successor is gone: take the lock again, and serve.
    Resume(Id),
    /// Who reads this says the same.
    Heartbeat(u64),
}

/// How many revisions, and which: compared, never looked at one by one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Revisions {
    /// One for each shard.
    pub count: u32,
    digest: u64,
}

impl Revisions {
    fn add(&mut self, revision: u64) {
        // FNV-1a, of words.
        self.digest = (self.digest ^ revision.wrapping_add(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0x0100_0000_01B3);
        self.count += 1;
    }
}

/// What a supervisor is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    /// Who it is: role, number, build id, versions.
    Hello(Role, u32, Vec<u8>, (u16, u16)),
    /// It accepts no more; so many connections are open still.
    Drained(u32, bool),
    /// It is sealing.
    SealProgress,
    /// It does not write any more, and the lock is free.
    SealComplete(Id, Revisions),
    /// It could not, and goes on as before.
    SealFailed(Id, String),
    /// It serves: what it says of its health, and the revisions that it has opened.
    Ready(Id, bool, Revisions),
    /// It lives.
    Heartbeat,
    /// Something that only a supervisor says.
    Order(&'static str),
}

impl Told {
    /// For people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hello(..) => "Hello",
            Self::Drained(..) => "Drained",
            Self::SealProgress => "SealProgress",
            Self::SealComplete(..) => "SealComplete",
            Self::SealFailed(..) => "SealFailed",
            Self::Ready(..) => "Ready",
            Self::Heartbeat => "Heartbeat",
            Self::Order(name) => name,
        }
    }
}

/// Why what has come is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// A frame of this length.
    Length(u32),
    /// The bytes of a frame are no message.
    Malformed,
    /// Its frames have another version than was agreed upon.
    Version(u16),
    /// More than any handoff needs.
    Flood,
    /// No memory for it.
    Memory,
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Length(length) => write!(f, "a frame of {length} bytes: {SHORTEST} to {LONGEST} are allowed"),
            Self::Malformed => write!(f, "a frame that is no message of this protocol"),
            Self::Version(version) => write!(f, "a frame of version {version}, which was not agreed upon"),
            Self::Flood => write!(f, "more frames than any handoff needs"),
            Self::Memory => write!(f, "there is no memory for a frame"),
        }
    }
}

/// The highest version of both.
pub fn common(theirs: (u16, u16)) -> Option<u16> {
    let (low, high) = (VERSIONS.0.max(theirs.0), VERSIONS.1.min(theirs.1));
    (low <= high).then_some(high)
}

// ---- out ----

/// A whole frame. A text that is too long is cut.
pub fn frame(version: u16, order: Order<'_>) -> Vec<u8> {
    let mut bytes = Bytes::default();
    bytes.raw(&[0; PREFIX]).raw(&version.to_le_bytes());
    match order {
        Order::HelloAck(version, id) => bytes.number(1).number(version.into()).id(id),
        Order::Prepare(id, pid, left, drain) => bytes.number(2).id(id).number(pid.into()).number(left).number(drain),
        Order::SealRequest(id) => bytes.number(4).id(id),
        Order::Begin(id) => bytes.number(8).id(id),
        Order::Commit(id) => bytes.number(10).id(id),
        Order::Abort(id, reason) => {
            let end = kept(reason).len();
            bytes.number(11).id(id).number(end as u64).raw(&reason.as_bytes()[..end])
        }
        Order::Resume(id) => bytes.number(12).id(id),
        Order::Heartbeat(at) => bytes.number(13).number(at),
    };
    let length = (bytes.0.len() - PREFIX) as u32;
    bytes.0[..PREFIX].copy_from_slice(&length.to_le_bytes());
    bytes.0
}

// ---- in ----

impl Reader<'_> {
    fn revisions(&mut self) -> Option<Revisions> {
        let count = self.long()?;
        let mut all = Revisions::default();
        // Each has a byte at least: as many as there can be are read, and then the bytes are at their end.
        for _ in 0..count {
            all.add(self.long()?);
        }
        Some(all)
    }

    fn message(&mut self) -> Option<Told> {
        Some(match self.word()? {
            0 => {
                let role = match self.word()? {
                    0 => Role::Incumbent,
                    1 => Role::Successor,
                    _ => return None,
                };
                let (pid, build) = (self.word()?, self.bytes()?);
                let versions = (self.short()?, self.short()?);
                self.long()?;
                Told::Hello(role, pid, build[..build.len().min(KEPT)].to_vec(), versions)
            }
            1 => Told::Order("HelloAck"),
            2 => Told::Order("PrepareHandoff"),
            3 => Told::Drained(self.word()?, self.truth()?),
            4 => Told::Order("SealRequest"),
            5 => {
                let _ = (self.word()?, self.word()?, self.long()?);
                Told::SealProgress
            }
            6 => {
                let (id, revisions) = (self.id()?, self.revisions()?);
                self.raw(32)?;
                Told::SealComplete(id, revisions)
            }
            7 => {
                let (id, error) = (self.id()?, self.text()?);
                self.text()?;
                Told::SealFailed(id, error)
            }
            8 => Told::Order("Begin"),
            9 => {
                let id = self.id()?;
                let listeners = self.long()?;
                for _ in 0..listeners {
                    core::str::from_utf8(self.bytes()?).ok()?;
                }
                Told::Ready(id, self.truth()?, self.revisions()?)
            }
            10 => Told::Order("Commit"),
            11 => Told::Order("Abort"),
            12 => Told::Order("ResumeAfterAbort"),
            13 => {
                self.long()?;
                Told::Heartbeat
            }
            _ => return None,
        })
    }
}

/// What has come on one session, and was not taken yet: at most one frame, and what came with its end.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// Frames before this have been taken.
    taken: usize,
    frames: u32,
    all: u64,
    /// What was agreed upon; before that, whatever a greeting comes in.
    version: Option<u16>,
}

impl Inbox {
    /// From now on frames have this version.
    pub fn agree(&mut self, version: u16) {
        self.version = Some(version);
    }

    /// Whether a frame has begun and is not whole.
    pub fn is_amid(&self) -> bool {
        self.taken < self.bytes.len()
    }

    /// So many bytes have come. [`Inbox::take`] is called until it has none before there are more.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.all += bytes.len() as u64;
        if self.all > BYTES {
            return Err(Refusal::Flood);
        }
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.try_reserve(bytes.len()).map_err(|_| Refusal::Memory)?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// The next message that is whole.
    pub fn take(&mut self) -> Result<Option<Told>, Refusal> {
        let Some((prefix, rest)) = self.bytes[self.taken..].split_first_chunk::<PREFIX>() else { return Ok(None) };
        let length = u32::from_le_bytes(*prefix);
        if !(SHORTEST..=LONGEST).contains(&(length as usize)) {
            return Err(Refusal::Length(length));
        }
        let Some(frame) = rest.get(..length as usize) else { return Ok(None) };
        self.frames += 1;
        if self.frames > FRAMES {
            return Err(Refusal::Flood);
        }
        let (version, payload) = frame.split_at(SHORTEST);
        let version = u16::from_le_bytes([version[0], version[1]]);
        if self.version.is_some_and(|agreed| agreed != version) {
            return Err(Refusal::Version(version));
        }
        let told = Reader(payload).message().ok_or(Refusal::Malformed)?;
        self.taken += PREFIX + length as usize;
        Ok(Some(told))
    }
}

impl From<Refusal> for Errno {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Memory => Errno::ENOMEM,
            _ => Errno::EPROTO,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: Id = Id([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

    /// `ID` stands for the seventeen bytes of the id.
    fn hex(text: &str) -> Vec<u8> {
        let text = text.replace("ID", "10 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f");
        text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
    }

    fn read(bytes: &[u8]) -> Result<Option<Told>, Refusal> {
        let mut inbox = Inbox::default();
        inbox.put(bytes)?;
        inbox.take()
    }

    fn revisions(all: &[u64]) -> Revisions {
        let mut revisions = Revisions::default();
        all.iter().for_each(|one| revisions.add(*one));
        revisions
    }

    // covers: HO-1, HO-2
    #[test]
    fn what_is_told_is_read_byte_for_byte() {
        let sealed = format!("38 00 00 00 01 00 06 ID 02 2a ac 02{}", " ab".repeat(32));
        for (text, told) in [
            ("0c 00 00 00 01 00 00 00 d2 09 02 aa bb 01 01 00", Told::Hello(Role::Incumbent, 1234, vec![0xAA, 0xBB], (1, 1))),
            ("0a 00 00 00 01 00 00 01 ac 02 00 01 01 00", Told::Hello(Role::Successor, 300, Vec::new(), (1, 1))),
            ("05 00 00 00 01 00 03 00 01", Told::Drained(0, true)),
            ("07 00 00 00 01 00 05 01 02 ac 02", Told::SealProgress),
            (&sealed, Told::SealComplete(ID, revisions(&[42, 300]))),
            ("17 00 00 00 01 00 07 ID 01 78 00", Told::SealFailed(ID, "x".into())),
            ("1c 00 00 00 01 00 09 ID 01 03 61 3a 31 01 01 2a", Told::Ready(ID, true, revisions(&[42]))),
            ("09 00 00 00 01 00 0d 80 d0 95 ff bc 31", Told::Heartbeat),
        ] {
            assert_eq!(read(&hex(text)), Ok(Some(told)), "{text}");
        }
        assert_ne!(revisions(&[1, 2]), revisions(&[2, 1]));
        assert_ne!(revisions(&[0]), revisions(&[0, 0]));
    }

    // covers: HO-1, HO-2
    #[test]
    fn what_is_said_is_written_byte_for_byte() {
        for (text, order) in [
            ("15 00 00 00 01 00 01 01 ID", Order::HelloAck(1, ID)),
            ("1c 00 00 00 01 00 02 ID d3 09 e0 a7 12 e0 d4 03", Order::Prepare(ID, 1235, 300_000, 60_000)),
            ("14 00 00 00 01 00 04 ID", Order::SealRequest(ID)),
            ("14 00 00 00 01 00 08 ID", Order::Begin(ID)),
            ("14 00 00 00 01 00 0a ID", Order::Commit(ID)),
            ("17 00 00 00 01 00 0b ID 02 6e 6f", Order::Abort(ID, "no")),
            ("14 00 00 00 01 00 0c ID", Order::Resume(ID)),
            ("09 00 00 00 01 00 0d 80 d0 95 ff bc 31", Order::Heartbeat(1_700_000_000_000)),
        ] {
            assert_eq!(frame(1, order), hex(text), "{text}");
            assert!(read(&hex(text)).unwrap().is_some(), "known, whoever says it");
        }
        assert!(frame(1, Order::Abort(ID, &"ä".repeat(2_000))).len() < 600, "a text is cut between two characters");
        assert_eq!(format!("{ID}"), "00010203-0405-0607-0809-0a0b0c0d0e0f");
        let id = Id::of([0xFF; 16]);
        assert_eq!((id.0[6], id.0[8]), (0x4F, 0xBF), "a UUID of version 4");
    }

    // covers: B21, LAW-17
    #[test]
    fn a_frame_that_is_none_is_refused_before_it_is_read() {
        for length in [0, 1, LONGEST as u32 + 1, u32::MAX] {
            assert_eq!(read(&length.to_le_bytes()), Err(Refusal::Length(length)));
        }
        let longest = [&(LONGEST as u32).to_le_bytes()[..], &[1, 0, 13, 0], &vec![0; LONGEST - 4]].concat();
        assert_eq!(read(&longest), Ok(Some(Told::Heartbeat)), "what is behind the fields of a message is not looked at");
        // Kinds that nobody knows, a truth of 2, numbers too long or too large, a text that is none, fields that are missing.
        for text in [
            "0e",
            "7f",
            "03 00 02",
            "03 80 80 80 80 10 01",
            "03 ff ff ff ff ff 01",
            "06 ID ff ff ff ff ff ff ff ff ff 01",
            "07 ID 01 ff 00",
        ] {
            let payload = hex(text);
            let bytes = [&(payload.len() as u32 + 2).to_le_bytes()[..], &[1, 0], &payload].concat();
            assert_eq!(read(&bytes), Err(Refusal::Malformed), "{text}");
        }
        assert_eq!(common((1, 1)), Some(1));
        assert_eq!(common((0, 9)), Some(1));
        assert_eq!((common((2, 9)), common((0, 0)), common((9, 0))), (None, None, None));
    }

    // covers: B21
    #[test]
    fn a_frame_of_another_version_is_refused_once_one_is_agreed_upon() {
        let mut inbox = Inbox::default();
        inbox.put(&[frame(7, Order::Heartbeat(1)), frame(1, Order::Heartbeat(1)), frame(7, Order::Heartbeat(1))].concat()).unwrap();
        assert_eq!(inbox.take(), Ok(Some(Told::Heartbeat)));
        inbox.agree(1);
        assert_eq!(inbox.take(), Ok(Some(Told::Heartbeat)));
        assert_eq!(inbox.take(), Err(Refusal::Version(7)));
    }

    // covers: LAW-17
    #[test]
    fn who_says_more_than_any_handoff_needs_is_not_heard_for_ever() {
        let mut inbox = Inbox::default();
        let beat = frame(1, Order::Heartbeat(1));
        let heard = (0..).find(|_| inbox.put(&beat).and_then(|()| inbox.take()).is_err()).unwrap();
        assert_eq!(heard, FRAMES);
        let (mut inbox, long) = (Inbox::default(), [&(LONGEST as u32).to_le_bytes()[..], &[1, 0, 13, 0], &vec![0; LONGEST - 4]].concat());
        let heard = (0..).find(|_| inbox.put(&long).and_then(|()| inbox.take()).is_err()).unwrap();
        assert!((14..=16).contains(&heard), "{heard}");
        assert!(inbox.bytes.capacity() <= 4 * LONGEST);
    }

    proptest! {
        // covers: HO-1
        #[test]
        fn frames_come_in_any_pieces(cuts in proptest::collection::vec(1usize..40, 1..60)) {
            let said = [
                frame(1, Order::Heartbeat(3)),
                hex("05 00 00 00 01 00 03 05 00"),
                frame(1, Order::Abort(ID, "a reason of some length")),
                hex("17 00 00 00 01 00 07 ID 01 78 00"),
            ];
            let (all, mut inbox, mut told) = (said.concat(), Inbox::default(), Vec::new());
            let mut rest = &all[..];
            for cut in cuts.into_iter().chain(std::iter::repeat(7)) {
                if rest.is_empty() {
                    break;
                }
                let (piece, behind) = rest.split_at(cut.min(rest.len()));
                inbox.put(piece).unwrap();
                while let Some(one) = inbox.take().unwrap() {
                    told.push(one);
                }
                rest = behind;
            }
            prop_assert!(!inbox.is_amid());
            let expected = [Told::Heartbeat, Told::Drained(5, false), Told::Order("Abort"), Told::SealFailed(ID, "x".into())];
            prop_assert_eq!(told, expected.to_vec());
        }

        // covers: LAW-17
        #[test]
        fn whatever_comes_is_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
            let _ = Reader(&bytes).message();
        }

    }
}
