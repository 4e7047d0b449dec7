//! What owner and successor say to each other: kinds of messages, tags of their values, and the limits of both. How a message is laid out in bytes
//! is `channel::tlv`'s; docs/handoff-protocol.md says all of it for those who write another end.
//!
//! The trap: this format is spoken between two versions of a server, so nothing in it may ever change. New things come as ignorable
//! types and tags, as longer values, and as capability bits.

use super::machine::standing::Standing;
use super::machine::word::Ticket;
use super::machine::{Limits, Mode, Reason};
use super::outcome::{BuildId, KEPT, Outcome};
pub use crate::channel::tlv::Malformed;
use crate::channel::tlv::{self, Cursor, codes};

/// "PSHO".
const MAGIC: u32 = u32::from_le_bytes(*b"PSHO");
/// The longest message, header included: 252 names of 255 bytes fit.
pub const LONGEST: usize = 96 * 1024;
/// The longest name of a descriptor.
pub const LONGEST_NAME: usize = 255;
/// The role of an observer.
const OBSERVER: u8 = 1;
/// How names begin that an application cannot give.
const RESERVED: &[u8] = b"procsup:";
/// The name of a connection: with the owner's number of it.
pub const CONNECTION: &[u8] = b"procsup:connection:";
/// The same of what was read of it, a sealed memfd.
pub const READ: &[u8] = b"procsup:read:";
/// The longest reason in words.
pub const LONGEST_TEXT: usize = 1024;
/// Capability of an owner: it serves observers.
pub const SERVES_OBSERVERS: u64 = 1;
/// The versions spoken here.
pub const VERSIONS: (u16, u16) = (1, 1);

codes! {
    /// Types of messages.
    Kind: u16 {
        /// Successor: here I am.
        Hello = 1,
        /// Owner: a part of what is handed on.
        Offer = 2,
        /// Successor: that part has arrived.
        Ack = 3,
        /// Successor: everything is loaded.
        Warm = 4,
        /// Owner: a part of what changed since.
        Delta = 5,
        /// Owner: it is yours.
        Commit = 6,
        /// Successor: I serve.
        Live = 7,
        /// Owner: do you stand alone?
        Settle = 8,
        /// Successor: I do.
        Settled = 9,
        /// Either: it is off.
        Abort = 10,
        /// Either: I cannot take that.
        Nak = 11,
        /// Owner to observer: a part of what there is.
        Estate = 12,
        /// Owner to observer: a handoff has come to this phase. May be skipped.
        Progress = 13,
        /// Owner to observer: what came of a handoff. May be skipped.
        Outcome = 14,
        /// Observer: this process is the successor that I have started; or one will come that I am about to start.
        Expect = 15,
        /// Observer: its handoff is to be called off.
        CallOff = 16,
    }
}

codes! {
    /// Tags of TLVs.
    Tag: u16 {
        /// u16 lowest, u16 highest version.
        Versions = 1,
        /// u64: when the sender's process began (proc_pid_stat(5), field 22).
        Start = 2,
        /// u16 part, u16 parts, u16 descriptors in this message.
        Part = 3,
        /// i64: nanoseconds that are left for everything before the commit.
        Whole = 4,
        /// u8: 0 exclusive, 1 overlap.
        Mode = 5,
        /// 4 x i64: drain, seal, live, probation, nanoseconds.
        Limits = 6,
        /// bytes: the descriptor at this place among the named and owned ones has this name.
        Name = 7,
        /// u8: the descriptor at this place is one of the protocol's own ([`Own`]).
        Own = 8,
        /// bytes: the descriptor of this name is no longer handed on.
        Gone = 9,
        /// u64.
        Revision = 10,
        /// u8.
        Reason = 11,
        /// bytes: UTF-8, for people.
        Text = 12,
        /// u64: bits of what the sender can do beyond the version ([`SERVES_OBSERVERS`]).
        Capabilities = 13,
        /// u8: 1, this guest is an observer. Not to be skipped: who does not know it refuses the greeting.
        Role = 14,
        /// bytes: which build the sender is.
        Build = 15,
        /// u64: which generation owns.
        Generation = 16,
        /// u64: which handoff, in messages of an observer's channel (whose header has none).
        Handoff = 17,
        /// u8: a PS_HANDOFF_PHASE_*, of the handoff as a whole.
        Phase = 18,
        /// i32: a process.
        Pid = 19,
        /// i64: a time stamp, CLOCK_MONOTONIC.
        Time = 20,
        /// i64: nanoseconds for the answer to DRAIN.
        Drain = 21,
        /// bytes: what came of a handoff that is over (`outcome/bytes.rs`). May be skipped.
        Record = 22,
        /// bytes: the same of the one under way, as far as the sender knows it. May be skipped.
        Half = 23,
    }
}

codes! {
    /// Descriptors that belong to the protocol.
    Own: u8 {
        /// The page of the epoch record.
        Epoch = 1,
        /// The lock file, locked.
        Lock = 2,
        /// The control path's listening socket.
        Control = 3,
        /// The state, a sealed memfd.
        State = 4,
        /// A pidfd: of the owner (ESTATE), or of the successor that is expected (EXPECT).
        Process = 5,
    }
}

codes! {
    /// Why a message was not taken.
    Refusal: u8 {
        /// Another handoff is under way.
        Busy = 1,
        /// No common version.
        Version = 2,
        /// Not understood.
        Unknown = 3,
        /// Not this process.
        Denied = 4,
        /// Not now: descriptors or memory are not to be had.
        Limit = 5,
        /// The lock that would be handed on is not the one at the path.
        Replaced = 6,
        /// There is nothing, or no more, to be called off.
        Late = 7,
    }
}

/// Where a descriptor of a message belongs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// To the protocol.
    Own(Own),
    /// To the application, under this name.
    Named(Vec<u8>),
}

/// A message, read: id 0 in a HELLO.
pub type Message = tlv::Message<Kind, Body>;

/// One end of the channel between the two.
pub(super) type Link = crate::channel::seqpacket::End<Protocol>;

/// What a message can carry; absent fields have their defaults.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Body {
    /// Lowest and highest version.
    pub versions: Option<(u16, u16)>,
    /// When the sender's process began.
    pub start: Option<u64>,
    /// Part, of parts.
    pub part: Option<(u16, u16)>,
    /// Nanoseconds left.
    pub whole: Option<i64>,
    /// How it goes.
    pub mode: Option<Mode>,
    /// How long each waits.
    pub limits: Option<Limits>,
    /// Where the descriptors belong, in their order.
    pub places: Vec<Place>,
    /// Names that are no longer handed on.
    pub gone: Vec<Vec<u8>>,
    /// The revision sealed.
    pub revision: Option<u64>,
    /// The code of a reason or refusal.
    pub reason: Option<u8>,
    /// The same for people.
    pub text: Option<String>,
    /// What the sender can do beyond the version.
    pub capabilities: u64,
    /// It is an observer.
    pub observes: bool,
    /// Which build the sender is.
    pub build: Option<BuildId>,
    /// Which generation owns.
    pub generation: Option<u64>,
    /// Which handoff.
    pub handoff: Option<u64>,
    /// How far it is.
    pub phase: Option<Standing>,
    /// A process.
    pub pid: Option<i32>,
    /// When it came about.
    pub time: Option<i64>,
    /// How long the owner may drain.
    pub drain: Option<i64>,
    /// What came of the last handoffs, the latest last: [`KEPT`] of them at the most.
    pub records: Vec<Outcome>,
    /// What the sender knows of the one under way.
    pub half: Option<Box<Outcome>>,
}

/// The protocol, as `channel` speaks it.
#[derive(Debug)]
pub enum Protocol {}

impl tlv::Protocol for Protocol {
    const MAGIC: u32 = MAGIC;
    const LONGEST: usize = LONGEST;
    type Kind = Kind;
    type Tag = Tag;
    type Refusal = Refusal;
    type Body = Body;
    const GREETING: Kind = Kind::Hello;
    const REFUSAL: Kind = Kind::Nak;
    const NOT_UNDERSTOOD: Refusal = Refusal::Unknown;

    fn put(body: &mut Body, tag: Tag, value: &mut Cursor<'_>) -> Option<()> {
        read_value(body, tag, value)
    }
    fn descriptors(body: &Body) -> usize {
        body.places.len()
    }
    fn refuse(writer: &mut Writer, refusal: Refusal, text: &str) {
        writer.reason(refusal as u8, text);
    }
}

/// Reads one message; `fds`: how many descriptors came with it.
pub fn read(bytes: &[u8], fds: usize) -> Result<Message, Malformed> {
    tlv::read::<Protocol>(bytes, fds)
}

/// Writes a message.
pub type Writer = tlv::Writer<Protocol>;

impl Writer {
    /// The versions spoken here, by one that can do nothing else.
    pub fn versions(&mut self) -> &mut Self {
        self.versions_and(0)
    }

    /// The same, and what else can be done.
    pub fn versions_and(&mut self, capabilities: u64) -> &mut Self {
        self.value(Tag::Versions, &[&VERSIONS.0.to_le_bytes(), &VERSIONS.1.to_le_bytes()]);
        self.value(Tag::Capabilities, &[&capabilities.to_le_bytes()])
    }

    /// It is an observer that greets.
    pub fn observes(&mut self) -> &mut Self {
        self.value(Tag::Role, &[&[OBSERVER]])
    }

    /// Which build the sender is; none is not said.
    pub fn build(&mut self, build: &BuildId) -> &mut Self {
        if build.is_empty() { self } else { self.skippable(Tag::Build, &[build.bytes()]) }
    }

    /// Which generation owns.
    pub fn generation(&mut self, generation: u64) -> &mut Self {
        self.value(Tag::Generation, &[&generation.to_le_bytes()])
    }

    /// Which handoff.
    pub fn handoff(&mut self, id: u64) -> &mut Self {
        self.value(Tag::Handoff, &[&id.to_le_bytes()])
    }

    /// A process.
    pub fn pid(&mut self, pid: i32) -> &mut Self {
        self.value(Tag::Pid, &[&pid.to_le_bytes()])
    }

    /// That a handoff has come to this phase, with whom, and when.
    pub fn progress(&mut self, id: u64, phase: Standing, peer: i32, time: i64) -> &mut Self {
        self.handoff(id).value(Tag::Phase, &[&[phase as u8]]);
        self.pid(peer).value(Tag::Time, &[&time.to_le_bytes()])
    }

    /// Who is expected (0: one that is about to be started), until when the owner commits to it, and how long it may drain.
    pub fn expect(&mut self, pid: i32, whole: i64, drain: i64) -> &mut Self {
        self.pid(pid).value(Tag::Whole, &[&whole.to_le_bytes()]);
        self.value(Tag::Drain, &[&drain.to_le_bytes()])
    }

    /// What came of a handoff that is over.
    pub fn record(&mut self, outcome: &Outcome) -> &mut Self {
        self.skippable(Tag::Record, &[&outcome.to_bytes()])
    }

    /// What is known of the one under way.
    pub fn half(&mut self, outcome: Option<&Outcome>) -> &mut Self {
        match outcome {
            Some(outcome) => self.skippable(Tag::Half, &[&outcome.to_bytes()]),
            None => self,
        }
    }

    /// When this process began.
    pub fn start(&mut self, ticks: u64) -> &mut Self {
        self.value(Tag::Start, &[&ticks.to_le_bytes()])
    }

    /// Which part.
    pub fn part(&mut self, part: u16, parts: u16, fds: u16) -> &mut Self {
        self.value(Tag::Part, &[&part.to_le_bytes(), &parts.to_le_bytes(), &fds.to_le_bytes()])
    }

    /// How the handoff goes.
    pub fn terms(&mut self, whole: i64, mode: Mode, limits: &Limits) -> &mut Self {
        self.value(Tag::Whole, &[&whole.to_le_bytes()]);
        self.value(Tag::Mode, &[&[u8::from(mode == Mode::Overlap)]]);
        let limits = [limits.drain, limits.seal, limits.live, limits.probation].map(i64::to_le_bytes);
        self.value(Tag::Limits, &[limits.as_flattened()])
    }

    /// Where the next descriptor belongs.
    pub fn place(&mut self, place: &Place) -> &mut Self {
        match place {
            Place::Own(own) => self.value(Tag::Own, &[&[*own as u8]]),
            Place::Named(name) => self.value(Tag::Name, &[name]),
        }
    }

    /// A name that is no longer handed on.
    pub fn gone(&mut self, name: &[u8]) -> &mut Self {
        self.value(Tag::Gone, &[name])
    }

    /// The revision sealed.
    pub fn revision(&mut self, revision: u64) -> &mut Self {
        self.value(Tag::Revision, &[&revision.to_le_bytes()])
    }

    /// A reason, with words.
    pub fn reason(&mut self, code: u8, text: &str) -> &mut Self {
        self.value(Tag::Reason, &[&[code]]);
        let end = (0..=text.len().min(LONGEST_TEXT)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        self.value(Tag::Text, &[&text.as_bytes()[..end]])
    }
}

/// A known tag has at least its length; what is behind comes from a later version.
fn read_value(body: &mut Body, tag: Tag, value: &mut Cursor<'_>) -> Option<()> {
    match tag {
        Tag::Versions => body.versions = Some((value.u16()?, value.u16()?)).filter(|(low, high)| low <= high),
        Tag::Start => body.start = Some(value.u64()?),
        Tag::Part => {
            let (part, parts, _) = (value.u16()?, value.u16()?, value.u16()?);
            body.part = Some((part, parts)).filter(|(part, parts)| part < parts);
            body.part?;
        }
        Tag::Whole => body.whole = Some(value.span()?),
        Tag::Mode => {
            body.mode = Some(match value.u8()? {
                0 => Mode::Exclusive,
                1 => Mode::Overlap,
                _ => return None,
            });
        }
        Tag::Limits => {
            let (drain, seal, live, probation) = (value.span()?, value.span()?, value.span()?, value.span()?);
            body.limits = Some(Limits { drain, seal, live, probation });
        }
        Tag::Name => body.places.push(Place::Named(name(value.rest())?)),
        Tag::Own => body.places.push(Place::Own(Own::from_code(value.u8()?)?)),
        Tag::Gone => body.gone.push(name(value.rest())?),
        Tag::Revision => body.revision = Some(value.u64()?),
        Tag::Reason => body.reason = Some(value.u8()?),
        Tag::Text => {
            let bytes = &value.rest()[..value.rest().len().min(LONGEST_TEXT)];
            body.text = Some(String::from_utf8_lossy(bytes).into_owned());
        }
        Tag::Capabilities => body.capabilities = value.u64()?,
        // Another role is a later version's: this end would take it for a successor.
        Tag::Role => {
            (value.u8()? == OBSERVER).then_some(())?;
            body.observes = true;
        }
        Tag::Build => body.build = BuildId::from_bytes(value.rest()),
        Tag::Generation => body.generation = Some(value.u64()?),
        Tag::Handoff => body.handoff = Some(value.u64()?),
        // One that is not known here is a later version's.
        Tag::Phase => body.phase = Standing::from_repr(i32::from(value.u8()?)),
        Tag::Pid => body.pid = Some(value.u32()? as i32).filter(|pid| *pid >= 0),
        Tag::Time => body.time = Some(value.span()?),
        Tag::Drain => body.drain = Some(value.span()?),
        // More than anybody keeps are not kept here either.
        Tag::Record if body.records.len() < KEPT => body.records.extend(Outcome::from_bytes(value.rest())),
        Tag::Record => {}
        Tag::Half => body.half = Outcome::from_bytes(value.rest()).map(Box::new),
    }
    Some(())
}

/// A name of a descriptor, as [`check_name`] allows it.
fn name(bytes: &[u8]) -> Option<Vec<u8>> {
    check_name(bytes).then(|| bytes.to_vec())
}

/// 1 to 255 bytes without NUL or newline.
pub fn check_name(name: &[u8]) -> bool {
    (1..=LONGEST_NAME).contains(&name.len()) && !name.iter().any(|byte| matches!(byte, 0 | b'\n'))
}

/// Whether it is the protocol's: for connections.
pub fn is_reserved(name: &[u8]) -> bool {
    name.starts_with(RESERVED)
}

/// The number of a reason.
pub fn reason_code(reason: Reason) -> u8 {
    match reason {
        Reason::Cancelled => 1,
        Reason::Timeout => 2,
        Reason::Died => 3,
        Reason::HungUp => 4,
        Reason::PeerFailed => 5,
        Reason::Failed => 6,
        Reason::Version => 7,
        Reason::Protocol => 8,
        Reason::Fenced => 9,
        Reason::System => 10,
        Reason::Limit => 11,
        Reason::Denied => 12,
        Reason::Displaced => 13,
    }
}

/// What a peer's refusal is to us.
pub fn reason_of_refusal(code: Option<u8>) -> Reason {
    match code.and_then(Refusal::from_code) {
        Some(Refusal::Version) => Reason::Version,
        Some(Refusal::Denied) => Reason::Denied,
        Some(Refusal::Limit) => Reason::Limit,
        Some(Refusal::Replaced) => Reason::Displaced,
        _ => Reason::Protocol,
    }
}

/// The id of a handoff, by its ticket.
pub fn id_of(ticket: Ticket) -> u64 {
    u64::from(ticket.generation) << 24 | u64::from(ticket.handoff)
}

/// The ticket, by the id.
pub fn ticket_of(id: u64) -> Ticket {
    Ticket { generation: (id >> 24) as u32, handoff: (id & 0xFF_FFFF) as u32 }
}

/// Whether there is a version that both speak.
pub fn speaks_with_us(message: &Message) -> bool {
    message.body.versions.is_some_and(|(low, high)| low <= VERSIONS.1 && high >= VERSIONS.0)
}

/// Why not, in words.
pub fn versions_text(message: &Message) -> String {
    let (low, high) = message.body.versions.unwrap_or((0, 0));
    format!("versions {low} to {high} are spoken there, {} to {} here", VERSIONS.0, VERSIONS.1)
}

/// What a peer's reason is to us: its failure is the peer's.
pub fn reason_of_peer(code: u8) -> Reason {
    match code {
        1 => Reason::Cancelled,
        2 => Reason::Timeout,
        7 => Reason::Version,
        8 => Reason::Protocol,
        12 => Reason::Denied,
        13 => Reason::Displaced,
        _ => Reason::PeerFailed,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::channel::tlv::TAG_IGNORABLE;

    fn offer() -> Vec<u8> {
        let limits = Limits { drain: 1, seal: 2, live: 3, probation: 4 };
        let mut writer = Writer::new(Kind::Offer, 0x1234_5678_9ABC, 7);
        writer.part(0, 2, 2).start(99).terms(5, Mode::Overlap, &limits);
        writer.place(&Place::Own(Own::Epoch)).place(&Place::Named(b"http".to_vec())).gone(b"old").finish()
    }

    #[test]
    fn an_offer_reads_as_it_was_written() {
        let message = read(&offer(), 2).unwrap();
        assert_eq!((message.kind, message.id, message.seq), (Kind::Offer, 0x1234_5678_9ABC, 7));
        assert_eq!(message.body.part, Some((0, 2)));
        assert_eq!(message.body.places, [Place::Own(Own::Epoch), Place::Named(b"http".to_vec())]);
        assert_eq!(message.body.gone, [b"old".to_vec()]);
        assert_eq!(message.body.limits, Some(Limits { drain: 1, seal: 2, live: 3, probation: 4 }));
        assert_eq!((message.body.mode, message.body.whole, message.body.start), (Some(Mode::Overlap), Some(5), Some(99)));
    }

    #[test]
    fn a_message_is_these_bytes() {
        let bytes = Writer::new(Kind::Ack, 0x0102, 3).part(1, 2, 0).finish();
        let expected = b"PSHO\x03\0\0\0\x02\x01\0\0\0\0\0\0\x03\0\0\0\x0a\0\0\0\x03\0\x06\0\x01\0\x02\0\0\0";
        assert_eq!(bytes, expected);
    }

    #[test]
    fn descriptors_and_places_must_be_as_many() {
        assert_eq!(read(&offer(), 1), Err(Malformed::Unknown));
        assert_eq!(read(&offer(), 3), Err(Malformed::Unknown));
    }

    #[test]
    fn unknown_types_and_tags_are_skipped_only_where_the_sender_allows_it() {
        let mut bytes = Writer::new(Kind::Warm, 1, 1).finish();
        bytes[4] = 200;
        assert_eq!(read(&bytes, 0), Err(Malformed::Unknown));
        bytes[6] = 1;
        assert_eq!(read(&bytes, 0), Err(Malformed::Skip));
        let mut bytes = Writer::new(Kind::Warm, 1, 1).revision(5).finish();
        bytes[24..26].copy_from_slice(&300u16.to_le_bytes());
        assert_eq!(read(&bytes, 0), Err(Malformed::Unknown));
        bytes[24..26].copy_from_slice(&(300 | TAG_IGNORABLE).to_le_bytes());
        assert_eq!(read(&bytes, 0).unwrap().body, Body::default());
    }

    fn outcome() -> Outcome {
        let mut outcome = Outcome::begin(5 << 24 | 1, Mode::Exclusive, 10, 1_000);
        outcome.old_build = BuildId::from_bytes(b"v1").unwrap();
        outcome
    }

    /// As all that an observer's channel carries.
    fn expect() -> Vec<u8> {
        let mut writer = Writer::new(Kind::Expect, 0, 2);
        writer.expect(4711, 5, 6).progress(7, Standing::Draining, 12, 13).generation(14).record(&outcome()).half(Some(&outcome()));
        writer.build(&outcome().old_build).observes().versions_and(SERVES_OBSERVERS).place(&Place::Own(Own::Process)).finish()
    }

    #[test]
    fn what_an_observer_says_and_hears_reads_as_it_was_written() {
        let body = read(&expect(), 1).unwrap().body;
        assert_eq!((body.whole, body.drain, body.handoff, body.phase), (Some(5), Some(6), Some(7), Some(Standing::Draining)));
        assert_eq!((body.pid, body.time, body.generation, body.capabilities), (Some(12), Some(13), Some(14), SERVES_OBSERVERS));
        assert_eq!((body.records, body.half, body.build), (vec![outcome()], Some(Box::new(outcome())), Some(outcome().old_build)));
        assert!(body.observes);
    }

    #[test]
    fn no_more_records_are_read_than_anybody_keeps_and_one_that_makes_no_sense_is_none() {
        let mut writer = Writer::new(Kind::Offer, 1, 1);
        (0..40).for_each(|_| _ = writer.record(&outcome()));
        assert_eq!(read(&writer.finish(), 0).unwrap().body.records.len(), KEPT);
        let bytes = Writer::new(Kind::Offer, 1, 1).skippable(Tag::Record, &[b"none"]).skippable(Tag::Half, &[b""]).finish();
        let body = read(&bytes, 0).unwrap().body;
        assert_eq!((body.records.len(), body.half), (0, None));
    }

    #[test]
    fn another_role_is_no_successor() {
        let bytes = Writer::new(Kind::Hello, 0, 1).versions().value(Tag::Role, &[&[2]]).finish();
        assert_eq!(read(&bytes, 0), Err(Malformed::Unknown));
    }

    #[test]
    fn a_longer_value_of_a_known_tag_is_a_later_version_s() {
        let mut bytes = Writer::new(Kind::Warm, 1, 1).revision(5).finish();
        bytes.extend_from_slice(&[1, 2]);
        bytes[26] += 2;
        bytes[20] += 2;
        assert_eq!(read(&bytes, 0).unwrap().body.revision, Some(5));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200), fds in 0usize..4) {
            let _ = read(&bytes, fds);
        }

        #[test]
        fn a_changed_byte_or_a_cut_is_read_without_harm(at in 0usize..200, byte: u8, cut in 0usize..200) {
            let mut bytes = offer();
            let place = at % bytes.len();
            bytes[place] = byte;
            bytes.truncate(cut);
            let _ = read(&bytes, 2);
        }

        #[test]
        fn an_observer_s_message_is_read_without_harm(at in 0usize..700, byte: u8, cut in 0usize..700) {
            let mut bytes = expect();
            let place = at % bytes.len();
            bytes[place] = byte;
            bytes.truncate(cut);
            let _ = read(&bytes, 1);
        }
    }
}
