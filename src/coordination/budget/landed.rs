//! What landed: starts whose outcome is open while others go on. Tests.

use super::key::{Denial, Key, Landed, Rules};

const RULES: Rules = Rules { attempts: 3, window: 1_000, lease: 100 };

fn land(key: &mut Key, now: i64, permit: u64) -> Landed {
    assert_eq!(key.begin(RULES, now, || permit), Ok(permit));
    key.land(RULES, now, permit).unwrap()
}

#[test]
fn what_has_landed_holds_up_nobody_and_is_settled_once() {
    let mut key = Key::default();
    let first = land(&mut key, 0, 7);
    assert!(key.land(RULES, 0, 7).is_err(), "once");
    assert!(!key.view(RULES, 0).in_flight && !key.is_idle());
    let second = land(&mut key, 1, 8);
    assert_eq!(key.view(RULES, 1).attempts_used, 2);
    // Neither the time nor the next start makes it void.
    key.settle(RULES, 500, first, true).unwrap();
    assert_eq!(key.view(RULES, 500).attempts_used, 0);
    key.settle(RULES, 500, second, false).unwrap();
    assert!(key.settle(RULES, 500, second, true).is_err() && key.is_idle());
}

#[test]
fn used_attempts_are_undecided_while_an_outcome_is_open() {
    let mut key = Key::default();
    let landed = [7, 8, 9].map(|permit| land(&mut key, 0, permit));
    assert_eq!(key.undecided(RULES, 400), Some(600));
    landed.iter().for_each(|landed| key.settle(RULES, 400, *landed, false).unwrap());
    assert_eq!(key.undecided(RULES, 400), None);
    assert!(matches!(key.begin(RULES, 400, || 10), Err(Denial::Exhausted { retry_after_ns: 600, storm: true })));
}

#[test]
fn a_start_that_is_resumed_is_counted_once_and_waits_for_others() {
    let mut key = Key::default();
    let landed = land(&mut key, 0, 7);
    assert_eq!(key.resume(RULES, 0, landed, || 8), Ok(8));
    assert_eq!(key.view(RULES, 0).attempts_used, 1);
    // As kept: no lease frees it.
    assert!(key.view(RULES, 900).in_flight);
    assert!(matches!(key.begin(RULES, 900, || 9), Err(Denial::InProgress { retry_after_ns: None })));
    let landed = key.land(RULES, 900, 8).unwrap();
    key.begin(RULES, 900, || 9).unwrap();
    assert!(matches!(key.resume(RULES, 900, landed, || 10), Err(Denial::InProgress { .. })));
}

#[test]
fn what_landed_before_a_reset_changes_nothing() {
    let mut key = Key::default();
    let stale = land(&mut key, 0, 7);
    // A reset is the key as it was never seen.
    let mut key = Key::default();
    let _landed = land(&mut key, 0, 8);
    assert!(key.settle(RULES, 1, stale, true).is_err());
    assert_eq!(key.view(RULES, 1).attempts_used, 1);
    // Resumed, it is a start like any other.
    assert_eq!(key.resume(RULES, 1, stale, || 9), Ok(9));
    assert_eq!(key.view(RULES, 1).attempts_used, 2);
}
