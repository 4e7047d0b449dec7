//! E5: a hostile guest, a hostile successor and a hostile owner. Whatever they do, nothing changes hands, nothing leaks, and a good
//! peer is served at once afterwards. `PROCSUP_HOSTILE_SEEDS` says how many seeds are tried; a failure names its seed.

mod hostile;

use std::fs::{self, File};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use hostile::{
    Choices, Raw, Seat, descriptors, good_greeting, good_page, hostile_owner, hostile_successor, page, random_bytes, start_time, word,
};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use procsup::Status;
use procsup::handoff::wire::{Kind, Own, Place, Writer};
use procsup::handoff::{Handoff, Limits, Mode, Notice, Role, Timeout};

fn seeds() -> u64 {
    std::env::var("PROCSUP_HOSTILE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(150)
}

/// A control path. Descriptors are counted: one test has one at a time.
struct Stage {
    path: PathBuf,
    dir: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Stage {
    fn new() -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(|poison| poison.into_inner());
        let dir = tempfile::tempdir().unwrap();
        Self { path: dir.path().join("control"), dir, _alone: alone }
    }

    /// A first generation that serves.
    fn owner(&self) -> Handoff {
        let owner = Handoff::new(&self.path).unwrap();
        assert_eq!(owner.next_event(0).unwrap().unwrap().notice, Notice::Live { unsealed: false });
        owner.live().unwrap();
        owner
    }

    /// One that wants to follow it, and has its offer.
    fn offered(&self, owner: &Handoff) -> Raw {
        let mut raw = Raw::connect(&self.path).unwrap();
        raw.say_hello();
        raw.id = hear(owner, &raw).id;
        raw
    }
}

/// Names the seed if a check fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed is {}", self.0);
        }
    }
}

/// The owner's next event, waited for.
#[track_caller]
fn expect(owner: &Handoff, notice: Notice) {
    assert_eq!(owner.next_event(20_000).unwrap().expect("an event").notice, notice);
}

/// Lets the owner work until the other end has heard something.
fn hear(owner: &Handoff, raw: &Raw) -> procsup::handoff::wire::Message {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        assert_eq!(owner.next_event(0).unwrap(), None);
        if let Some(message) = raw.receive(None) {
            return message;
        }
        assert!(Instant::now() < deadline, "no answer");
    }
}

// ---- by seed -----------------------------------------------------------------------------------------------------------

// covers: S7, S11, L3
#[test]
fn a_hostile_successor_changes_nothing() {
    let stage = Stage::new();
    let owner = stage.owner();
    owner.set_state(b"").unwrap();
    for seed in 0..seeds() {
        let _seed = Seed(seed);
        hostile_successor(&owner, &stage.path, Choices(&random_bytes(seed, 400)));
    }
}

// covers: S11, L2
#[test]
fn a_hostile_owner_is_given_up() {
    let stage = Stage::new();
    drop(stage.owner());
    for seed in 0..seeds() {
        let _seed = Seed(seed);
        hostile_owner(&stage.path, Choices(&random_bytes(seed, 300)));
    }
}

// ---- one by one --------------------------------------------------------------------------------------------------------

// covers: S10
#[test]
fn s10_a_message_of_another_process_on_the_peers_channel_is_dropped() {
    let stage = Stage::new();
    let owner = stage.owner();
    let mut raw = stage.offered(&owner);
    raw.acknowledge(0);
    // cat sends the file as one packet, in its own name.
    let file = stage.dir.path().join("message");
    fs::write(&file, raw.write(Kind::Warm).finish()).unwrap();
    let channel: OwnedFd = raw.socket().try_clone().unwrap();
    let sent = Command::new("cat").stdin(File::open(&file).unwrap()).stdout(channel).stderr(Stdio::null()).status().unwrap();
    assert!(sent.success());
    assert_eq!(owner.next_event(50).unwrap(), None, "a stranger's WARM was taken");
    raw.send_plain(Kind::Warm);
    expect(&owner, Notice::Drain);
    owner.cancel().unwrap();
    expect(&owner, Notice::Resume { unsealed: false });
}

// covers: S10
#[test]
fn s10_another_user_is_not_admitted() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let stage = Stage::new();
    let owner = stage.owner();
    // Somebody has opened the door; the library looks at the face all the same.
    fs::set_permissions(stage.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&stage.path, fs::Permissions::from_mode(0o666)).unwrap();
    let stranger = std::thread::scope(|scope| {
        let connected = scope.spawn(|| {
            // SAFETY: no pointers. The bare system call changes this thread alone, which ends here.
            assert_eq!(unsafe { nix::libc::syscall(nix::libc::SYS_setresuid, 65_534, 65_534, 65_534) }, 0);
            let mut raw = Raw::connect(&stage.path).unwrap();
            raw.say_hello();
            raw
        });
        connected.join().unwrap()
    });
    assert_eq!(owner.next_event(50).unwrap(), None);
    let refusal = stranger.receive(None).expect("a refusal");
    assert_eq!((refusal.kind, refusal.body.reason), (Kind::Nak, Some(4)), "another user was welcomed");
    assert!(!stranger.send(b"x", &[]), "another user was let stay");
    good_greeting(&owner, &stage.path);
}

// covers: S11
#[test]
fn s11_forged_ids_and_old_numbers_are_dropped() {
    let stage = Stage::new();
    let owner = stage.owner();
    let mut raw = stage.offered(&owner);
    raw.acknowledge(0);
    // Another attempt's, and another generation's.
    for id in [raw.id + 1, raw.id - 1, raw.id + (1 << 24), 0] {
        raw.seq += 1;
        let bytes = Writer::new(Kind::Warm, id, raw.seq).finish();
        raw.send(&bytes, &[]);
    }
    // Numbers that were used.
    for seq in 0..=2 {
        raw.send(&Writer::new(Kind::Warm, raw.id, seq).finish(), &[]);
    }
    assert_eq!(owner.next_event(20).unwrap(), None);
    // Too early: LIVE and SETTLED before there is a commit; and HELLO once more.
    raw.send_plain(Kind::Live);
    raw.send_plain(Kind::Settled);
    raw.say_hello();
    assert_eq!(owner.next_event(20).unwrap(), None);
    raw.send_plain(Kind::Warm);
    expect(&owner, Notice::Drain);
}

// covers: S11
#[test]
fn s11_an_acknowledgement_of_another_part_is_none() {
    let stage = Stage::new();
    let owner = stage.owner();
    let mut raw = stage.offered(&owner);
    raw.acknowledge(1);
    raw.acknowledge(u16::MAX - 1);
    raw.send_plain(Kind::Warm);
    assert_eq!(owner.next_event(20).unwrap(), None, "WARM counts though the offer was not acknowledged");
}

// covers: B8, S10
#[test]
fn b8_silent_guests_keep_nobody_out() {
    let stage = Stage::new();
    let owner = stage.owner();
    let silent: Vec<Raw> = (0..40).filter_map(|_| Raw::connect(&stage.path)).collect();
    good_greeting(&owner, &stage.path);
    drop(silent);
}

// covers: L6
#[test]
fn l6_the_second_to_greet_is_told_that_another_was_first() {
    let stage = Stage::new();
    let owner = stage.owner();
    let (mut one, mut two) = (Raw::connect(&stage.path).unwrap(), Raw::connect(&stage.path).unwrap());
    one.say_hello();
    assert_eq!(hear(&owner, &one).kind, Kind::Offer);
    two.say_hello();
    let refusal = hear(&owner, &two);
    assert_eq!((refusal.kind, refusal.body.reason), (Kind::Nak, Some(1)));
}

// covers: L2, B11
#[test]
fn l2_the_offer_says_how_long_the_successor_may_load() {
    let stage = Stage::new();
    let owner = stage.owner();
    owner.set_timeout(Timeout::Takeover, 3_600_000).unwrap();
    let mut raw = Raw::connect(&stage.path).unwrap();
    raw.say_hello();
    let whole = hear(&owner, &raw).body.whole.unwrap();
    assert!((3_500_000_000_000..=3_600_000_000_000).contains(&whole), "{whole} ns");
}

// covers: B21
#[test]
fn another_version_is_refused_by_name() {
    let stage = Stage::new();
    let owner = stage.owner();
    let mut raw = Raw::connect(&stage.path).unwrap();
    let mut bytes = raw.write(Kind::Hello).versions().start(start_time()).finish();
    bytes[28..32].copy_from_slice(&[7, 0, 9, 0]);
    raw.send(&bytes, &[]);
    let refusal = hear(&owner, &raw);
    assert_eq!((refusal.kind, refusal.body.reason), (Kind::Nak, Some(2)));
    good_greeting(&owner, &stage.path);
}

/// An offer with these descriptors: epoch page, lock, control, and one that is named.
fn send_offer(raw: &mut Raw, page: &File, seat: &Seat) {
    send_offer_with(raw, page, seat, Place::Named(b"page".to_vec()));
}

/// The last of its descriptors is the page once more.
fn send_offer_with(raw: &mut Raw, page: &File, seat: &Seat, last: Place) {
    send_offer_of(raw, page, seat.lock.as_raw_fd(), seat, last);
}

fn send_offer_of(raw: &mut Raw, page: &File, lock: i32, seat: &Seat, last: Place) {
    let limits = Limits { drain: 1 << 40, seal: 1 << 40, live: 1 << 40, probation: 1 << 40 };
    let mut writer = raw.write(Kind::Offer);
    writer.part(0, 1, 4).versions().terms(1 << 40, Mode::Exclusive, &limits).start(start_time());
    for own in [Own::Epoch, Own::Lock, Own::Control] {
        writer.place(&Place::Own(own));
    }
    let bytes = writer.place(&last).finish();
    let fds = [page.as_raw_fd(), lock, seat.listener.as_raw_fd(), page.as_raw_fd()];
    assert!(raw.send(&bytes, &fds));
}

fn highest_descriptor() -> i32 {
    let entries: Vec<_> = fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let numbers = entries.iter().map(|name| name.to_str().unwrap().parse::<i32>().unwrap());
    // The directory's own is closed by now.
    numbers.filter(|number| fs::read_link(format!("/proc/self/fd/{number}")).is_ok()).max().unwrap()
}

#[test]
fn an_offer_that_finds_no_room_leaks_nothing() {
    let stage = Stage::new();
    drop(stage.owner());
    let before = descriptors();
    let seat = Seat::new(&stage.path, b"");
    std::thread::scope(|scope| {
        let successor = scope.spawn(|| Handoff::new(&stage.path).map(drop).unwrap_err());
        let mut raw = seat.accept();
        raw.await_message(None).unwrap();
        let page = page(&good_page(), 4096, true);
        // The successor has all of its own descriptors now. No gaps, and room for two more.
        let mut fillers = vec![File::open("/dev/null").unwrap()];
        while fillers.last().unwrap().as_raw_fd() < highest_descriptor() {
            fillers.push(File::open("/dev/null").unwrap());
        }
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, highest_descriptor() as u64 + 3, hard).unwrap();
        send_offer(&mut raw, &page, &seat);
        let error = successor.join().unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
        assert_eq!(error.status, Status::Limit, "{error:?}");
    });
    drop(seat);
    assert_eq!(descriptors(), before);
}

// covers: S10
/// Who has sent it could change it while it is read.
#[test]
fn s10_a_state_that_is_not_sealed_is_refused() {
    let stage = Stage::new();
    let seat = Seat::new(&stage.path, b"");
    std::thread::scope(|scope| {
        let successor = scope.spawn(|| Handoff::new(&stage.path).map(drop));
        let mut raw = seat.accept();
        raw.await_message(None).unwrap();
        send_offer_with(&mut raw, &page(&good_page(), 4096, true), &seat, Place::Own(Own::State));
        assert_eq!(raw.await_message(None).unwrap().kind, Kind::Abort);
        let error = successor.join().unwrap().unwrap_err();
        assert!(error.message.contains("makes no sense"), "{error:?}");
    });
}

// covers: F30, LAW-14
/// The file of the path, opened once more: whoever has that is no holder.
#[test]
fn f30_a_lock_that_is_not_held_by_what_was_received_is_refused() {
    let stage = Stage::new();
    let seat = Seat::new(&stage.path, b"");
    let another = File::options().read(true).write(true).open(format!("{}.lock", stage.path.display())).unwrap();
    std::thread::scope(|scope| {
        let successor = scope.spawn(|| Handoff::new(&stage.path).map(drop));
        let mut raw = seat.accept();
        raw.await_message(None).unwrap();
        let last = Place::Named(b"page".to_vec());
        send_offer_of(&mut raw, &page(&good_page(), 4096, true), another.as_raw_fd(), &seat, last);
        let abort = raw.await_message(None).unwrap();
        assert_eq!((abort.kind, abort.body.reason), (Kind::Abort, Some(13)));
        let error = successor.join().unwrap().unwrap_err();
        assert_eq!(error.status, Status::LockReplaced, "{error:?}");
        assert!(error.message.contains("held by another process"), "{error:?}");
    });
}

/// A successor with the offer of an owner that the test plays, and the epoch page.
fn with_offer_by_hand(play: impl FnOnce(&Handoff, &mut Raw, &File)) {
    let stage = Stage::new();
    let seat = Seat::new(&stage.path, b"");
    std::thread::scope(|scope| {
        let successor = scope.spawn(|| Handoff::new(&stage.path).unwrap());
        let mut raw = seat.accept();
        raw.await_message(None).unwrap();
        let page = page(&good_page(), 4096, true);
        send_offer(&mut raw, &page, &seat);
        let successor = successor.join().unwrap();
        play(&successor, &mut raw, &page);
    });
}

// covers: L1
/// The owner may be stopped between the two, for ever.
#[test]
fn l1_a_commit_whose_message_never_comes_is_found_in_the_word() {
    with_offer_by_hand(|successor, _owner, page| {
        successor.warm().unwrap();
        assert_eq!(successor.next_event(0).unwrap(), None);
        page.write_all_at(&word(2, 1, 3).to_le_bytes(), 8).unwrap();
        expect(successor, Notice::Live { unsealed: false });
    });
}

// covers: S1, S2
#[test]
fn s1_a_commit_that_the_word_does_not_know_is_none() {
    with_offer_by_hand(|successor, raw, page| {
        assert_eq!(successor.role().unwrap(), Role::Successor);
        successor.warm().unwrap();
        raw.send_plain(Kind::Commit);
        assert_eq!(successor.next_event(20).unwrap(), None, "a message alone has made an owner");
        // Another handoff's commit, and another generation's.
        for other in [word(2, 2, 3), word(3, 1, 3), word(2, 1, 6), word(1, 1, 3)] {
            page.write_all_at(&other.to_le_bytes(), 8).unwrap();
            raw.send_plain(Kind::Commit);
            assert_eq!(successor.next_event(20).unwrap(), None);
        }
        page.write_all_at(&word(2, 1, 3).to_le_bytes(), 8).unwrap();
        raw.send_plain(Kind::Commit);
        expect(successor, Notice::Live { unsealed: false });
    });
}

// ---- after the commit: processes ---------------------------------------------------------------------------------------

const VARIABLE: &str = "PROCSUP_HOSTILE";

/// What the other process does once it has been committed to.
const DEEDS: [&str; 11] = [
    "dies",
    "hangs",
    "lies-live-dies",
    "lies-live-hangs",
    "lies-settled-dies",
    "lies-settled-hangs",
    "aborts-hangs",
    "naks-dies",
    "cuts-hangs",
    "floods-hangs",
    "anything-dies",
];

/// Not a test: the other process, when the variable names path and deed.
#[test]
#[ignore = "the other process of the next test"]
fn the_other_process() {
    let Ok(order) = std::env::var(VARIABLE) else { return };
    let (path, deed) = order.rsplit_once(' ').unwrap();
    let mut raw = Raw::connect(Path::new(path)).unwrap();
    raw.say_hello();
    let mut kept = Vec::new();
    while let Some(message) = raw.await_message(Some(&mut kept)) {
        raw.id = message.id;
        match message.kind {
            Kind::Offer => {
                raw.acknowledge(message.body.part.unwrap().0);
                raw.send_plain(Kind::Warm);
            }
            Kind::Delta => drop(raw.acknowledge(message.body.part.unwrap().0)),
            Kind::Commit => break,
            _ => {}
        }
    }
    match deed {
        "lies-live-dies" | "lies-live-hangs" => drop(raw.send_plain(Kind::Live)),
        "lies-settled-dies" | "lies-settled-hangs" => {
            raw.send_plain(Kind::Live);
            raw.send_plain(Kind::Settled);
        }
        "aborts-hangs" => drop(raw.send_plain(Kind::Abort)),
        "naks-dies" => drop(raw.send_plain(Kind::Nak)),
        "floods-hangs" => {
            for _ in 0..10_000 {
                raw.send_plain(Kind::Ack);
            }
        }
        "anything-dies" => {
            let spare = File::open("/dev/null").unwrap();
            for seed in 0..50 {
                let bytes = random_bytes(seed, 200);
                raw.send(&bytes, &[spare.as_raw_fd()]);
            }
        }
        _ => {}
    }
    let _channel = (deed != "cuts-hangs").then_some(raw);
    if deed.ends_with("hangs") {
        std::thread::sleep(Duration::from_secs(30));
    }
    std::process::exit(0);
}

// covers: S1, S2, L1
#[test]
fn l1_what_a_committed_successor_does_costs_the_handoff_and_nothing_else() {
    let stage = Stage::new();
    let owner = stage.owner();
    owner.set_timeout(Timeout::Live, 150).unwrap();
    owner.set_timeout(Timeout::Probation, 1).unwrap();
    for mode in [Mode::Exclusive, Mode::Overlap] {
        owner.set_mode(mode).unwrap();
        for deed in DEEDS {
            let generation = owner.generation().unwrap();
            let test = std::env::current_exe().unwrap();
            let mut other = Command::new(test)
                .args(["--exact", "the_other_process", "--ignored", "--nocapture"])
                .env(VARIABLE, format!("{} {deed}", stage.path.display()))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            expect(&owner, Notice::Drain);
            owner.drained(0).unwrap();
            let mut told = Vec::new();
            while !matches!(told.last(), Some(Notice::Aborted(_))) {
                let notice = owner.next_event(20_000).unwrap().unwrap_or_else(|| panic!("{mode:?}, {deed}: nothing after {told:?}")).notice;
                if notice == Notice::Seal {
                    owner.sealed(1).unwrap();
                }
                assert_ne!(notice, Notice::Retire, "{mode:?}, {deed}: retired though nobody follows");
                told.push(notice);
            }
            assert!(told.contains(&Notice::Resume { unsealed: true }), "{mode:?}, {deed}: {told:?}");
            assert_eq!(owner.generation().unwrap(), generation + 2);
            // S1: it is dead before the owner acts again.
            assert!(other.try_wait().unwrap().is_some(), "{mode:?}, {deed}: it lives");
            good_greeting(&owner, &stage.path);
        }
    }
}
