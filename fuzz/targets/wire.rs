//! Any bytes, with any number of descriptors: a message or a reason, never a panic; and what was read is read again from what it is written as.
#![no_main]

use libfuzzer_sys::fuzz_target;
use procsup::handoff::wire::{self, Writer};

fuzz_target!(|data: &[u8]| {
    let Some((fds, bytes)) = data.split_first() else { return };
    let Ok(message) = wire::read(bytes, usize::from(*fds)) else { return };
    let mut writer = Writer::new(message.kind, message.id, message.seq);
    if let Some((part, parts)) = message.body.part {
        writer.part(part, parts, 0);
    }
    if let (Some(whole), Some(mode), Some(limits)) = (message.body.whole, message.body.mode, &message.body.limits) {
        writer.terms(whole, mode, limits);
    }
    message.body.places.iter().for_each(|place| _ = writer.place(place));
    message.body.gone.iter().for_each(|name| _ = writer.gone(name));
    if let (Some(code), Some(text)) = (message.body.reason, &message.body.text) {
        writer.reason(code, text);
    }
    let again = wire::read(&writer.finish(), message.body.places.len()).expect("what is written can be read");
    assert_eq!((again.kind, again.id, again.seq, &again.body.part), (message.kind, message.id, message.seq, &message.body.part));
    assert_eq!((&again.body.places, &again.body.gone), (&message.body.places, &message.body.gone));
});
