//! A record for people and programs: text, JSON, and a page with a timeline. Words and build ids may be another process's; `report/` lets none of
//! them become syntax.
//!
//! The trap: a record may have holes. A step without a time was not taken, or nobody who knew of it is left; so the step at which it went wrong is
//! the one behind the last that was taken, wherever holes are before.

use serde_json::{Map, Value, json};

use super::{Outcome, Step};
use crate::error::Status;
use crate::handoff::machine::Mode;
use crate::journey::{Journey, Progress, Route};
use crate::report::account::{Account, time};
use crate::report::duration;

const KIND: &str = "HANDOFF";
const TITLE: &str = "handing over";
const EXCLUSIVE: Route =
    Route { kind: KIND, title: TITLE, steps: &["greet", "offer", "load", "drain", "seal", "commit", "open", "probation"] };
const OVERLAP: Route =
    Route { kind: KIND, title: TITLE, steps: &["greet", "offer", "load", "drain", "commit", "open", "seal", "probation"] };

impl Outcome {
    /// By which moment each step of the journey ends.
    fn ends(&self) -> [Step; 8] {
        use Step::*;
        match self.mode {
            Mode::Exclusive => [Greeted, Offered, Warm, Drained, Sealed, Committed, Live, Settled],
            Mode::Overlap => [Greeted, Offered, Warm, Drained, Committed, Live, Sealed, Settled],
        }
    }

    /// Its steps, with their times.
    pub fn journey(&self) -> Journey {
        let route = if self.mode == Mode::Overlap { &OVERLAP } else { &EXCLUSIVE };
        let mut journey = Journey::new(route).dated(self.began_realtime.saturating_sub(self.began));
        let ends = self.ends().map(|step| Some(self.at(step)).filter(|at| *at != 0));
        let reached = ends.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let known = |at: i64| Some(at).filter(|at| *at != 0);
        let mut before = known(self.began);
        for (place, (name, end)) in route.steps.iter().zip(ends).enumerate() {
            match end {
                Some(end) => {
                    journey.set(name, Progress::Performed, before, Some(end));
                    before = Some(end);
                }
                None if place < reached && !self.unsealed => _ = journey.set(name, Progress::Performed, None, None),
                None if place == reached && !self.committed => _ = journey.set(name, Progress::Errored, before, known(self.ended)),
                None => {}
            }
        }
        journey
    }

    /// In a line and a table.
    fn account<'a>(&self, journey: &'a Journey) -> Account<'a> {
        let who = |pid: i32, generation: u64, build: &str| {
            let mut text = if pid == 0 { "nobody".to_owned() } else { format!("process {pid}") };
            if generation != 0 {
                text.push_str(&format!(", generation {generation}"));
            }
            if !build.is_empty() {
                text.push_str(&format!(", build {build}"));
            }
            text
        };
        let mut facts = vec![
            ("from", who(self.old_pid, self.old_generation, self.old_build.text())),
            ("to", who(self.new_pid, self.new_generation, self.new_build.text())),
            ("mode", mode(self.mode).to_owned()),
            ("phase", <&str>::from(self.phase).to_owned()),
        ];
        if !self.committed {
            facts.push(("reason", format!("{}: {}", self.reason.name(), self.words)));
        }
        let taken = if self.connections.passed == 0 { String::new() } else { format!(" ({} taken)", self.connections.taken) };
        let counts = self.connections;
        facts.push(("connections", format!("{} open at DRAIN, {} passed on{taken}, {} left", counts.open, counts.passed, counts.left)));
        facts.push(("gap", if self.gap() == 0 { "none".to_owned() } else { duration(self.gap()) }));
        if self.unsealed {
            facts.push(("unsealed", "storage had to be read anew".to_owned()));
        }
        if self.began_realtime != 0 {
            facts.push(("began", time(self.began_realtime)));
        }
        let took = duration(self.ended.saturating_sub(self.began).max(0));
        let lead = match journey.first_failed() {
            _ if self.committed => format!("It took {took}."),
            Some(step) => format!("It came to nothing at `{}` after {took}.", step.name),
            None => format!("It came to nothing after {took}."),
        };
        let word = if self.committed { "committed" } else { "aborted" };
        Account { title: format!("handoff {}", self.id), word, is_bad: !self.committed, lead, facts, journey }
    }

    /// For a log.
    pub fn render_text(&self) -> String {
        self.account(&self.journey()).render_text()
    }

    /// As a page that stands by itself.
    pub fn render_html(&self) -> String {
        self.account(&self.journey()).render_html()
    }

    /// As one JSON object; what is not known is null.
    pub fn render_json(&self) -> String {
        self.account(&self.journey()).render_json(self.to_json())
    }

    fn to_json(&self) -> Map<String, Value> {
        let known = |at: i64| if at == 0 { Value::Null } else { at.into() };
        let number = |number: u64| if number == 0 { Value::Null } else { number.into() };
        let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
        let side = |pid: i32, generation: u64, build: &str| json!({"pid": number(u64::from(pid.unsigned_abs())), "generation": number(generation), "build_id": text(build)});
        let mut times = Map::new();
        let names = ["greeted", "offered", "warm", "drained", "sealed", "committed", "live", "settled"];
        names.iter().zip(self.times).for_each(|(name, at)| _ = times.insert(format!("{name}_ns"), known(at)));
        let whole = json!({
            "handoff_id": self.id,
            "committed": self.committed,
            "reason": if self.reason == Status::Ok { Value::Null } else { self.reason.name().into() },
            "reason_code": self.reason as i32,
            "reason_text": text(&self.words),
            "phase": <&str>::from(self.phase),
            "mode": mode(self.mode),
            "unsealed": self.unsealed,
            "old": side(self.old_pid, self.old_generation, self.old_build.text()),
            "new": side(self.new_pid, self.new_generation, self.new_build.text()),
            "began_ns": known(self.began),
            "began_time": if self.began_realtime == 0 { Value::Null } else { time(self.began_realtime).into() },
            "ended_ns": known(self.ended),
            "times": times,
            "gap_ns": self.gap(),
            "connections": {
                "open": self.connections.open,
                "passed": self.connections.passed,
                "taken": self.connections.taken,
                "left": self.connections.left,
            },
        });
        match whole {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Exclusive => "exclusive",
        Mode::Overlap => "overlap",
    }
}

#[cfg(test)]
mod tests {
    use super::super::BuildId;
    use super::super::tests::sample;
    use super::*;

    fn hostile() -> Outcome {
        let mut outcome = sample();
        outcome.new_build = BuildId::from_bytes(b"</pre><script>alert(1)</script>\"'&").unwrap();
        outcome.abort(Status::Timeout, "late\n\u{1b}[31m</table><img src=x onerror=alert(1)>", 2_500);
        outcome.times[Step::Settled as usize] = 0;
        outcome
    }

    #[test]
    fn each_step_has_its_time_and_the_one_that_failed_is_named() {
        let journey = hostile().journey();
        let failed = journey.first_failed().unwrap();
        assert_eq!((failed.name, failed.begin, failed.end), ("probation", Some(1_090), Some(2_500)));
        assert_eq!((journey.duration(0), journey.duration(6)), (Some(10), Some(30)));
        let mut early = Outcome::begin(1, Mode::Exclusive, 1_000, 2_000);
        early.abort(Status::Exited, "", 1_500);
        assert_eq!(early.journey().first_failed().unwrap().name, "greet");
    }

    #[test]
    fn holes_of_a_dead_owner_are_no_failure() {
        let mut outcome = sample();
        (outcome.times[Step::Drained as usize], outcome.times[Step::Sealed as usize]) = (0, 0);
        let journey = outcome.journey();
        assert_eq!((journey.first_failed(), journey.steps()[4].progress), (None, Progress::NotStarted));
        outcome.unsealed = false;
        assert_eq!(outcome.journey().steps()[4].progress, Progress::Performed, "only nobody knows when");
    }

    #[test]
    fn in_overlap_mode_the_seal_comes_after_the_opening() {
        let outcome = Outcome { mode: Mode::Overlap, ..sample() };
        let names: Vec<_> = outcome.journey().steps().iter().map(|step| step.name).collect();
        assert_eq!(names[4..7], ["commit", "open", "seal"]);
        assert!(outcome.render_text().contains("  gap: none\n"));
    }

    #[test]
    fn nothing_of_a_stranger_becomes_syntax() {
        let outcome = hostile();
        let page = outcome.render_html();
        assert!(page.contains("&lt;script&gt;") && page.contains("&lt;img src=x"), "{page}");
        for alone in ["<script", "<img", "http:", "https:", "src=\"", "href=", "url(", "\u{1b}"] {
            assert!(!page.contains(alone), "{alone}");
        }
        assert_eq!(page.matches('<').count(), page.matches('>').count());
        let text = outcome.render_text();
        assert!(text.contains(r"  reason: PS_ERR_TIMEOUT: late\n\x1b[31m</table>"), "{text}");
        let json: Value = serde_json::from_str(&outcome.render_json()).unwrap();
        assert_eq!(json["new"]["build_id"], "</pre><script>alert(1)</script>\"'&");
        assert_eq!((json["reason"].as_str(), json["committed"].as_bool()), (Some("PS_ERR_TIMEOUT"), Some(false)));
        assert_eq!(json["journey"]["steps"].as_array().unwrap().len(), 8);
        assert_eq!((json["times"]["live_ns"].as_i64(), json["times"]["settled_ns"].is_null()), (Some(1_090), true));
    }

    #[test]
    fn a_record_of_any_numbers_is_shown_without_harm() {
        let mut outcome = sample();
        for value in [0, 1, i64::MAX] {
            (outcome.began, outcome.began_realtime, outcome.ended, outcome.times) = (value, i64::MAX - value, value, [i64::MAX - value; 8]);
            for text in [outcome.render_text(), outcome.render_json(), outcome.render_html()] {
                assert!(text.contains("PS_HANDOFF_PHASE_SETTLED"));
            }
        }
    }
}
