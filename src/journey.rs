//! How far something with several steps came: which step was begun when, which one failed. Pure data: names, states, times.
//!
//! The trap: a journey is read when something has gone wrong, so it must make sense when it is not whole. A step that was begun and never
//! ended is where it hangs; one that has no end, though a later one has begun, ended at that moment; one that another process has
//! reported may have no times at all. And a state only moves forward: who reports a step twice, or one that the journey does not
//! have, changes nothing, and is told so.
//!
//! ```text
//!   not started --begin--> in progress --end--> performed
//!        |                      |
//!        '--------fail----------'-------------> errored
//! ```
//!
//! What travels says where to: a spawn, a start until it is ready, a preloader's session and a handoff each have a [`Route`] of their own.

/// One kind of journey.
#[derive(PartialEq, Eq, Debug)]
pub struct Route {
    /// Its name for programs: "START_PRELOADER".
    pub kind: &'static str,
    /// What is under way, for a heading: "starting a preloader".
    pub title: &'static str,
    /// The names of its steps, in their order; each once.
    pub steps: &'static [&'static str],
}

/// How far a step is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Progress {
    /// Nobody has begun it.
    #[default]
    NotStarted,
    /// It was begun.
    InProgress,
    /// It was ended.
    Performed,
    /// It failed.
    Errored,
}

impl Progress {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotStarted => "not started",
            Self::InProgress => "in progress",
            Self::Performed => "performed",
            Self::Errored => "errored",
        }
    }
}

/// One step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// Its name on the route.
    pub name: &'static str,
    /// How far it is.
    pub progress: Progress,
    /// When it was begun, as a time stamp; also of a step that is over nobody may know it.
    pub begin: Option<i64>,
    /// When it was ended or failed.
    pub end: Option<i64>,
}

/// A journey under way, or over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Journey {
    kind: &'static str,
    title: &'static str,
    wall: Option<i64>,
    steps: Vec<Step>,
}

impl Journey {
    /// Nothing is begun.
    pub fn new(route: &Route) -> Self {
        Self::with(route, |_| true)
    }

    /// The same, with only those steps that this one has.
    pub fn with(route: &Route, has: impl Fn(&str) -> bool) -> Self {
        let step = |name: &&'static str| Step { name, progress: Progress::NotStarted, begin: None, end: None };
        Self { kind: route.kind, title: route.title, wall: None, steps: route.steps.iter().filter(|name| has(name)).map(step).collect() }
    }

    /// Its stamps can be shown as the time of day: so much CLOCK_REALTIME is ahead of CLOCK_MONOTONIC.
    pub fn dated(mut self, ahead: i64) -> Self {
        self.wall = Some(ahead);
        self
    }

    /// The time of day at a time stamp, in nanoseconds since 1970, if this is known.
    pub fn wall(&self, stamp: i64) -> Option<i64> {
        self.wall.map(|ahead| stamp.saturating_add(ahead))
    }

    /// Its kind, for programs.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// What is under way.
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// The steps, in their order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// One of them.
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }

    fn go(&mut self, name: &str, from: &[Progress], to: Progress) -> Option<&mut Step> {
        let step = self.steps.iter_mut().find(|step| step.name == name && from.contains(&step.progress))?;
        step.progress = to;
        Some(step)
    }

    /// A step begins. `false`: there is none of that name, or it has begun already.
    pub fn begin(&mut self, name: &str, now: i64) -> bool {
        let step = self.go(name, &[Progress::NotStarted], Progress::InProgress);
        step.map(|step| step.begin = Some(now)).is_some()
    }

    /// It is done. `false`: it was not in progress.
    pub fn end(&mut self, name: &str, now: i64) -> bool {
        let step = self.go(name, &[Progress::InProgress], Progress::Performed);
        step.map(|step| step.end = Some(now)).is_some()
    }

    /// It failed, begun or not. `false`: it was over already.
    pub fn fail(&mut self, name: &str, now: i64) -> bool {
        let step = self.go(name, &[Progress::NotStarted, Progress::InProgress], Progress::Errored);
        step.map(|step| step.end = Some(now)).is_some()
    }

    /// What another process says of a step of its own, with the times that it knows: whatever was said before. `false`: there is none of
    /// that name.
    pub fn set(&mut self, name: &str, progress: Progress, begin: Option<i64>, end: Option<i64>) -> bool {
        let step = self.steps.iter_mut().find(|step| step.name == name);
        step.map(|step| *step = Step { name: step.name, progress, begin, end }).is_some()
    }

    /// From the beginning: another attempt.
    pub fn reset(&mut self) {
        for step in &mut self.steps {
            *step = Step { name: step.name, progress: Progress::NotStarted, begin: None, end: None };
        }
    }

    /// Where it went wrong.
    pub fn first_failed(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.progress == Progress::Errored)
    }

    /// When the step at this place was over: its own end, or else the begin of the next one that has begun.
    pub fn end_of(&self, place: usize) -> Option<i64> {
        let step = self.steps.get(place)?;
        step.end.or_else(|| self.steps[place + 1..].iter().find_map(|later| later.begin))
    }

    /// How long it took, as far as that is known.
    pub fn duration(&self, place: usize) -> Option<i64> {
        let begin = self.steps.get(place)?.begin?;
        self.end_of(place).map(|end| end.saturating_sub(begin).max(0))
    }

    /// When the first step was begun, and the last moment that is known.
    pub fn span(&self) -> Option<(i64, i64)> {
        let times = || self.steps.iter().flat_map(|step| [step.begin, step.end]).flatten();
        Some((times().min()?, times().max()?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROUTE: Route = Route { kind: "TO_TOWN", title: "going to town", steps: &["shoes", "bus", "walk"] };

    // covers: PA-67
    #[test]
    fn a_state_only_moves_forward() {
        let mut journey = Journey::new(&ROUTE);
        assert!(!journey.end("shoes", 1), "not begun");
        assert!(journey.begin("shoes", 1));
        assert!(!journey.begin("shoes", 2), "begun once");
        assert!(journey.end("shoes", 3));
        assert!(!journey.end("shoes", 4) && !journey.fail("shoes", 4) && !journey.begin("shoes", 4), "over");
        assert_eq!(journey.step("shoes"), Some(&Step { name: "shoes", progress: Progress::Performed, begin: Some(1), end: Some(3) }));
        assert!(!journey.begin("train", 5), "there is none");
    }

    // covers: PA-70
    #[test]
    fn the_first_failure_is_where_it_went_wrong() {
        let mut journey = Journey::new(&ROUTE);
        assert!(journey.first_failed().is_none());
        assert!(journey.begin("bus", 1) && journey.fail("bus", 2) && journey.fail("walk", 2));
        assert_eq!(journey.first_failed().map(|step| step.name), Some("bus"));
        journey.reset();
        assert_eq!(journey, Journey::new(&ROUTE));
    }

    // covers: PA-68
    #[test]
    fn a_step_without_an_end_was_over_when_the_next_one_began() {
        let mut journey = Journey::new(&ROUTE);
        assert!(journey.begin("shoes", 10) && journey.begin("walk", 25));
        assert_eq!((journey.duration(0), journey.duration(1), journey.duration(2), journey.duration(9)), (Some(15), None, None, None));
        assert_eq!(journey.span(), Some((10, 25)));
    }

    #[test]
    fn another_process_may_know_no_times_and_steps_may_be_left_out() {
        let mut journey = Journey::with(&ROUTE, |name| name != "bus");
        assert_eq!(journey.steps().len(), 2);
        assert!(journey.set("walk", Progress::Errored, None, None));
        assert!(!journey.set("bus", Progress::Performed, None, None));
        assert_eq!((journey.span(), journey.duration(1)), (None, None));
        assert_eq!(journey.title(), "going to town");
    }

    proptest! {
        // covers: PA-67
        #[test]
        fn no_order_of_calls_moves_a_step_back(calls in proptest::collection::vec((0..3usize, 0..3u8), 0..40)) {
            let rank = |progress| match progress { Progress::NotStarted => 0, Progress::InProgress => 1, _ => 2 };
            let mut journey = Journey::new(&ROUTE);
            for (now, (place, call)) in calls.into_iter().enumerate() {
                let before = journey.steps()[place];
                let (name, now) = (before.name, now as i64);
                let moved = match call { 0 => journey.begin(name, now), 1 => journey.end(name, now), _ => journey.fail(name, now) };
                let after = journey.steps()[place];
                prop_assert_eq!(moved, before != after);
                prop_assert!(!moved || rank(after.progress) > rank(before.progress));
                prop_assert!(after.begin.is_none() || after.end.is_none() || after.begin <= after.end);
            }
        }
    }
}
