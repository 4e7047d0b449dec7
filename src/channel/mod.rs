//! What two processes of ours say to each other: whole messages over a SOCK_SEQPACKET socket, with descriptors and with the sender that the
//! kernel vouches for.
//!
//! | file           | what                                                                     |
//! |----------------|--------------------------------------------------------------------------|
//! | `tlv.rs`       | a message as bytes: header, then values by tag and length                |
//! | `seqpacket.rs` | one end: who may speak, in which sequence, and what waits for room       |
//!
//! A protocol is a type that implements [`tlv::Protocol`]: its kinds of messages, its tags, and what they are read into. Nothing here knows one.

pub mod seqpacket;
pub mod tlv;
