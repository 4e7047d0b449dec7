//! What the face adds to the keys: who is told, what is bounded, and that no permit is given twice. Tests.

use core::sync::atomic::AtomicU32;
use std::collections::HashSet;

use super::*;

#[derive(Default)]
struct Ear(AtomicU32);

impl Listener for Ear {
    fn permit_may_be_had(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn begun(budget: &Budget, key: &str) -> Permit {
    budget.begin(key.as_bytes()).unwrap()
}

#[test]
fn zero_is_what_is_usual_and_one_the_least() {
    let budget = Budget::new(0, 0).unwrap();
    assert_eq!((budget.attempts, budget.window), (3, 30_000 * MILLI));
    let budget = Budget::new(1, 0).unwrap();
    assert_eq!((budget.attempts, budget.window), (1, 30_000 * MILLI));
    assert_eq!(Budget::new(1, -1).unwrap_err().step, "window_ms");
    assert_eq!(budget.healthy_ns(), None);
    budget.set_healthy(0).unwrap();
    assert_eq!(budget.healthy_ns(), Some(0));
}

#[test]
fn whoever_waits_is_told_when_a_permit_may_be_had() {
    let budget = Budget::new(9, 0).unwrap();
    let (ear, deaf) = (Arc::new(Ear::default()), Arc::new(Ear::default()));
    let listener: Arc<dyn Listener> = ear.clone();
    budget.subscribe(Arc::downgrade(&listener)).unwrap();
    let heard = |after| assert_eq!(ear.0.load(Ordering::Relaxed), after);
    let permit = budget.begin_kept(b"a", false).unwrap();
    heard(0);
    budget.finish(permit, true).unwrap();
    heard(1);
    assert_eq!(budget.finish(permit, true), Err(Stale));
    heard(1);
    budget.reset(b"a").unwrap();
    heard(2);
    // Who is gone is not kept.
    drop((listener, ear));
    let listener: Arc<dyn Listener> = deaf;
    budget.subscribe(Arc::downgrade(&listener)).unwrap();
    assert_eq!(lock(&budget.listeners).len(), 1);
}

#[test]
fn no_lease_ends_a_permit_that_is_kept() {
    let budget = Budget::new(9, 0).unwrap();
    budget.set_lease(1).unwrap();
    let bare = begun(&budget, "bare");
    let kept = budget.begin_kept(b"kept", true).unwrap();
    let landed = budget.land(budget.begin_kept(b"resumed", true).unwrap()).unwrap();
    budget.reset(b"resumed").unwrap();
    // Also where it is a begin.
    let resumed = budget.resume(b"resumed", landed).unwrap();
    while budget.view(b"bare").unwrap().in_flight {
        std::thread::yield_now();
    }
    assert_eq!(budget.finish(bare, true), Err(Stale));
    assert_eq!(budget.view(b"kept").unwrap().retry_after_ns, None);
    assert!(budget.finish(kept, true).is_ok() && budget.finish(resumed, true).is_ok());
}

#[test]
fn a_listener_may_ask_the_budget() {
    struct Asks(Arc<Budget>, Mutex<Vec<Permit>>);
    impl Listener for Asks {
        fn permit_may_be_had(&self) {
            lock(&self.1).extend(self.0.begin(b"a"));
        }
    }
    let budget = Arc::new(Budget::new(9, 0).unwrap());
    let asks = Arc::new(Asks(budget.clone(), Mutex::default()));
    let listener: Arc<dyn Listener> = asks.clone();
    budget.subscribe(Arc::downgrade(&listener)).unwrap();
    budget.finish(begun(&budget, "a"), false).unwrap();
    assert_eq!(lock(&asks.1).len(), 1);
}

#[test]
fn no_permit_is_given_twice() {
    let budgets = [Budget::new(1, 0).unwrap(), Budget::new(1, 0).unwrap()];
    let mut given = HashSet::new();
    for key in 0..2_000 {
        for budget in &budgets {
            let permit = begun(budget, &key.to_string());
            assert!(permit.0 != 0 && given.insert(permit));
        }
    }
    for permit in given {
        assert_eq!(budgets.iter().filter(|budget| budget.finish(permit, false).is_ok()).count(), 1);
    }
}

#[test]
fn a_number_after_the_last_of_a_block_is_of_another() {
    let budget = Budget::new(u32::MAX, 0).unwrap();
    budget.finish(begun(&budget, "a"), false).unwrap();
    let mut last = 0;
    for shard in &budget.shards {
        let mut locked = lock(&shard.0);
        if locked.end > 0 {
            locked.next = locked.end - 1;
            last = locked.next;
        }
    }
    let permits = [0; 3].map(|_| {
        let permit = begun(&budget, "a");
        budget.finish(permit, false).unwrap();
        permit.0 >> SHARD_BITS
    });
    assert!(permits[0] == last && permits[1] > last && permits[2] == permits[1] + 1 && permits[1] % BLOCK == 0);
}

#[test]
fn keys_are_bounded_in_length_and_in_bytes() {
    let budget = Budget::new(1, 0).unwrap();
    assert!(matches!(budget.begin(&[b'k'; KEY_MAX + 1]), Err(Refusal::Failed(error)) if error.status == Status::InvalidArgument));
    assert!(budget.begin(&[b'k'; KEY_MAX]).is_ok());
    // One shard alone, until it is full.
    let rules = budget.rules();
    let mut keys = Keys::default();
    let (mut text, mut count) = (vec![b'k'; KEY_MAX], 0u64);
    let full = loop {
        text[..8].copy_from_slice(&count.to_ne_bytes());
        count += 1;
        if let Err(refused) = keys.begin(rules, 0, Query { hash: count, text: &text }, || count) {
            break refused;
        }
    };
    assert!(full == Refused::Full && keys.size().0 <= keys::ROOM && keys.size().0 + KEY_MAX + keys::OVERHEAD > keys::ROOM);
    // Those that are known go on; a new one has room when others are idle.
    text[..8].copy_from_slice(&0u64.to_ne_bytes());
    assert!(matches!(keys.begin(rules, 0, Query { hash: 1, text: &text }, || 0), Err(Refused::Denied(Denial::InProgress { .. }))));
    text[..8].copy_from_slice(&count.to_ne_bytes());
    let later = rules.window.max(rules.lease);
    assert!(keys.begin(rules, later, Query { hash: count + 1, text: &text }, || count + 1).is_ok());
}

#[test]
fn idle_keys_go_a_few_at_a_time_and_their_memory_with_them() {
    let rules = Rules { attempts: 1, window: 100, lease: 100 };
    let mut keys = Keys::default();
    let begin = |keys: &mut Keys, now: i64, number: u64| {
        let text = number.to_ne_bytes();
        keys.begin(rules, now, Query { hash: number, text: &text }, || number).unwrap();
    };
    const COUNT: u64 = 20_000;
    (1..=COUNT).for_each(|number| begin(&mut keys, 0, number));
    assert_eq!(keys.count() as u64, COUNT);
    let (mut before, mut calls) = (keys.count(), 0);
    while keys.count() as u64 > calls {
        calls += 1;
        begin(&mut keys, 100, COUNT + calls);
        assert!(before + 1 - keys.count() <= 32, "no call waits for all of them");
        before = keys.count();
    }
    assert!(calls < COUNT / 16, "{calls} calls");
    (1..300).for_each(|call| begin(&mut keys, 200 + 100 * call, COUNT * 2 + call as u64));
    let (bytes, room) = keys.size();
    assert!(keys.count() < 8 && bytes < 2_000 && room < 1_000, "{} keys, {bytes} bytes, room for {room}", keys.count());
    // Steadily new ones: never more than twice those of a window.
    for call in 0..10_000i64 {
        begin(&mut keys, 1_000_000 + call, 3 * COUNT + call as u64);
        assert!(keys.count() <= 202, "{} at {call}", keys.count());
    }
}

#[test]
fn an_error_tells_the_storm_once_and_when_to_try_again() {
    let budget = Budget::new(1, 10_000).unwrap();
    budget.finish(begun(&budget, "x\x1b"), false).unwrap();
    let refused = || budget.begin(b"x\x1b").unwrap_err().into_error(b"x\x1b");
    let first = refused();
    assert!(first.storm && first.status == Status::BudgetExhausted && first.message.contains("storm"));
    assert!(first.retry_after_ms.is_some_and(|ms| (1..=10_000).contains(&ms)));
    assert!(
        first.render_text().contains("storm") && first.render_html().contains("storm") && first.render_json().contains("\"storm\":true")
    );
    assert!(!first.to_string().contains('\x1b'));
    let second = refused();
    assert!(!second.storm && !second.message.contains("storm") && !second.render_text().contains("storm"));
    assert_eq!((millis(1), millis(MILLI), millis(MILLI + 1), millis(0)), (1, 1, 2, 0));
}
