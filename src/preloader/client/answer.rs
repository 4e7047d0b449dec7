//! What a preloader answers to a command: one JSON object, which a newline ends, or the end of the connection. Pure.
//!
//! The trap: an answer that is no answer is not a crash. `{"result":"error"}`, text that cannot be understood and text without an end are the
//! word of a preloader that lives, and are not tried again (PA-84); only an end *without a byte* says that it has died over the command
//! (which the reference takes for text that cannot be understood, so that it misses it). How long an answer is decides the other side: it is
//! read up to a bound. What stands behind the newline nobody reads.

use serde_json::Value;

/// The most that an answer may have, its newline not counted (PA-25).
pub const LONGEST: usize = 10_240;
/// How much of an answer is shown to people.
const SHOWN: usize = 200;

/// What was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// A worker was made, of this number as the other side has it; it may be none at all (PA-85 says 1 at least).
    Worker(i64),
    /// It was not, for this reason.
    Error(String),
    /// Something else; what is wrong with it.
    Nonsense(String),
    /// More than an answer has.
    TooLong,
    /// Nothing, and no more will come: who was to answer is gone.
    Nothing,
}

/// An answer as far as it has come.
#[derive(Clone, Default, Debug)]
pub struct Answer {
    bytes: Vec<u8>,
}

impl Answer {
    /// How many more bytes are worth reading: one beyond the longest, to know that there are more. Never 0 while it is not over.
    pub fn room(&self) -> usize {
        LONGEST + 1 - self.bytes.len().min(LONGEST)
    }

    /// Whether anything has come.
    pub fn has_begun(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// More of it has come. What it says, if that was the end of it.
    pub fn take(&mut self, more: &[u8]) -> Option<Said> {
        let line = more.iter().position(|byte| *byte == b'\n');
        let part = &more[..line.unwrap_or(more.len())];
        if part.len() > LONGEST - self.bytes.len().min(LONGEST) {
            return Some(Said::TooLong);
        }
        self.bytes.extend_from_slice(part);
        line.map(|_| understand(&self.bytes))
    }

    /// No more comes.
    pub fn end(&self) -> Said {
        if self.bytes.is_empty() { Said::Nothing } else { understand(&self.bytes) }
    }
}

/// What a whole answer says. Its nesting is bounded by the parser, which goes 128 deep.
fn understand(bytes: &[u8]) -> Said {
    let nonsense = |why: &str| Said::Nonsense(format!("{why}: {}", shown(bytes)));
    let Ok(Value::Object(answer)) = serde_json::from_slice::<Value>(bytes) else {
        return nonsense("it is no JSON object");
    };
    match answer.get("result").and_then(Value::as_str) {
        Some("ok") => match answer.get("pid").map(Value::as_i64) {
            Some(Some(pid)) => Said::Worker(pid),
            Some(None) => nonsense("`pid` is no integer"),
            None => nonsense("`result` is \"ok\", and there is no `pid`"),
        },
        Some("error") => match answer.get("message").and_then(Value::as_str) {
            Some(message) => Said::Error(message.to_owned()),
            None => nonsense("`result` is \"error\", and there is no text in `message`"),
        },
        _ => nonsense("`result` is neither \"ok\" nor \"error\""),
    }
}

/// The beginning of it, for people.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]);
    let more = if bytes.len() > SHOWN { "..." } else { "" };
    format!("{text:?}{more}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(text: &[u8]) -> Said {
        let mut answer = Answer::default();
        answer.take(text).unwrap_or_else(|| answer.end())
    }

    fn is_nonsense(text: &str, why: &str) {
        match whole(text.as_bytes()) {
            Said::Nonsense(said) => assert!(said.starts_with(why), "{text}: {said}"),
            said => panic!("{text}: {said:?}"),
        }
    }

    // covers: PA-85
    #[test]
    fn an_answer_is_ended_by_a_newline_or_by_the_end() {
        assert_eq!(whole(b"{\"result\": \"ok\", \"pid\": 18591}"), Said::Worker(18591));
        assert_eq!(whole(b"{\"result\":\"ok\",\"pid\":7}\nwhatever"), Said::Worker(7));
        assert_eq!(whole(b"{\"result\":\"error\",\"message\":\"no\"}\n"), Said::Error("no".into()));
        assert_eq!(whole(b""), Said::Nothing, "who says nothing has died");
        assert_eq!(whole(b"{\"result\":\"ok\",\"pid\":-1}"), Said::Worker(-1), "which process that is others judge");
    }

    // covers: PA-85, PA-84
    #[test]
    fn what_is_no_answer_is_told_what_is_wrong_with_it() {
        is_nonsense("\n", "it is no JSON object");
        is_nonsense("not json\n", "it is no JSON object");
        is_nonsense("[]", "it is no JSON object");
        is_nonsense("{\"result\":\"ok\",\"pid\":1", "it is no JSON object");
        is_nonsense("{\"result\":\"ok\",\"pid\":7}{\"result\":\"ok\",\"pid\":7}", "it is no JSON object");
        is_nonsense(&"[".repeat(10_000), "it is no JSON object");
        is_nonsense("{\"result\":\"ok\"}", "`result` is \"ok\", and there is no `pid`");
        is_nonsense("{\"result\":\"ok\",\"pid\":1.5}", "`pid` is no integer");
        is_nonsense("{\"result\":\"ok\",\"pid\":\"7\"}", "`pid` is no integer");
        is_nonsense("{\"result\":\"ok\",\"pid\":18446744073709551615}", "`pid` is no integer");
        is_nonsense("{\"result\":\"error\"}", "`result` is \"error\"");
        is_nonsense("{\"result\":\"perhaps\"}", "`result` is neither");
    }

    // covers: PA-25, D-10
    #[test]
    fn an_answer_has_a_bound_however_it_comes() {
        let longest = format!("{{\"result\":\"error\",\"message\":\"{}\"}}", "x".repeat(LONGEST - 31));
        assert_eq!(longest.len(), LONGEST);
        assert!(matches!(whole(longest.as_bytes()), Said::Error(_)));
        assert!(matches!(whole(format!("{longest}\n").as_bytes()), Said::Error(_)));
        assert_eq!(whole(format!("{longest} ").as_bytes()), Said::TooLong);
        let mut answer = Answer::default();
        for _ in 0..LONGEST {
            assert!(answer.room() > 0);
            assert_eq!(answer.take(b"x"), None);
        }
        assert_eq!((answer.room(), answer.take(b"x")), (1, Some(Said::TooLong)));
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_say_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0..300usize) {
            let at = cut.min(bytes.len());
            let mut answer = Answer::default();
            let said = answer.take(&bytes[..at]).or_else(|| answer.take(&bytes[at..])).unwrap_or_else(|| answer.end());
            prop_assert_eq!(said, whole(&bytes));
        }

        #[test]
        fn what_is_written_as_json_is_read_as_it_was_meant(pid in any::<i64>(), message in ".*") {
            let ok = serde_json::json!({"result": "ok", "pid": pid, "more": [message.clone()]}).to_string();
            prop_assert_eq!(whole(ok.as_bytes()), Said::Worker(pid));
            let error = serde_json::json!({"result": "error", "message": message.clone()}).to_string();
            prop_assert_eq!(whole(error.as_bytes()), Said::Error(message));
        }
    }
}
