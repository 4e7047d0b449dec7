//! docs/reference/handoff-protocol.md is what others build by: its packets are read here as they stand there, and built anew.

// covers: D1.11

use procsup::Status;
use procsup::handoff::outcome::{BuildId, Connections, Outcome, Step};
use procsup::handoff::wire::{self, Body, Kind, Malformed, Own, Place, Refusal, SERVES_OBSERVERS, Writer};
use procsup::handoff::{Limits, Mode, Reason, Standing};

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

const SECOND: i64 = 1_000_000_000;

/// As far as the successor can tell when it is warm.
fn half() -> Outcome {
    let mut half = Outcome::begin(ID, Mode::Exclusive, 100 * SECOND, 1_000_000 * SECOND);
    (half.old_pid, half.new_pid, half.old_generation, half.phase) = (4711, 4712, 1, Standing::Warm);
    half.new_build = BuildId::from_bytes(b"v2").unwrap();
    half.reach(Step::Offered, 100 * SECOND + 2);
    half.reach(Step::Warm, 101 * SECOND);
    half
}

fn record() -> Outcome {
    let mut whole = half();
    let sealed = 103 * SECOND;
    whole.times = [100 * SECOND + 1, 100 * SECOND + 2, 101 * SECOND, 102 * SECOND, sealed, sealed + 10_000, sealed + 30_000, 105 * SECOND];
    (whole.new_generation, whole.old_build) = (2, BuildId::from_bytes(b"v1").unwrap());
    whole.connections = Connections { open: 5, passed: 2, taken: 2, left: 3 };
    whole.commit(105 * SECOND + 1);
    assert_eq!((whole.gap(), whole.reason), (30_000, Status::Ok));
    whole
}

#[test]
fn what_is_written_down_goes_with_what_is_sent_anyway() {
    let body = Body { half: Some(Box::new(half())), ..Body::default() };
    check("warm-half", 0, Kind::Warm, ID, 3, body, |writer| writer.half(Some(&half())));
}

#[test]
fn an_observer_greets_and_is_shown_what_there_is() {
    let body = Body { versions: Some((1, 1)), observes: true, ..Body::default() };
    check("hello-observer", 0, Kind::Hello, 0, 1, body, |writer| writer.versions().observes());
    let places = vec![Place::Own(Own::Epoch), Place::Own(Own::Process), Place::Named(b"http".to_vec())];
    let build = BuildId::from_bytes(b"v1").unwrap();
    let body = Body {
        part: Some((0, 1)),
        versions: Some((1, 1)),
        capabilities: SERVES_OBSERVERS,
        generation: Some(1),
        build: Some(build),
        places: places.clone(),
        ..Body::default()
    };
    check("estate", 3, Kind::Estate, 0, 1, body, |writer| {
        let writer = writer.part(0, 1, 3).versions_and(SERVES_OBSERVERS).generation(1).build(&build);
        places.iter().fold(writer, |writer, place| writer.place(place))
    });
}

#[test]
fn it_hears_how_far_a_handoff_is_and_what_came_of_it() {
    let time = 102 * SECOND;
    let body = Body { handoff: Some(ID), phase: Some(Standing::Draining), pid: Some(4712), time: Some(time), ..Body::default() };
    check("progress", 0, Kind::Progress, 0, 2, body, |writer| writer.may_be_skipped().progress(ID, Standing::Draining, 4712, time));
    let body = Body { handoff: Some(ID), records: vec![record()], ..Body::default() };
    check("outcome", 0, Kind::Outcome, 0, 3, body, |writer| writer.may_be_skipped().handoff(ID).record(&record()));
}

#[test]
fn it_says_whom_it_has_started() {
    let (whole, drain, place) = (300 * SECOND, 60 * SECOND, Place::Own(Own::Process));
    let body = Body { pid: Some(0), whole: Some(whole), drain: Some(drain), ..Body::default() };
    check("expect-announced", 0, Kind::Expect, 0, 1, body.clone(), |writer| writer.expect(0, whole, drain));
    let body = Body { pid: Some(4712), places: vec![place.clone()], ..body };
    check("expect", 1, Kind::Expect, 0, 2, body, |writer| writer.expect(4712, whole, drain).place(&place));
    let body = || Body { pid: Some(4712), ..Body::default() };
    check("ack-expect", 0, Kind::Ack, 0, 4, body(), |writer| writer.pid(4712));
    check("call-off", 0, Kind::CallOff, 0, 3, body(), |writer| writer.pid(4712));
}

/// How the first release of this version reads: types up to NAK, tags up to CAPABILITIES.
fn first_release(bytes: &[u8]) -> Result<(), Malformed> {
    let number = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    if !(1..=11).contains(&number(4)) {
        return Err(if number(6) & 1 != 0 { Malformed::Skip } else { Malformed::Unknown });
    }
    let mut at = 24;
    while at < bytes.len() {
        if number(at) > 13 && number(at) & 0x8000 == 0 {
            return Err(Malformed::Unknown);
        }
        at += 4 + usize::from(number(at + 2));
    }
    Ok(())
}

#[test]
fn an_earlier_release_skips_what_is_new_or_refuses_it() {
    for old in ["hello", "offer", "ack", "warm", "delta", "ack-delta", "commit", "live", "settle", "settled", "abort", "nak", "warm-half"] {
        assert_eq!(first_release(&example(old)), Ok(()), "{old}");
    }
    for skipped in ["progress", "outcome", "later"] {
        assert_eq!(first_release(&example(skipped)), Err(Malformed::Skip), "{skipped}");
    }
    for refused in ["hello-observer", "estate", "expect-announced", "expect", "call-off"] {
        assert_eq!(first_release(&example(refused)), Err(Malformed::Unknown), "{refused}");
    }
    // What an owner of today sends to any successor.
    let mut offer = Writer::new(Kind::Offer, ID, 1);
    offer.part(0, 1, 0).versions_and(SERVES_OBSERVERS).terms(1, Mode::Exclusive, &limits()).start(1);
    let offer = offer.build(&BuildId::from_bytes(b"v1").unwrap()).record(&record()).record(&record()).finish();
    let abort = Writer::new(Kind::Abort, ID, 2).reason(2, "too slow").half(Some(&half())).finish();
    let commit = Writer::new(Kind::Commit, ID, 3).revision(42).half(Some(&half())).finish();
    for bytes in [offer, abort, commit] {
        assert_eq!(first_release(&bytes), Ok(()));
    }
}

#[test]
fn one_of_a_later_version_is_skipped() {
    assert_eq!(wire::read(&example("later"), 0), Err(Malformed::Skip));
}

#[test]
fn no_example_is_left_out() {
    let named: Vec<&str> = DOCUMENT.split("```hex ").skip(1).filter_map(|rest| rest.lines().next()).collect();
    let checked = [
        "hello",
        "offer",
        "ack",
        "warm",
        "delta",
        "ack-delta",
        "commit",
        "live",
        "settle",
        "settled",
        "abort",
        "nak",
        "warm-half",
        "hello-observer",
        "estate",
        "progress",
        "outcome",
        "expect-announced",
        "expect",
        "ack-expect",
        "call-off",
        "later",
    ];
    assert_eq!(named, checked);
}
