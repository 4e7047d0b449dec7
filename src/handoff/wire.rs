//! What owner and successor say to each other: kinds of messages, tags of their values, and the limits of both. How a message is laid out in bytes
//! is `channel::tlv`'s; docs/handoff-protocol.md says all of it for those who write another end.
//!
//! The trap: this format is spoken between two versions of a server, so nothing in it may ever change. New things come as ignorable
//! types and tags, as longer values, and as capability bits.

use super::machine::word::Ticket;
use super::machine::{Limits, Mode, Reason};
pub use crate::channel::tlv::Malformed;
use crate::channel::tlv::{self, Cursor, codes};

/// "PSHO".
const MAGIC: u32 = u32::from_le_bytes(*b"PSHO");
/// The longest message, header included: 252 names of 255 bytes fit.
pub const LONGEST: usize = 96 * 1024;
/// The longest name of a descriptor.
pub const LONGEST_NAME: usize = 255;
/// How names begin that an application cannot give.
const RESERVED: &[u8] = b"procsup:";
/// The name of a connection: with the owner's number of it.
pub const CONNECTION: &[u8] = b"procsup:connection:";
/// The same of what was read of it, a sealed memfd.
pub const READ: &[u8] = b"procsup:read:";
/// The longest reason in words.
pub const LONGEST_TEXT: usize = 1024;
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
        /// u64: bits of what the sender can do beyond the version; none is defined yet.
        Capabilities = 13,
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
    /// The versions spoken here, and what else can be done.
    pub fn versions(&mut self) -> &mut Self {
        self.value(Tag::Versions, &[&VERSIONS.0.to_le_bytes(), &VERSIONS.1.to_le_bytes()]);
        self.value(Tag::Capabilities, &[&0u64.to_le_bytes()])
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
        Tag::Capabilities => {
            value.u64()?;
        }
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
    }
}
