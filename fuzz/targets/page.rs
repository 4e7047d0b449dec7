//! An epoch page with any contents, that may change at any time. The successor follows what the word says, or gives up; never a panic.
#![no_main]

#[path = "../../tests/hostile/mod.rs"]
mod hostile;

use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use procsup::handoff::wire::{Kind, Own, Place};
use procsup::handoff::{Handoff, Limits, Mode};

static HERE: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control");
    drop(Handoff::new(&path).unwrap());
    (dir, path)
});

fuzz_target!(|data: &[u8]| {
    let mut choices = hostile::Choices(data);
    let path = &HERE.1;
    let seat = hostile::Seat::new(path, b"");
    let mut first = match choices.below(2) {
        0 => b"PSEPOCH1".to_vec(),
        _ => Vec::new(),
    };
    first.extend_from_slice(choices.bytes(80));
    let page = hostile::page(&first, 4096, true);
    std::thread::scope(|scope| {
        let successor = scope.spawn(|| Handoff::new(path));
        let mut raw = seat.accept();
        raw.await_message(None);
        let limits = Limits { drain: 1, seal: 1, live: 1, probation: 1 };
        let mut writer = raw.write(Kind::Offer);
        writer.part(0, 1, 3).versions().terms(1 << 40, Mode::Exclusive, &limits).start(hostile::start_time());
        [Own::Epoch, Own::Lock, Own::Control].iter().for_each(|own| _ = writer.place(&Place::Own(*own)));
        let bytes = writer.finish();
        raw.send(&bytes, &[page.as_raw_fd(), seat.lock.as_raw_fd(), seat.listener.as_raw_fd()]);
        let Ok(successor) = successor.join().unwrap() else { return };
        let _ = successor.warm();
        while !choices.are_over() {
            let _ = page.write_all_at(choices.bytes(16), 8 * u64::from(choices.below(4)));
            match choices.below(6) {
                0 => drop(raw.send_plain(Kind::Settle)),
                1 => drop(successor.live()),
                2 => drop(successor.failed("it cannot")),
                3 => drop(successor.generation()),
                _ => drop(raw.send_plain(Kind::Commit)),
            }
            while successor.next_event(0).unwrap().is_some() {}
        }
    });
});
