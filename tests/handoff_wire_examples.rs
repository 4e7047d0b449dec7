//! docs/reference/handoff-protocol.md is what others build by: its packets are read here as they stand there, and built anew.

// covers: D1.11

use procsup::handoff::wire::{self, Body, Kind, Malformed, Own, Place, Refusal, Writer};
use procsup::handoff::{Limits, Mode, Reason};

const DOCUMENT: &str = include_str!("../docs/reference/handoff-protocol.md");
/// Generation 1, attempt 1.
const ID: u64 = 1 << 24 | 1;

/// The bytes of one block of the document: hex digits, and comments behind a '#'.
#[track_caller]
fn example(name: &str) -> Vec<u8> {
    let opening = format!("```hex {name}\n");
    let (_, rest) = DOCUMENT.split_once(&opening).unwrap_or_else(|| panic!("no example {name} in the document"));
    let (block, _) = rest.split_once("```").expect("an end of the example");
    let words = block.lines().flat_map(|line| line.split('#').next().unwrap().split_whitespace());
    words.map(|word| u8::from_str_radix(word, 16).unwrap()).collect()
}

fn limits() -> Limits {
    Limits { drain: i64::MAX, seal: i64::MAX, live: 5_000_000_000, probation: 2_000_000_000 }
}

/// Reads the example, which must be exactly this message, and be built so here.
#[track_caller]
fn check(name: &str, fds: usize, kind: Kind, id: u64, seq: u32, body: Body, build: impl FnOnce(&mut Writer) -> &mut Writer) {
    let bytes = example(name);
    let message = wire::read(&bytes, fds).unwrap();
    assert_eq!((message.kind, message.id, message.seq), (kind, id, seq), "{name}");
    assert_eq!(message.body, body, "{name}");
    let mut writer = Writer::new(kind, id, seq);
    build(&mut writer);
    assert_eq!(writer.finish(), bytes, "{name}");
}

#[test]
fn hello() {
    let body = Body { versions: Some((1, 1)), start: Some(123_456), ..Body::default() };
    check("hello", 0, Kind::Hello, 0, 1, body, |writer| writer.versions().start(123_456));
}

#[test]
fn offer() {
    let owns = [Own::Epoch, Own::Lock, Own::Control, Own::State].map(Place::Own);
    let places: Vec<Place> = owns.into_iter().chain([Place::Named(b"http".to_vec())]).collect();
    let body = Body {
        versions: Some((1, 1)),
        start: Some(98_765),
        part: Some((0, 1)),
        whole: Some(60_000_000_000),
        mode: Some(Mode::Exclusive),
        limits: Some(limits()),
        places: places.clone(),
        ..Body::default()
    };
    check("offer", 5, Kind::Offer, ID, 1, body, |writer| {
        let writer = writer.part(0, 1, 5).versions().terms(60_000_000_000, Mode::Exclusive, &limits()).start(98_765);
        places.iter().fold(writer, |writer, place| writer.place(place))
    });
}

#[test]
fn delta() {
    let state = Place::Own(Own::State);
    let body = Body { part: Some((1, 2)), places: vec![state.clone()], gone: vec![b"admin".to_vec()], ..Body::default() };
    check("delta", 1, Kind::Delta, ID, 2, body, |writer| writer.part(1, 2, 1).place(&state).gone(b"admin"));
}

#[test]
fn acknowledgements() {
    for (name, seq, part) in [("ack", 2, 0), ("ack-delta", 4, 1)] {
        let body = Body { part: Some((part, part + 1)), ..Body::default() };
        check(name, 0, Kind::Ack, ID, seq, body, |writer| writer.part(part, part + 1, 0));
    }
}

#[test]
fn those_that_carry_nothing() {
    let plain = [("warm", Kind::Warm, 3), ("live", Kind::Live, 5), ("settle", Kind::Settle, 4), ("settled", Kind::Settled, 6)];
    for (name, kind, seq) in plain {
        check(name, 0, kind, ID, seq, Body::default(), |writer| writer);
    }
}

#[test]
fn commit() {
    let body = Body { revision: Some(42), ..Body::default() };
    check("commit", 0, Kind::Commit, ID, 3, body, |writer| writer.revision(42));
}

#[test]
fn refusals() {
    let body = |code, text: &str| Body { reason: Some(code), text: Some(text.to_owned()), ..Body::default() };
    let late = wire::reason_code(Reason::Timeout);
    check("abort", 0, Kind::Abort, ID, 2, body(late, "too slow"), |writer| writer.reason(late, "too slow"));
    let busy = Refusal::Busy as u8;
    check("nak", 0, Kind::Nak, 0, 1, body(busy, "busy"), |writer| writer.reason(busy, "busy"));
}

#[test]
fn one_of_a_later_version_is_skipped() {
    assert_eq!(wire::read(&example("later"), 0), Err(Malformed::Skip));
}

#[test]
fn no_example_is_left_out() {
    let named: Vec<&str> = DOCUMENT.split("```hex ").skip(1).filter_map(|rest| rest.lines().next()).collect();
    let checked = ["hello", "offer", "ack", "warm", "delta", "ack-delta", "commit", "live", "settle", "settled", "abort", "nak", "later"];
    assert_eq!(named, checked);
}
