//! What a host and its preloader say to each other, and a worker and its host: kinds of messages, tags of their values, and the limits of both. How a
//! message is laid out in bytes is `channel::tlv`'s. For those who write another end: docs/reference/fork-protocol.md.
//!
//! Two channels, one protocol. The *control channel*, one per preloader process: its id is the generation. The *private pair*, one per worker: its id is
//! the birth. The host makes both, and says HELLO on a control channel before anybody has its other end, so whoever opens that finds it there; on
//! a private pair the newborn speaks first. Whoever sees the end of its channel goes.
//!
//! ```text
//!   control, host to preloader     HELLO{version}  FORK{birth, flags, left, END}  CANCEL{birth}  RELEASE{birth}  STOP
//!                                  GO (to one that was a worker, for its READY: until then it is a worker still)
//!   control, preloader to host     HELLO{version}  READY{flags}  FAILED{status, text}  BORN{birth, pid, flags, [PIDFD]}  REFUSED{birth, status, errno, text}
//!                                  ENDED{birth, pid, ending}  LEAVING
//!   private, newborn to host       HELLO{version}  READY  FAILED{status, text}
//!   private, host to worker        GO{TO number, ..}  PROMOTE{left, CONTROL}
//!   either                         NAK{status, text}
//! ```
//!
//! The traps: both sides are the same library today and two versions of it tomorrow (an application is loaded with the library it finds), so nothing in here
//! may ever change its meaning. A preloader in a pid namespace of its own says numbers of that namespace: what it says of pids is for display, who
//! speaks is what the kernel says. And such a preloader sees its host as pid 0, so inside nobody asks who speaks: only the host has that end.

pub use crate::channel::tlv::Malformed;
use crate::channel::tlv::{self, Cursor, Unread, codes};
use crate::error::Status;

/// "PSPL".
const MAGIC: u32 = u32::from_le_bytes(*b"PSPL");
/// The longest message, header included: a GO with all descriptors that a message can carry fits, and a text.
pub const LONGEST: usize = 4096;
/// The longest text.
pub const LONGEST_TEXT: usize = 1536;
/// The versions spoken here: lowest, highest.
pub const VERSIONS: (u16, u16) = (1, 1);
/// The variable that holds the number of a preloader's control channel.
pub const VARIABLE: &str = "PROCSUP_PRELOAD_FD";
/// The most descriptors that one GO brings.
pub const MAX_GIVEN: usize = crate::sys::socket::MAX_FDS;

/// FORK: for nobody yet, so there will be time at its gate for what takes time behind it.
pub const POOLED: u32 = 1;
/// READY: siblings were asked for (`PS_FORK_SIBLING`).
pub const SIBLING: u32 = 1;
/// READY: siblings can be had, as far as is known before the first one. BORN: this one is the host's own child.
pub const IS_SIBLING: u32 = 2;
/// FORK: nothing need be said but that it is not made; its HELLO says the rest.
pub const HELLO_WILL_DO: u32 = 2;
/// READY: the pages were collapsed to huge ones.
pub const COLLAPSED: u32 = 4;

codes! {
    /// Types of messages.
    Kind: u16 {
        /// Either: here I am. The host's stands in a control channel from its beginning; a newborn's says that it waits at its gate.
        Hello = 1,
        /// Preloader: loaded. Worker: it works.
        Ready = 2,
        /// Preloader: loading failed, and why. Worker: it does not come to work.
        Failed = 3,
        /// Preloader: it is made.
        Born = 4,
        /// Preloader: this one is not made, and why.
        Refused = 5,
        /// Preloader: a child of its own has ended, and is a zombie until RELEASE, or two seconds.
        Ended = 6,
        /// Preloader: it goes; what it was asked for and has not answered is not made.
        Leaving = 7,
        /// Host: make one.
        Fork = 16,
        /// Host: its end was seen; reap it.
        Release = 17,
        /// Host: do not make it, if it is not made yet. Answered by REFUSED, or by the BORN, or the HELLO, that was on its way.
        Cancel = 18,
        /// Host: go.
        Stop = 19,
        /// Host: the gate is open; on a control channel: you are the preloader.
        Go = 20,
        /// Host: become the preloader of the next generation.
        Promote = 21,
        /// Either: I do not understand that.
        Nak = 31,
    }
}

codes! {
    /// Tags of TLVs.
    Tag: u16 {
        /// u16 lowest, u16 highest version.
        Versions = 1,
        /// u32: bits.
        Flags = 2,
        /// u64: which birth.
        Birth = 3,
        /// i32: a number of the sender's pid namespace, for display.
        Pid = 4,
        /// i64: milliseconds that are left.
        Left = 5,
        /// i32: a `ps_status`.
        Status = 6,
        /// i32.
        Errno = 7,
        /// bytes: UTF-8, for people.
        Text = 8,
        /// i32: a status word of wait(2), as the parent was told; it may lie.
        Ending = 9,
        /// A descriptor: the worker's end of its private pair.
        End = 16,
        /// A descriptor: a pidfd of the one that was born.
        Pidfd = 17,
        /// A descriptor: the preloader's end of a control channel.
        Control = 18,
        /// i32: a descriptor, and the number that it has in the worker.
        To = 19,
    }
}

/// What a descriptor of a message is; they travel in the order of these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The worker's end of its private pair.
    End,
    /// A pidfd of the one that was born.
    Pidfd,
    /// The preloader's end of a control channel.
    Control,
    /// The worker gets it under this number.
    To(i32),
}

/// A message, read.
pub type Message = tlv::Message<Kind, Body>;

/// The host's end of either channel.
pub type Link = crate::channel::seqpacket::End<Protocol>;

/// The value of a greeting.
#[inline(always)]
pub fn versions() -> [u8; 4] {
    let ([a, b], [c, d]) = (VERSIONS.0.to_le_bytes(), VERSIONS.1.to_le_bytes());
    [a, b, c, d]
}

/// What a message can carry; absent fields have their defaults.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Body {
    /// Lowest and highest version.
    pub versions: Option<(u16, u16)>,
    /// Bits; unknown ones mean nothing.
    pub flags: u32,
    /// Which birth.
    pub birth: Option<u64>,
    /// For display.
    pub pid: Option<i32>,
    /// Milliseconds that are left; `None`: no limit.
    pub left: Option<i64>,
    /// The number of a [`Status`].
    pub status: Option<i32>,
    /// An errno.
    pub errno: Option<i32>,
    /// A status word of wait(2): the other side's word.
    pub ending: Option<i32>,
    /// For people: may hold anything.
    pub text: Option<String>,
    /// What the descriptors are, in their order.
    pub places: Vec<Place>,
}

impl Body {
    /// The status of a refusal: an error, whatever the other side says.
    pub fn refusal(&self) -> Status {
        self.status.and_then(Status::from_repr).filter(|status| (*status as i32) < 0).unwrap_or(Status::Protocol)
    }
}

/// The protocol, as `channel` speaks it.
#[derive(Debug)]
pub enum Protocol {}

impl tlv::Protocol for Protocol {
    const MAGIC: u32 = MAGIC;
    const LONGEST: usize = LONGEST;
    type Kind = Kind;
    type Tag = Tag;
    type Refusal = Status;
    type Body = Body;
    const GREETING: Kind = Kind::Hello;
    const REFUSAL: Kind = Kind::Nak;
    const NOT_UNDERSTOOD: Status = Status::Protocol;

    fn put(body: &mut Body, tag: Tag, value: &mut Cursor<'_>) -> Option<()> {
        read_value(body, tag, value)
    }
    fn descriptors(body: &Body) -> usize {
        body.places.len()
    }
    fn refuse(writer: &mut Writer, refusal: Status, text: &str) {
        writer.status(refusal).text(text);
    }
}

/// Reads one message; `fds`: how many descriptors came with it.
pub fn read(bytes: &[u8], fds: usize) -> Result<Message, Malformed> {
    tlv::read::<Protocol>(bytes, fds)
}

/// The numbers that the descriptors of a GO go to, in their order, read where it lies: nothing is allocated, and little code passed through. As many as there is
/// room for are put there. `None`: it makes no sense, or there are more.
#[inline(always)]
pub fn targets<'a>(bytes: &[u8], fds: usize, room: &'a mut [i32]) -> Option<&'a [i32]> {
    let mut values = Unread::of::<Protocol>(bytes, Kind::Go)?.values();
    let mut count = 0;
    while !values.is_empty() {
        let (tag, mut value) = values.value()?;
        if tag & !tlv::TAG_IGNORABLE == Tag::To as u16 {
            *room.get_mut(count)? = Some(value.u32()? as i32).filter(|number| *number >= 0)?;
            count += 1;
        } else if !is_beside(tag) {
            return None;
        }
    }
    if count == fds { room.get(..count) } else { None }
}

/// Whether this may be in a GO and means nothing there.
#[cold]
#[inline(never)]
fn is_beside(tag: u16) -> bool {
    match Tag::from_code(tag & !tlv::TAG_IGNORABLE) {
        Some(Tag::To | Tag::End | Tag::Pidfd | Tag::Control) => false,
        Some(_) => true,
        None => tag & tlv::TAG_IGNORABLE != 0,
    }
}

/// Writes a message.
pub type Writer = tlv::Writer<Protocol>;

impl Writer {
    /// The versions spoken here.
    pub fn versions(&mut self) -> &mut Self {
        self.value(Tag::Versions, &[&versions()])
    }

    /// Bits.
    pub fn flags(&mut self, flags: u32) -> &mut Self {
        self.value(Tag::Flags, &[&flags.to_le_bytes()])
    }

    /// Which birth.
    pub fn birth(&mut self, birth: u64) -> &mut Self {
        self.value(Tag::Birth, &[&birth.to_le_bytes()])
    }

    /// For display.
    pub fn pid(&mut self, pid: i32) -> &mut Self {
        self.value(Tag::Pid, &[&pid.to_le_bytes()])
    }

    /// Milliseconds that are left; `None`: no limit.
    pub fn left(&mut self, left: Option<i64>) -> &mut Self {
        match left {
            Some(left) => self.value(Tag::Left, &[&left.max(0).to_le_bytes()]),
            None => self,
        }
    }

    /// Why not.
    pub fn status(&mut self, status: Status) -> &mut Self {
        self.value(Tag::Status, &[&(status as i32).to_le_bytes()])
    }

    /// The system call's error.
    pub fn errno(&mut self, errno: i32) -> &mut Self {
        self.value(Tag::Errno, &[&errno.to_le_bytes()])
    }

    /// How it ended, as its parent was told.
    pub fn ending(&mut self, status: i32) -> &mut Self {
        self.value(Tag::Ending, &[&status.to_le_bytes()])
    }

    /// For people; cut at a character.
    pub fn text(&mut self, text: &str) -> &mut Self {
        let end = (0..=text.len().min(LONGEST_TEXT)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        self.value(Tag::Text, &[&text.as_bytes()[..end]])
    }

    /// What the next descriptor is.
    pub fn place(&mut self, place: Place) -> &mut Self {
        match place {
            Place::End => self.value(Tag::End, &[]),
            Place::Pidfd => self.value(Tag::Pidfd, &[]),
            Place::Control => self.value(Tag::Control, &[]),
            Place::To(number) => self.value(Tag::To, &[&number.to_le_bytes()]),
        }
    }
}

/// A known tag has at least its length; what is behind comes from a later version.
fn read_value(body: &mut Body, tag: Tag, value: &mut Cursor<'_>) -> Option<()> {
    match tag {
        Tag::Versions => {
            body.versions = Some((value.u16()?, value.u16()?)).filter(|(low, high)| low <= high);
            body.versions?;
        }
        Tag::Flags => body.flags = value.u32()?,
        Tag::Birth => body.birth = Some(value.u64()?),
        Tag::Pid => body.pid = Some(value.u32()? as i32).filter(|pid| *pid > 0),
        Tag::Left => body.left = Some(value.span()?),
        Tag::Status => body.status = Some(value.u32()? as i32),
        Tag::Errno => body.errno = Some(value.u32()? as i32),
        Tag::Ending => body.ending = Some(value.u32()? as i32),
        Tag::Text => {
            let bytes = &value.rest()[..value.rest().len().min(LONGEST_TEXT)];
            body.text = Some(String::from_utf8_lossy(bytes).into_owned());
        }
        Tag::End => body.places.push(Place::End),
        Tag::Pidfd => body.places.push(Place::Pidfd),
        Tag::Control => body.places.push(Place::Control),
        Tag::To => body.places.push(Place::To(Some(value.u32()? as i32).filter(|number| *number >= 0)?)),
    }
    Some(())
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn go() -> Vec<u8> {
        Writer::new(Kind::Go, 0x1234_5678, 7).flags(3).place(Place::To(0)).place(Place::To(17)).finish()
    }

    #[test]
    fn a_go_reads_as_it_was_written() {
        let message = read(&go(), 2).unwrap();
        assert_eq!((message.kind, message.id, message.seq), (Kind::Go, 0x1234_5678, 7));
        assert_eq!((message.body.flags, message.body.places), (3, vec![Place::To(0), Place::To(17)]));
        assert_eq!((read(&go(), 1), read(&go(), 3)), (Err(Malformed::Unknown), Err(Malformed::Unknown)));
    }

    #[test]
    fn a_message_is_these_bytes() {
        let bytes = Writer::new(Kind::Fork, 2, 3).birth(9).left(Some(1500)).place(Place::End).finish();
        let expected =
            b"PSPL\x10\0\0\0\x02\0\0\0\0\0\0\0\x03\0\0\0\x1c\0\0\0\x03\0\x08\0\x09\0\0\0\0\0\0\0\x05\0\x08\0\xdc\x05\0\0\0\0\0\0\x10\0\0\0";
        assert_eq!(bytes, expected);
    }

    /// What others build by: packets stand there in hex, each with its name before it.
    const DOCUMENT: &str = include_str!("../../../docs/reference/fork-protocol.md");

    fn documented() -> Vec<(String, Vec<u8>)> {
        let (_, block) = DOCUMENT.rsplit_once("```text\n").expect("packets");
        let mut packets: Vec<(String, Vec<u8>)> = Vec::new();
        for line in block.lines().take_while(|line| *line != "```") {
            let (name, bytes) = line.split_at(8);
            if !name.trim().is_empty() {
                packets.push((name.trim().to_owned(), Vec::new()));
            }
            let bytes = bytes.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap());
            packets.last_mut().unwrap().1.extend(bytes);
        }
        packets
    }

    // covers: C15-1
    #[test]
    fn the_packets_of_the_document_are_those_that_are_written_here() {
        let mut refused = Writer::new(Kind::Refused, 2, 4);
        refused.birth(10).status(Status::State).text("3 threads");
        let written = [
            ("HELLO", Writer::new(Kind::Hello, 2, 1).versions().finish()),
            ("FORK", Writer::new(Kind::Fork, 2, 2).birth(9).left(Some(1500)).place(Place::End).finish()),
            ("BORN", Writer::new(Kind::Born, 2, 3).birth(9).pid(4711).flags(IS_SIBLING).place(Place::Pidfd).finish()),
            ("HELLO", Writer::new(Kind::Hello, 9, 1).versions().finish()),
            ("GO", Writer::new(Kind::Go, 9, 1).place(Place::To(0)).place(Place::To(17)).finish()),
            ("REFUSED", refused.finish()),
        ];
        assert_eq!(documented(), written.map(|(name, bytes)| (name.to_owned(), bytes)));
    }

    #[test]
    fn a_refusal_reads_as_it_was_written_and_is_an_error_whatever_it_says() {
        let mut writer = Writer::new(Kind::Refused, 1, 1);
        let bytes = writer.birth(5).status(Status::State).errno(11).text("3 threads").finish();
        let body = read(&bytes, 0).unwrap().body;
        assert_eq!((body.refusal(), body.errno, body.text.as_deref()), (Status::State, Some(11), Some("3 threads")));
        for status in [0, 1, 77, -77] {
            assert_eq!(Body { status: Some(status), ..Body::default() }.refusal(), Status::Protocol);
        }
    }

    #[test]
    fn the_longest_go_and_the_longest_text_fit() {
        let mut writer = Writer::new(Kind::Go, 1, 1);
        writer.flags(0);
        (0..MAX_GIVEN).for_each(|number| {
            writer.place(Place::To(number as i32));
        });
        let bytes = writer.text(&"x".repeat(5000)).finish();
        assert!(bytes.len() <= LONGEST, "{} bytes", bytes.len());
        assert_eq!(read(&bytes, MAX_GIVEN).unwrap().body.text.unwrap().len(), LONGEST_TEXT);
    }

    #[test]
    fn a_number_below_zero_is_no_place() {
        let bytes = Writer::new(Kind::Go, 1, 1).place(Place::To(-1)).finish();
        assert_eq!(read(&bytes, 1), Err(Malformed::Unknown));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200), fds in 0usize..4) {
            let _ = read(&bytes, fds);
        }

        #[test]
        fn a_changed_byte_or_a_cut_is_read_without_harm(at in 0usize..60, byte: u8, cut in 0usize..60) {
            let mut bytes = go();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = read(&bytes, 2);
            bytes.truncate(cut);
            let _ = read(&bytes, 2);
        }

        /// Where nothing may be allocated, and where it may.
        #[test]
        fn a_go_is_read_alike_in_both_ways(at in 0usize..60, byte: u8, fds in 0usize..4, changed: bool) {
            let mut bytes = go();
            let at = at % bytes.len();
            if changed {
                bytes[at] = byte;
            }
            let only_numbers = |message: Message| {
                let number = |place: &Place| if let Place::To(number) = place { Some(*number) } else { None };
                if message.kind == Kind::Go { message.body.places.iter().map(number).collect::<Option<Vec<i32>>>() } else { None }
            };
            let there = read(&bytes, fds).ok().and_then(only_numbers);
            let mut room = [0; 8];
            prop_assert_eq!(targets(&bytes, fds, &mut room), there.as_deref());
        }
    }
}
