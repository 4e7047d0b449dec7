//! All that a process has left in writing of how it went: error texts, steps, dumps (PA-23 to PA-25, PA-63, PA-65).
//!
//! The trap: it is read when something has gone wrong, of a process that may have done so on purpose. So nothing here fails: what cannot be read is a note; and
//! the whole is bounded, however much there is: so many bytes of each file, so many annotations, so many bytes of these.

use core::ffi::CStr;
use std::os::fd::OwnedFd;

use super::layout::Layout;
use super::words::{self, Now};
use super::{Dumps, Text};
use crate::clock;
use crate::journey::Progress;
use crate::sys::foreign_file::{self, Contents, Refusal};
use crate::sys::listing::{self, Glance, Seen};

/// What was said of one step: its name on the route, how far it is, when it was begun and ended.
pub type Step = (String, Progress, Option<i64>, Option<i64>);

/// All that could be read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Response {
    /// The kind of the failure, as it stands there.
    pub category: Option<String>,
    /// One line.
    pub summary: Option<String>,
    /// For who knows more.
    pub advanced: Option<String>,
    /// What is wrong.
    pub problem: Option<Text>,
    /// What to do.
    pub solution: Option<Text>,
    /// The steps that say anything.
    pub steps: Vec<Step>,
    /// What it has written down of itself.
    pub dumps: Dumps,
    /// What could not be read, and why.
    pub notes: Vec<String>,
}

/// A text (PA-25).
const TEXT: usize = 128 * 1024;
/// Annotations: how many, and of how many bytes together; and how many names are looked at for them.
const ANNOTATIONS: usize = 100;
const ALL_ANNOTATIONS: usize = 1024 * 1024;
const LOOKS: usize = 1000;
/// How many notes are kept.
const NOTES: usize = 64;

/// Who reads it.
struct Reader<'a> {
    layout: &'a Layout,
    notes: Vec<String>,
}

impl Reader<'_> {
    fn note(&mut self, what: String) {
        if self.notes.len() < NOTES {
            self.notes.push(what);
        }
    }

    /// A file of one of the session's directories, if it is there.
    fn file(&mut self, directory: &str, name: &str, most: usize) -> Option<Contents> {
        let place = self.layout.directory(directory)?;
        self.or_note(directory, name, foreign_file::read(place, name, most))
    }

    fn or_note(&mut self, directory: &str, name: &str, read: core::result::Result<Option<Contents>, Refusal>) -> Option<Contents> {
        read.unwrap_or_else(|refusal| {
            self.note(format!("{directory}/{name} {}", refusal.why()));
            None
        })
    }

    /// The beginning of a text.
    fn text(&mut self, directory: &str, name: &str) -> Option<String> {
        let found = self.file(directory, name, TEXT)?;
        if found.more {
            self.note(format!("{directory}/{name} has more than {TEXT} bytes, and is cut"));
        }
        Some(words::text(&found.bytes))
    }

    /// A word; one that is too long is none.
    fn word(&mut self, directory: &str, name: &str) -> Option<Vec<u8>> {
        let found = self.file(directory, name, words::LONGEST)?;
        self.one_word(directory, name, found)
    }

    /// The same in a directory that was just looked at: there are many such, and most of them say nothing.
    fn word_seen(&mut self, glance: &Glance, directory: &str, name: &str) -> Option<Vec<u8>> {
        let found = match glance.of_name(name) {
            Seen::Nothing => return None,
            Seen::Unknown => self.file(directory, name, words::LONGEST)?,
            Seen::Regular => {
                let place = self.layout.directory(directory)?;
                self.or_note(directory, name, foreign_file::read_seen(place, name, words::LONGEST))?
            }
        };
        self.one_word(directory, name, found)
    }

    fn one_word(&mut self, directory: &str, name: &str, found: Contents) -> Option<Vec<u8>> {
        if found.more {
            self.note(format!("{directory}/{name} has more than {} bytes", words::LONGEST));
            return None;
        }
        Some(found.bytes)
    }

    /// HTML wins over plain text (PA-75).
    fn description(&mut self, name: &str) -> Option<Text> {
        let html = self.text("response/error", &format!("{name}.html")).map(Text::Html);
        html.or_else(|| self.text("response/error", &format!("{name}.txt")).map(Text::Plain))
    }

    fn category(&mut self) -> Option<String> {
        let word = self.word("response/error", "category")?;
        let category = words::category(&word);
        if category.is_none() && !word.trim_ascii().is_empty() {
            self.note("response/error/category is no category".to_owned());
        }
        category
    }

    fn time(&mut self, glance: &Glance, directory: &str, name: &str, now: Now) -> Option<i64> {
        let monotonic = self.word_seen(glance, directory, &format!("{name}_monotonic"));
        let wall = if monotonic.is_some() { None } else { self.word_seen(glance, directory, name) };
        words::time(wall.as_deref(), monotonic.as_deref(), now).unwrap_or_else(|why| {
            self.note(format!("{directory}/{name} {why}"));
            None
        })
    }

    fn step(&mut self, directory: &str, name: &str, now: Now) -> Option<Step> {
        let glance = Glance::of(self.layout.directory(directory)?);
        let state = self.word_seen(&glance, directory, "state")?;
        let Ok(state) = words::state(&state) else {
            self.note(format!("{directory}/state is no state"));
            return None;
        };
        let begin = self.time(&glance, directory, "begin_time", now);
        let mut end = self.time(&glance, directory, "end_time", now);
        if let (Some(from), Some(to)) = (begin, end)
            && to < from
        {
            self.note(format!("{directory}/end_time is before its begin"));
            end = None;
        }
        Some((name.to_ascii_uppercase(), state?, begin, end))
    }

    fn steps(&mut self) -> Vec<Step> {
        let now = Now { monotonic: clock::now(), wall_ahead: clock::wall_ahead() };
        let layout = self.layout;
        let steps = layout.paths().filter_map(|path| Some((path, path.strip_prefix("response/steps/")?)));
        steps.filter_map(|(path, name)| self.step(path, name, now)).collect()
    }

    fn dumps(&mut self) -> Dumps {
        Dumps {
            envvars: self.text("envdump", "envvars"),
            user_info: self.text("envdump", "user_info"),
            ulimits: self.text("envdump", "ulimits"),
            annotations: self.annotations(),
        }
    }

    fn annotations(&mut self) -> Vec<(String, String)> {
        let directory = "envdump/annotations";
        let layout = self.layout;
        let Some(place) = layout.directory(directory) else { return Vec::new() };
        let (mut names, mut looks) = (Vec::new(), 0);
        let listed = listing::names(place, |name| {
            looks += 1;
            if !name.to_bytes().starts_with(b".") {
                names.push(name.to_owned());
            }
            looks < LOOKS && names.len() <= ANNOTATIONS
        });
        if let Err(errno) = listed {
            self.note(format!("{directory} cannot be read: {}", errno.desc()));
        }
        if looks == LOOKS || names.len() > ANNOTATIONS {
            self.note(format!("{directory} has more than {ANNOTATIONS} annotations, or names, than are looked at"));
        }
        names.truncate(ANNOTATIONS);
        names.sort_unstable();
        let mut room = ALL_ANNOTATIONS;
        names.iter().filter_map(|name| self.annotation(place, name, &mut room)).collect()
    }

    fn annotation(&mut self, place: &OwnedFd, name: &CStr, room: &mut usize) -> Option<(String, String)> {
        let shown = words::text(name.to_bytes());
        let found = foreign_file::read(place, name, TEXT.min(*room));
        let found = found.map_err(|refusal| self.note(format!("envdump/annotations/{shown} {}", refusal.why()))).ok()??;
        if found.more {
            self.note(format!("envdump/annotations/{shown} is cut"));
        }
        *room -= found.bytes.len();
        Some((shown, words::text(&found.bytes)))
    }
}

/// Reads it.
pub fn read(layout: &Layout) -> Response {
    let mut reader = Reader { layout, notes: Vec::new() };
    let mut response = Response {
        category: reader.category(),
        summary: reader.text("response/error", "summary"),
        advanced: reader.text("response/error", "advanced_problem_details"),
        problem: reader.description("problem_description"),
        solution: reader.description("solution_description"),
        steps: reader.steps(),
        dumps: reader.dumps(),
        ..Response::default()
    };
    response.notes = reader.notes;
    response
}

/// What is of use of one that is ready: its steps; what it tells of itself only where somebody keeps that.
pub fn read_of_ready(layout: &Layout, dumps: bool) -> Response {
    let mut reader = Reader { layout, notes: Vec::new() };
    let mut response = Response { steps: reader.steps(), ..Response::default() };
    if dumps {
        response.dumps = reader.dumps();
    }
    response.notes = reader.notes;
    response
}
