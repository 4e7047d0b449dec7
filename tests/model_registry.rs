//! The registry's lock-free protocols under every interleaving that matters: `src/registry/word.rs`, `gate.rs` and
//! `freelist.rs` are compiled here, as they are, with loom's atomics in the place of the real ones.
//!
//! What a model cannot do by itself is fail: so each property has a twin with one deliberate mistake, which must be found.
//! Preemptions are bounded (the number is loom's advice; every mistake here is found with fewer).
//!
//! The models stand for: the *signaller*, which pins, uses the identity and unpins; the *reaper*, which enters, takes the
//! status that the kernel gives to exactly one, publishes and leaves; the *owner*, which retires the slot, closes the pidfd
//! and begins again with another child. An identity is a cell that loom watches: it complains when it is read by one thread
//! while another writes it, which is what "signals a recycled pid" means.

// covers: LAW-3, LAW-7, LAW-8, LAW-11

#[path = "../src/registry"]
#[allow(dead_code, missing_docs)]
mod registry {
    /// What `super::atomics` is for them.
    pub mod atomics {
        pub use loom::sync::atomic::{AtomicU64, Ordering, fence};
    }
    #[path = "freelist.rs"]
    pub mod freelist;
    #[path = "gate.rs"]
    pub mod gate;
    #[path = "word.rs"]
    pub mod word;
}

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use loom::thread;

use registry::freelist;
use registry::gate;
use registry::word::{self, State};

/// Runs a model through all its interleavings and says how many there were.
fn explore(name: &str, model: impl Fn() + Sync + Send + 'static) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(5);
    builder.check(move || {
        counted.fetch_add(1, Relaxed);
        model();
    });
    println!("{name}: {} executions", count.load(Relaxed));
    assert!(count.load(Relaxed) > 1, "a model with one interleaving shows nothing");
}

// ---- the word ----------------------------------------------------------------------------------------------------------

/// One slot, the identity that lies in it, and what the kernel knows of the child.
struct Model {
    word: AtomicU64,
    /// The generation whose pid and pidfd these are; 0: closed.
    identity: UnsafeCell<u32>,
    /// Whether the kernel still has the exit status to give.
    status: AtomicBool,
    /// The exit record: 0 none, 1 the true one, 2 "a stranger has reaped it".
    record: UnsafeCell<u32>,
}

// SAFETY: loom checks each access to the cells, which is the purpose of the model.
#[allow(unsafe_code)]
unsafe impl Sync for Model {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl Send for Model {}

#[allow(unsafe_code)]
fn read(cell: &UnsafeCell<u32>) -> u32 {
    // SAFETY: loom fails the model if anybody writes meanwhile.
    cell.with(|value| unsafe { *value })
}

#[allow(unsafe_code)]
fn write(cell: &UnsafeCell<u32>, value: u32) {
    // SAFETY: loom fails the model if anybody reads or writes meanwhile.
    cell.with_mut(|place| unsafe { *place = value });
}

impl Model {
    /// A slot whose first child (generation 0, identity 100) runs.
    fn running() -> Arc<Self> {
        let model =
            Self { word: AtomicU64::new(0), identity: UnsafeCell::new(100), status: AtomicBool::new(true), record: UnsafeCell::new(0) };
        assert_eq!(word::begin(&model.word), Some(0));
        word::live(&model.word);
        Arc::new(model)
    }

    /// The kernel gives the status once.
    fn wait(&self) -> bool {
        self.status.swap(false, Ordering::AcqRel)
    }

    /// A signal: the identity must be that of the generation which was pinned, from the first look to the last.
    fn signal(&self) -> bool {
        if !word::pin(&self.word) {
            return false;
        }
        let pinned = word::generation(&self.word);
        assert_eq!(read(&self.identity), 100 + pinned, "the identity of another generation");
        assert_eq!(word::generation(&self.word), pinned, "retired while it was pinned");
        word::unpin(&self.word);
        true
    }

    /// The owner's end of a reaped child, and a new one in its place.
    fn retire_and_begin(&self, retire: fn(&AtomicU64) -> bool) {
        let before = word::generation(&self.word);
        while !retire(&self.word) {
            thread::yield_now();
        }
        write(&self.identity, 0);
        write(&self.identity, 100 + before + 1);
        assert_eq!(word::begin(&self.word), Some(before + 1), "a new child has the next generation");
        word::live(&self.word);
    }
}

/// `retire` that forgets to look at pins.
fn retire_despite_pins(word: &AtomicU64) -> bool {
    retire_unless(word, 0xFFFF << 16)
}

/// `retire` that forgets to look at reapers.
fn retire_despite_reapers(word: &AtomicU64) -> bool {
    retire_unless(word, 0xFFF << 4)
}

fn retire_unless(word: &AtomicU64, held: u64) -> bool {
    let mut now = word.load(Ordering::Acquire);
    loop {
        if now & 0xF != 3 || now & held != 0 {
            return false;
        }
        match word.compare_exchange(now, (now & !0xF).wrapping_add(1 << 32), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return true,
            Err(other) => now = other,
        }
    }
}

/// `retire` that keeps the generation.
fn retire_without_counting(word: &AtomicU64) -> bool {
    retire_unless(word, 0xFFF_FFFF << 4) && {
        word.fetch_sub(1 << 32, Ordering::AcqRel);
        true
    }
}

fn signallers_against_the_owner(retire: fn(&AtomicU64) -> bool) {
    let model = Model::running();
    let signaller = thread::spawn({
        let model = model.clone();
        move || {
            model.signal();
            model.signal();
        }
    });
    assert!(word::enter(&model.word, false));
    assert!(model.wait());
    assert!(word::publish(&model.word), "the only reaper publishes");
    word::leave(&model.word);
    model.retire_and_begin(retire);
    assert!(model.signal(), "the new child can be signalled");
    signaller.join().unwrap();
    assert_eq!(word::generation(&model.word), 1);
}

#[test]
fn law08_no_identity_of_another_generation_is_used() {
    explore("signal against retire and reuse", || signallers_against_the_owner(word::retire));
}

#[test]
#[should_panic]
fn law08_the_model_notices_a_retire_that_ignores_pins() {
    explore("mutant", || signallers_against_the_owner(retire_despite_pins));
}

#[test]
#[should_panic]
fn law08_the_model_notices_a_generation_that_stays() {
    explore("mutant", || signallers_against_the_owner(retire_without_counting));
}

/// Two reapers and no stranger. `decide` is what one does that finds the status gone: `true` means "a stranger has it".
fn two_reapers(retire: fn(&AtomicU64) -> bool, publish: fn(&AtomicU64) -> bool, decide: fn(&AtomicU64) -> bool) {
    let model = Model::running();
    let published = Arc::new(AtomicU64::new(0));
    let reap = {
        let (model, published) = (model.clone(), published.clone());
        move || {
            if !word::enter(&model.word, false) {
                return;
            }
            if model.wait() {
                write(&model.record, 1);
                assert!(publish(&model.word), "the one that has the status publishes");
                published.fetch_add(1, Ordering::AcqRel);
            } else if decide(&model.word) {
                write(&model.record, 2);
                if publish(&model.word) {
                    published.fetch_add(1, Ordering::AcqRel);
                }
            }
            word::leave(&model.word);
        }
    };
    let other = thread::spawn(reap.clone());
    reap();
    // Whoever sees EXITED may read the record and end the generation.
    while word::state(&model.word) != State::Exited {
        thread::yield_now();
    }
    assert_eq!(read(&model.record), 1, "lost, though nobody else has reaped");
    while !retire(&model.word) {
        thread::yield_now();
    }
    // The slot is the owner's alone now.
    write(&model.record, 0);
    other.join().unwrap();
    assert_eq!(published.load(Ordering::Acquire), 1, "published by exactly one");
}

/// As `reap_entered` in slot.rs must do it: first "am I alone", then "has somebody published". One that published before it
/// left is seen by the second look.
fn alone_then_state(word: &AtomicU64) -> bool {
    let alone = word::is_only_reaper(word);
    alone && word::state(word) != State::Exited
}

/// The other way round: the true reaper may publish and leave between the two looks.
fn state_then_alone(word: &AtomicU64) -> bool {
    word::state(word) != State::Exited && word::is_only_reaper(word)
}

/// `publish` that does not mind an earlier one.
fn publish_always(word: &AtomicU64) -> bool {
    let now = word.load(Ordering::Acquire);
    word.fetch_or(3, Ordering::AcqRel);
    now & 0xF != 0
}

#[test]
fn law03_no_status_is_called_lost_that_another_reaper_has() {
    explore("two reapers", || two_reapers(word::retire, word::publish, alone_then_state));
}

#[test]
#[should_panic]
fn law03_the_model_notices_looks_in_the_wrong_order() {
    explore("mutant", || two_reapers(word::retire, word::publish, state_then_alone));
}

#[test]
#[should_panic]
fn law03_the_model_notices_a_reaper_that_asks_nobody() {
    explore("mutant", || two_reapers(word::retire, word::publish, |_| true));
}

#[test]
#[should_panic]
fn law11_the_model_notices_a_retire_that_ignores_reapers() {
    explore("mutant", || two_reapers(retire_despite_reapers, word::publish, alone_then_state));
}

/// A stranger has reaped the child: two reapers find it gone, exactly one says so.
fn both_find_it_gone(publish: fn(&AtomicU64) -> bool) {
    let model = Model::running();
    model.status.store(false, Ordering::Release);
    let tell = {
        let model = model.clone();
        move || {
            let won = publish(&model.word);
            u64::from(won)
        }
    };
    let other = thread::spawn(tell.clone());
    let count = tell() + other.join().unwrap();
    assert_eq!(count, 1, "exactly one publish wins");
    assert_eq!(word::state(&model.word), State::Exited);
    assert!(!word::pin(&model.word) && !word::enter(&model.word, false), "nobody signals or reaps an exited child");
    word::live(&model.word);
    assert_eq!(word::state(&model.word), State::Exited, "a late `live` changes nothing");
}

#[test]
fn law11_exactly_one_publish_wins() {
    explore("publish against publish", || both_find_it_gone(word::publish));
}

#[test]
#[should_panic(expected = "exactly one publish wins")]
fn law11_the_model_notices_a_second_publish() {
    explore("mutant", || both_find_it_gone(publish_always));
}

/// Where signals go by number, a number may be used only while nobody reaps: the reaped number is anybody's.
fn numbers_against_reaping(alone: bool, may_use: fn(&AtomicU64) -> bool) {
    let model = Model::running();
    let signaller = thread::spawn({
        let model = model.clone();
        move || {
            if word::pin(&model.word) {
                if may_use(&model.word) {
                    assert_eq!(read(&model.identity), 100, "the number is somebody else's");
                }
                word::unpin(&model.word);
            }
        }
    });
    while !word::enter(&model.word, alone) {
        thread::yield_now();
    }
    // The reap: from here on the kernel may give the number away.
    write(&model.identity, 7);
    assert!(word::publish(&model.word));
    word::leave(&model.word);
    signaller.join().unwrap();
}

fn no_reaper_then_unpublished(word: &AtomicU64) -> bool {
    !word::has_reaper(word) && word::state(word) != State::Exited
}

#[test]
fn law08_no_number_is_used_while_or_after_it_is_reaped() {
    explore("kill by number against reap", || numbers_against_reaping(true, no_reaper_then_unpublished));
}

#[test]
#[should_panic]
fn law08_the_model_notices_a_reaper_that_does_not_exclude_pins() {
    explore("mutant", || numbers_against_reaping(false, no_reaper_then_unpublished));
}

#[test]
#[should_panic]
fn law08_the_model_notices_a_signaller_that_does_not_ask_for_reapers() {
    explore("mutant", || numbers_against_reaping(true, |_| true));
}

#[test]
#[should_panic]
fn law08_the_model_notices_a_signaller_that_forgets_a_reaper_who_has_left() {
    explore("mutant", || numbers_against_reaping(true, |word| !word::has_reaper(word)));
}

/// A signal that is held back until the child has begun, against the thread that says it has: sent exactly once, and never before.
fn held_back_against_live(hold_back: fn(&AtomicU64, &AtomicU64, u64) -> bool) {
    let slot = Arc::new((AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)));
    assert_eq!(word::begin(&slot.0), Some(0));
    let send = |slot: &(AtomicU64, AtomicU64, AtomicU64)| {
        assert_eq!(word::state(&slot.0), State::Live, "sent to a child that has not begun");
        slot.2.fetch_add(1, Ordering::AcqRel);
    };
    let signaller = thread::spawn({
        let slot = slot.clone();
        move || {
            assert!(word::pin(&slot.0));
            if !hold_back(&slot.0, &slot.1, 4) {
                send(&slot);
            }
            word::unpin(&slot.0);
        }
    });
    word::live(&slot.0);
    if word::take_held(&slot.1) & 4 != 0 {
        send(&slot);
    }
    signaller.join().unwrap();
    assert_eq!(slot.2.load(Ordering::Acquire), 1, "sent once");
}

/// `hold_back` that trusts its first look.
fn hold_back_without_a_second_look(word: &AtomicU64, held: &AtomicU64, signals: u64) -> bool {
    word::state(word) == State::Spawning && {
        held.fetch_or(signals, Ordering::AcqRel);
        true
    }
}

/// `hold_back` that sends although the other one may have taken it.
fn hold_back_without_asking(word: &AtomicU64, held: &AtomicU64, signals: u64) -> bool {
    word::state(word) == State::Spawning && {
        held.fetch_or(signals, Ordering::AcqRel);
        word::state(word) == State::Spawning
    }
}

#[test]
fn law13_a_signal_held_back_is_sent_once_when_the_child_has_begun() {
    explore("hold back against live", || held_back_against_live(word::hold_back));
}

#[test]
#[should_panic(expected = "sent once")]
fn law13_the_model_notices_a_signal_that_is_never_sent() {
    explore("mutant", || held_back_against_live(hold_back_without_a_second_look));
}

#[test]
#[should_panic(expected = "sent once")]
fn law13_the_model_notices_a_signal_that_is_sent_twice() {
    explore("mutant", || held_back_against_live(hold_back_without_asking));
}

/// A child that was never made (its exec failed) against a signal that comes in just then.
#[test]
fn law07_a_slot_whose_spawn_failed_is_retired_once() {
    explore("failed spawn against signal", || {
        let model =
            Model { word: AtomicU64::new(0), identity: UnsafeCell::new(100), status: AtomicBool::new(true), record: UnsafeCell::new(0) };
        let model = Arc::new(model);
        assert_eq!(word::begin(&model.word), Some(0));
        assert_eq!(word::begin(&model.word), None, "a taken slot is not free");
        let signaller = thread::spawn({
            let model = model.clone();
            move || model.signal()
        });
        model.retire_and_begin(word::retire);
        assert!(!word::retire(&model.word), "a live child is not retired");
        signaller.join().unwrap();
    });
}

// ---- the gate ----------------------------------------------------------------------------------------------------------

type Register = fn(&AtomicU64, &AtomicU64, &AtomicU64) -> bool;

/// A birth against kill-all. The identity is the gate's: 100 is open, 0 is another's by now.
fn birth_against_kill_all(register: Register, waits: bool) {
    let model = Model::running();
    let birth = Arc::new((AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)));
    gate::expect(&birth.0, Some(5));
    let kill_all = thread::spawn({
        let (model, birth) = (model.clone(), birth.clone());
        move || {
            let (gate, mark, pid) = &*birth;
            let shut = |number| {
                assert_eq!(number, 5);
                assert_eq!(read(&model.identity), 100, "another's descriptor is shut down");
            };
            gate::close(&model.word, gate, mark, 1, shut);
            pid.load(Ordering::Acquire) != 0
        }
    });
    let (gate, mark, pid) = &*birth;
    let accepted = register(gate, mark, pid);
    while waits && word::is_in_use(&model.word) {
        thread::yield_now();
    }
    // Its holder closes it, and the number is another's.
    write(&model.identity, 0);
    let killed = kill_all.join().unwrap();
    assert!(killed || !accepted, "neither killed nor refused");
}

fn register(gate: &AtomicU64, mark: &AtomicU64, pid: &AtomicU64) -> bool {
    gate::register(gate, mark, || pid.store(7, Ordering::Release))
}

/// That forgets the process until nobody is expected any more.
fn register_late(gate: &AtomicU64, mark: &AtomicU64, pid: &AtomicU64) -> bool {
    let accepted = gate::register(gate, mark, || {});
    pid.store(7, Ordering::Release);
    accepted
}

/// That does not care who looks when: as if there was no fence behind the last store.
fn register_unfenced(gate: &AtomicU64, mark: &AtomicU64, pid: &AtomicU64) -> bool {
    pid.store(7, Ordering::Release);
    loom::sync::atomic::fence(Ordering::SeqCst);
    let accepted = mark.load(Ordering::Acquire) == 0;
    gate.store(0, Ordering::Release);
    accepted
}

/// That looks for the mark first.
fn look_first(gate: &AtomicU64, mark: &AtomicU64, pid: &AtomicU64) -> bool {
    let accepted = mark.load(Ordering::Acquire) == 0;
    gate::register(gate, mark, || pid.store(7, Ordering::Release));
    accepted
}

#[test]
fn law07_no_birth_escapes_kill_all() {
    explore("a birth against kill-all", || birth_against_kill_all(register, true));
}

#[test]
#[should_panic(expected = "neither killed nor refused")]
fn law07_the_model_notices_a_process_that_is_written_down_late() {
    explore("mutant", || birth_against_kill_all(register_late, true));
}

#[test]
#[should_panic(expected = "neither killed nor refused")]
fn law07_the_model_notices_a_look_before_it_is_written_down() {
    explore("mutant", || birth_against_kill_all(look_first, true));
}

#[test]
#[should_panic]
fn law08_the_model_notices_a_gate_that_is_given_away_too_early() {
    explore("mutant", || birth_against_kill_all(register, false));
}

#[test]
#[should_panic]
fn law08_the_model_notices_a_look_for_pins_that_comes_too_early() {
    explore("mutant", || birth_against_kill_all(register_unfenced, true));
}

// ---- the free list -----------------------------------------------------------------------------------------------------

const SLOTS: usize = 3;

struct List {
    head: AtomicU64,
    next: [AtomicU64; SLOTS],
    /// Who holds a slot; loom complains when two do at once.
    held: [UnsafeCell<u32>; SLOTS],
}

// SAFETY: loom checks each access to the cells, which is the purpose of the model.
#[allow(unsafe_code)]
unsafe impl Sync for List {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl Send for List {}

type Pop = fn(&List) -> Option<u32>;
type Push = fn(&List, u32);

impl List {
    /// 0, 1, 2 from the top.
    fn full(push: Push) -> Arc<Self> {
        let new = |_| AtomicU64::new(0);
        let list = Self { head: AtomicU64::new(0), next: [0; SLOTS].map(new), held: [0; SLOTS].map(UnsafeCell::new) };
        for slot in (0..SLOTS as u32).rev() {
            push(&list, slot);
        }
        Arc::new(list)
    }

    fn next(&self, slot: u32) -> u64 {
        self.next[slot as usize].load(Ordering::Relaxed)
    }

    fn take(&self, pop: Pop) -> Option<u32> {
        let slot = pop(self)?;
        let cell = &self.held[slot as usize];
        assert_eq!(read(cell), 0, "slot {slot} is handed out twice");
        write(cell, 1);
        Some(slot)
    }

    fn give(&self, slot: u32, push: Push) {
        write(&self.held[slot as usize], 0);
        push(self, slot);
    }
}

fn true_push(list: &List, slot: u32) {
    freelist::push(&list.head, slot, |next| list.next[slot as usize].store(next, Ordering::Relaxed));
}

fn true_pop(list: &List) -> Option<u32> {
    freelist::pop(&list.head, |slot| list.next(slot))
}

/// `pop` that does not count changes in the upper half of the head.
fn pop_without_tag(list: &List) -> Option<u32> {
    let mut now = list.head.load(Ordering::Acquire);
    loop {
        let first = (now & 0xFFFF_FFFF) as u32;
        if first == 0 {
            return None;
        }
        let after = list.next(first - 1);
        match list.head.compare_exchange(now, after, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Some(first - 1),
            Err(other) => now = other,
        }
    }
}

/// `push` that does not count either, so that a head looks as it did before.
fn push_without_tag(list: &List, slot: u32) {
    let mut now = list.head.load(Ordering::Acquire);
    loop {
        list.next[slot as usize].store(now & 0xFFFF_FFFF, Ordering::Relaxed);
        match list.head.compare_exchange(now, u64::from(slot) + 1, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return,
            Err(other) => now = other,
        }
    }
}

/// The ABA dance: one thread takes two and gives the first back while the other is in the middle of taking one.
fn dance(pop: Pop, push: Push) {
    let list = List::full(push);
    let dancer = thread::spawn({
        let list = list.clone();
        move || {
            let (first, second) = (list.take(pop), list.take(pop));
            if let Some(first) = first {
                list.give(first, push);
            }
            second
        }
    });
    let mine = list.take(pop);
    let theirs = dancer.join().unwrap();
    let rest: Vec<u32> = std::iter::from_fn(|| list.take(pop)).collect();
    let mut all: Vec<u32> = mine.into_iter().chain(theirs).chain(rest).collect();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2], "each slot once, none lost");
}

#[test]
fn freelist_hands_out_no_slot_twice_and_loses_none() {
    explore("free list, ABA", || dance(true_pop, true_push));
}

#[test]
#[should_panic]
fn freelist_the_model_notices_a_head_without_tag() {
    explore("mutant", || dance(pop_without_tag, push_without_tag));
}

#[test]
fn freelist_takers_and_givers_together() {
    explore("free list, two that take and give", || {
        let list = List::full(true_push);
        let work = {
            let list = list.clone();
            move || {
                if let Some(slot) = list.take(true_pop) {
                    list.give(slot, true_push);
                }
                list.take(true_pop)
            }
        };
        let other = thread::spawn(work.clone());
        let mine = work();
        let theirs = other.join().unwrap();
        assert!(mine.is_some() && theirs.is_some() && mine != theirs, "three slots serve two");
        let rest: Vec<u32> = std::iter::from_fn(|| list.take(true_pop)).collect();
        assert_eq!(rest.len(), 1, "none lost, none made up");
    });
}
