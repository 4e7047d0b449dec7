//! Messages as bytes: a header, then values by tag and length.
//!
//! ```text
//!   0        4       6        8               16      20      24
//!   +--------+-------+--------+---------------+-------+-------+----------------------------+
//!   | magic  | type  | flags  | id            | seq   | len   | TLVs: tag u16, len u16, .. |   all little-endian
//!   +--------+-------+--------+---------------+-------+-------+----------------------------+
//! ```
//!
//! The trap is the other side: the reader trusts nothing, answers a message or a reason, and never panics. What it does not know it skips only
//! where the sender said that this may be (`IGNORABLE`), so a format can grow for ever. Descriptors travel beside the bytes, so they are
//! counted: one without a place in the message would be kept by nobody, and a place without one is a lie.

use core::marker::PhantomData;

/// Bytes of a header.
const HEADER: usize = 24;
/// Flag of a message, and bit of a value's tag: who does not know it skips it.
const IGNORABLE: u16 = 1;
pub(crate) const TAG_IGNORABLE: u16 = 0x8000;

/// An enum whose values have numbers on the wire.
pub trait Code<N>: Copy {
    /// The one with this number.
    fn of(number: N) -> Option<Self>;
    /// Its number.
    fn number(self) -> N;
}

/// Writes such an enum once: values, numbers, and both ways between them.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident: $int:ty { $($(#[$vdoc:meta])* $variant:ident = $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $name { $($(#[$vdoc])* $variant = $code),+ }
        impl $name {
            /// The one with this number.
            pub fn from_code(code: $int) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
        impl $crate::channel::tlv::Code<$int> for $name {
            fn of(number: $int) -> Option<Self> {
                Self::from_code(number)
            }
            fn number(self) -> $int {
                self as $int
            }
        }
    };
}
pub(crate) use codes;

/// What is spoken: kinds of messages, tags of values, and what they are read into.
pub trait Protocol: Sized {
    /// The first four bytes of each message.
    const MAGIC: u32;
    /// The longest message, header included.
    const LONGEST: usize;
    /// Types of messages.
    type Kind: Code<u16> + PartialEq;
    /// Tags of values.
    type Tag: Code<u16>;
    /// Why a message is not taken.
    type Refusal: Copy;
    /// All values of a message.
    type Body: Default;

    /// What a process says first.
    const GREETING: Self::Kind;
    /// The message that says no.
    const REFUSAL: Self::Kind;
    /// A message was not understood.
    const NOT_UNDERSTOOD: Self::Refusal;

    /// Puts a value where it belongs; `None`: it makes no sense. What it leaves of the value comes from a later version.
    fn put(body: &mut Self::Body, tag: Self::Tag, value: &mut Cursor<'_>) -> Option<()>;
    /// How many descriptors come with such a body.
    fn descriptors(body: &Self::Body) -> usize;
    /// Writes a refusal, with words for people.
    fn refuse(writer: &mut Writer<Self>, refusal: Self::Refusal, text: &str);
}

/// A message, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message<K, B> {
    /// Its type.
    pub kind: K,
    /// What it belongs to; 0 where that is not known yet.
    pub id: u64,
    /// Counts the messages of one sender on one channel, from 1.
    pub seq: u32,
    /// Everything in it.
    pub body: B,
}

/// A message of this protocol.
pub type MessageOf<P> = Message<<P as Protocol>::Kind, <P as Protocol>::Body>;

/// Why bytes are no message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// Not ours: too short, wrong magic or wrong length.
    Foreign,
    /// A type that may be skipped.
    Skip,
    /// A type that may not, or contents that make no sense.
    Unknown,
}

#[inline(always)]
fn header<P: Protocol>(kind: P::Kind, id: u64, seq: u32, length: usize) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..4].copy_from_slice(&P::MAGIC.to_le_bytes());
    bytes[4..6].copy_from_slice(&kind.number().to_le_bytes());
    bytes[8..16].copy_from_slice(&id.to_le_bytes());
    bytes[16..20].copy_from_slice(&seq.to_le_bytes());
    bytes[20..].copy_from_slice(&(length as u32).to_le_bytes());
    bytes
}

/// A message of one short value, or of none, for where nothing may be allocated (and nothing of another library called).
pub struct Short {
    bytes: [u8; HEADER + 4 + SHORT],
    length: usize,
}

/// The length of its value.
pub const SHORT: usize = 4;

impl Short {
    /// Writes it.
    #[inline(always)]
    pub fn new<P: Protocol>(kind: P::Kind, id: u64, seq: u32, value: Option<(P::Tag, [u8; SHORT])>) -> Self {
        let mut bytes = [0; HEADER + 4 + SHORT];
        let length = if value.is_some() { HEADER + 4 + SHORT } else { HEADER };
        if let Some((tag, value)) = value {
            bytes[HEADER..HEADER + 2].copy_from_slice(&tag.number().to_le_bytes());
            bytes[HEADER + 2..HEADER + 4].copy_from_slice(&(SHORT as u16).to_le_bytes());
            bytes[HEADER + 4..].copy_from_slice(&value);
        }
        bytes[..HEADER].copy_from_slice(&header::<P>(kind, id, seq, length - HEADER));
        Self { bytes, length }
    }

    /// The bytes.
    #[inline(always)]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Writes a message.
pub struct Writer<P>(Vec<u8>, PhantomData<P>);

impl<P: Protocol> Writer<P> {
    /// Begins one.
    pub fn new(kind: P::Kind, id: u64, seq: u32) -> Self {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(&header::<P>(kind, id, seq, 0));
        Self(bytes, PhantomData)
    }

    /// Appends a value, in pieces.
    pub fn value(&mut self, tag: P::Tag, pieces: &[&[u8]]) -> &mut Self {
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        self.0.extend_from_slice(&tag.number().to_le_bytes());
        self.0.extend_from_slice(&(length as u16).to_le_bytes());
        pieces.iter().for_each(|piece| self.0.extend_from_slice(piece));
        self
    }

    /// The same; who does not know it skips it.
    pub fn skippable(&mut self, tag: P::Tag, pieces: &[&[u8]]) -> &mut Self {
        let at = self.0.len();
        self.value(tag, pieces);
        self.0[at..at + 2].copy_from_slice(&(tag.number() | TAG_IGNORABLE).to_le_bytes());
        self
    }

    /// Who does not know a message of this type skips it.
    pub fn may_be_skipped(&mut self) -> &mut Self {
        self.0[6..8].copy_from_slice(&IGNORABLE.to_le_bytes());
        self
    }

    /// The bytes.
    pub fn finish(&mut self) -> Vec<u8> {
        let length = (self.0.len() - HEADER) as u32;
        self.0[20..24].copy_from_slice(&length.to_le_bytes());
        std::mem::take(&mut self.0)
    }
}

/// Reads numbers from the front of bytes.
pub struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    /// From the front of these.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// So many bytes.
    #[inline(always)]
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }
    /// Whether nothing is left.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// A value with its tag.
    #[inline(always)]
    pub fn value(&mut self) -> Option<(u16, Cursor<'a>)> {
        let (tag, length) = (self.u16()?, self.u16()?);
        Some((tag, Cursor(self.bytes(length as usize)?)))
    }
    /// All that are left.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }
    #[inline(always)]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }
    /// A number of one byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }
    /// Of two.
    #[inline(always)]
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }
    /// Of four.
    #[inline(always)]
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }
    /// Of eight.
    #[inline(always)]
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
    /// A length of time; not negative.
    pub fn span(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes).filter(|span| *span >= 0)
    }
}

/// A message of one kind, its values not read yet: for where nothing may be allocated.
#[derive(Clone, Copy)]
pub struct Unread<'a> {
    /// What it belongs to.
    pub id: u64,
    /// Its number among those of its sender.
    pub seq: u32,
    values: &'a [u8],
}

impl<'a> Unread<'a> {
    /// The message, if it is one of this kind.
    #[inline(always)]
    pub fn of<P: Protocol>(bytes: &'a [u8], kind: P::Kind) -> Option<Self> {
        let mut cursor = Cursor(bytes);
        let (number, _, id, seq) = head::<P>(&mut cursor)?;
        (number == kind.number()).then_some(Self { id, seq, values: cursor.0 })
    }

    /// Its values, to be read one by one ([`Cursor::value`]).
    #[inline(always)]
    pub fn values(&self) -> Cursor<'a> {
        Cursor(self.values)
    }
}

#[inline(always)]
fn head<P: Protocol>(cursor: &mut Cursor<'_>) -> Option<(u16, u16, u64, u32)> {
    let magic = cursor.u32()?;
    let (kind, flags) = (cursor.u16()?, cursor.u16()?);
    let (id, seq, length) = (cursor.u64()?, cursor.u32()?, cursor.u32()?);
    (magic == P::MAGIC && length as usize == cursor.0.len()).then_some((kind, flags, id, seq))
}

/// Reads one message; `fds`: how many descriptors came with it.
pub fn read<P: Protocol>(bytes: &[u8], fds: usize) -> Result<MessageOf<P>, Malformed> {
    let mut cursor = Cursor(bytes);
    let (kind, flags, id, seq) = head::<P>(&mut cursor).ok_or(Malformed::Foreign)?;
    let otherwise = if flags & IGNORABLE != 0 { Malformed::Skip } else { Malformed::Unknown };
    let kind = P::Kind::of(kind).ok_or(otherwise)?;
    let body = read_body::<P>(&mut cursor, fds).ok_or(Malformed::Unknown)?;
    Ok(Message { kind, id, seq, body })
}

fn read_body<P: Protocol>(cursor: &mut Cursor<'_>, fds: usize) -> Option<P::Body> {
    let mut body = P::Body::default();
    while !cursor.0.is_empty() {
        let (tag, mut value) = cursor.value()?;
        match P::Tag::of(tag & !TAG_IGNORABLE) {
            Some(tag) => P::put(&mut body, tag, &mut value)?,
            None if tag & TAG_IGNORABLE != 0 => {}
            None => return None,
        }
    }
    (P::descriptors(&body) == fds).then_some(body)
}
