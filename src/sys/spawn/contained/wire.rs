//! What host and init say to each other: built into both sides, so nothing but arithmetic.
//!
//! The trap: an init may outlive what it was made for by a moment, and its entry be another child's. So each word bears the ticket of the child that it
//! is about (the generation of its slot), and one that bears another is not there.

/// The number under which an init has the file of fates, and its only descriptor.
pub const FATES: i32 = 0;

/// Bytes of an entry in that file: how the program has ended, and which number it had outside.
pub const ENTRY: u64 = 16;
/// Where in an entry its number stands.
pub const NUMBER: u64 = 8;

const THERE: u64 = 1 << 31;

/// A word of an entry: how it has ended (a status of wait(2)), or its number.
pub const fn word(ticket: u32, value: u32) -> u64 {
    (ticket as u64) << 32 | THERE | (value as u64 & (THERE - 1))
}

/// The same taken apart; `None`: it is another's, or was never written.
pub const fn value(word: u64, ticket: u32) -> Option<u32> {
    if word >> 32 == ticket as u64 && word & THERE != 0 { Some((word & (THERE - 1)) as u32) } else { None }
}

/// Which number it has outside, and inside (a small one).
pub const fn numbers(outside: i32, inside: i32) -> u32 {
    outside as u32 & 0x00FF_FFFF | (inside as u32 & 0x3F) << 24
}

/// The same taken apart.
#[cfg_attr(spawner_program, allow(dead_code))]
pub const fn numbered(value: u32) -> (i32, i32) {
    ((value & 0x00FF_FFFF) as i32, (value >> 24 & 0x3F) as i32)
}

/// The signal that carries orders: of one number, so they arrive in the order in which they were given, and none takes the place of another.
pub const CARRIER: i32 = 63;

const ALONE: u64 = 1 << 7;

/// An order, as the value that such a signal carries: send this to the program's group, or to the program alone. The secret proves that it is the
/// host's: who sends a signal with a value may claim to be anybody, also somebody outside.
pub const fn order(secret: u64, signal: i32, alone: bool) -> u64 {
    secret << 8 | if alone { ALONE } else { 0 } | signal as u64 & 0x7F
}

/// The same taken apart.
#[cfg_attr(not(spawner_program), allow(dead_code))]
pub const fn ordered(secret: u64, value: u64) -> Option<(i32, bool)> {
    if value >> 8 == secret << 8 >> 8 { Some(((value & 0x7F) as i32, value & ALONE != 0)) } else { None }
}

/// Digits of that secret, which an init is told in its environment: its arguments could be read by anybody.
pub const SECRET: usize = 16;

/// Digits of each of the three numbers that an init is told in its argument: where its entry is, its ticket, the program's number inside.
pub const DIGITS: [usize; 3] = [16, 8, 8];
/// All of them, and a NUL.
pub const ARGUMENT: usize = DIGITS[0] + DIGITS[1] + DIGITS[2] + 1;

/// The files of a user namespace's maps, in the order in which they are written: without the second nobody may write the third.
pub static MAPS: [&core::ffi::CStr; 3] = [c"/proc/self/uid_map", c"/proc/self/setgroups", c"/proc/self/gid_map"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_for_its_ticket_alone() {
        assert_eq!(value(word(7, 0x8B), 7), Some(0x8B));
        assert_eq!(value(word(7, 0), 7), Some(0));
        assert_eq!(numbered(numbers(4_194_304, 3)), (4_194_304, 3));
        assert_eq!((value(word(7, 1), 8), value(0, 0), value(7 << 32, 7)), (None, None, None));
    }

    #[test]
    fn an_order_says_which_signal_and_to_whom() {
        let secret = 0xFEDC_BA98_7654_3210;
        assert_eq!(ordered(secret, order(secret, 19, false)), Some((19, false)));
        assert_eq!(ordered(secret, order(secret, 64, true)), Some((64, true)));
        assert_eq!((ordered(secret, 15), ordered(secret, order(secret ^ 1, 15, false))), (None, None));
    }
}
