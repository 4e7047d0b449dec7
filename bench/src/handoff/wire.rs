//! What client and servers say to each other, and what the servers write down: fixed, little, the same for all.

pub const REQUEST: usize = 16;
pub const REPLY: usize = 24;
pub const RECORD: usize = 24;

/// A request that is not the last one of its connection.
pub const KEEP: u64 = 1;
/// A reply that is the last one of its connection although more were announced.
pub const GO_AWAY: u32 = 1;

pub struct Request {
    pub id: u64,
    pub flags: u64,
}

pub struct Reply {
    pub id: u64,
    pub sequence: u64,
    pub pid: u32,
    pub flags: u32,
}

/// A line of the write-ahead log.
pub struct Record {
    pub sequence: u64,
    pub id: u64,
    pub pid: u64,
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

fn words<const N: usize>(words: &[u64]) -> [u8; N] {
    let mut bytes = [0; N];
    for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

impl Request {
    pub fn bytes(&self) -> [u8; REQUEST] {
        words(&[self.id, self.flags])
    }

    pub fn read(bytes: &[u8; REQUEST]) -> Self {
        Self { id: word(bytes, 0), flags: word(bytes, 8) }
    }
}

impl Reply {
    pub fn bytes(&self) -> [u8; REPLY] {
        words(&[self.id, self.sequence, u64::from(self.flags) << 32 | u64::from(self.pid)])
    }

    pub fn read(bytes: &[u8; REPLY]) -> Self {
        let last = word(bytes, 16);
        Self { id: word(bytes, 0), sequence: word(bytes, 8), pid: last as u32, flags: (last >> 32) as u32 }
    }
}

impl Record {
    pub fn bytes(&self) -> [u8; RECORD] {
        words(&[self.sequence, self.id, self.pid])
    }

    pub fn read(bytes: &[u8]) -> Self {
        Self { sequence: word(bytes, 0), id: word(bytes, 8), pid: word(bytes, 16) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let request = Request::read(&Request { id: 7, flags: KEEP }.bytes());
        assert_eq!((request.id, request.flags), (7, KEEP));
        let reply = Reply::read(&Reply { id: 7, sequence: 1 << 40, pid: 4_000_000, flags: GO_AWAY }.bytes());
        assert_eq!((reply.id, reply.sequence, reply.pid, reply.flags), (7, 1 << 40, 4_000_000, GO_AWAY));
    }
}
