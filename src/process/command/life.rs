//! How its life goes: when and how it is stopped, what happens to those it leaves behind, whether it is started again.
//!
//! The trap: a stop plan that ends without a kill may never end, so a rung that waits "as long as it takes" has a bound all the
//! same (`stop.rs`).

use std::sync::Arc;

use super::{Command, StopScope};
use crate::clock::{self, MILLI};
use crate::coordination::budget::{Budget, KEY_MAX};
use crate::error::{Error, Result};
use crate::process::stop;
use crate::sys::signal;
use crate::sys::spawn::Birth;

/// When a child that has ended is started again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum RestartWhen {
    /// Never (default).
    #[default]
    #[strum(serialize = "PS_RESTART_NEVER")]
    Never = 0,
    /// When it did not exit with 0.
    #[strum(serialize = "PS_RESTART_ON_FAILURE")]
    OnFailure = 1,
    /// Whenever it has ended by itself.
    #[strum(serialize = "PS_RESTART_ALWAYS")]
    Always = 2,
}

/// How a child is kept alive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Restart {
    /// After which ends.
    pub when: RestartWhen,
    /// The shortest wait before the next start, milliseconds.
    pub min_delay_ms: i64,
    /// The longest.
    pub max_delay_ms: i64,
    /// Failed runs in a row after which it is given up; 0: never.
    pub failures: u32,
    /// A run as long as this was no failure to start.
    pub healthy_ms: i64,
    /// A run that exits with 0 sooner than this has not done its work: it counts as failed where it is started again. 0: it never does.
    pub early_exit_ms: i64,
}

impl Default for Restart {
    fn default() -> Self {
        Self { when: RestartWhen::Never, min_delay_ms: 100, max_delay_ms: 10_000, failures: 5, healthy_ms: 10_000, early_exit_ms: 1_000 }
    }
}

/// The highest priority; the lowest is as far below 0.
pub const PRIORITY_MAX: i32 = 100;

/// The longest interval of looks at whether a child is stopped: an hour.
pub const STOPS_MS_MAX: i64 = 3_600_000;

/// Under which key of which budget a command is started.
#[derive(Clone, Debug)]
pub struct Budgeted {
    /// It lives on while a command names it.
    pub budget: Arc<Budget>,
    /// The caller's text.
    pub key: Box<[u8]>,
}

/// Stop plan, deadline, survivors, restarts.
#[derive(Clone, Debug)]
pub struct Lifetime {
    pub(in crate::process) plan: Arc<Vec<stop::Step>>,
    plan_is_default: bool,
    pub(in crate::process) deadline_ms: Option<i64>,
    /// How long the plan lets it dump its core.
    pub(in crate::process) core_wait_ms: i64,
    pub(in crate::process) sweep: bool,
    /// Whom the plan reaches.
    pub(in crate::process) scope: StopScope,
    restart: Restart,
    /// Somebody has said how long a run must be not to count as failed.
    healthy_is_said: bool,
    budget: Option<Arc<Budgeted>>,
    waits_for_budget: bool,
    /// Who of those that wait for a slot goes first.
    priority: i32,
    /// Its process is to outlive this one: no mark says that it is ours.
    pub(in crate::process) outlives: bool,
    /// It takes this one's place before whoever watches this one.
    pub(in crate::process) succeeds_watched: bool,
    /// What it writes down of its birth.
    pub(in crate::process) birth: Option<Box<Birth>>,
    user_data: u64,
    /// So often it is looked whether it is stopped.
    pub(in crate::process) stops_ms: Option<i64>,
}

impl Default for Lifetime {
    fn default() -> Self {
        Self {
            plan: Arc::new(stop::DEFAULT.to_vec()),
            plan_is_default: true,
            deadline_ms: None,
            core_wait_ms: stop::CORE_WAIT_MS,
            sweep: true,
            scope: StopScope::Group,
            restart: Restart::default(),
            healthy_is_said: false,
            budget: None,
            waits_for_budget: false,
            priority: 0,
            outlives: false,
            succeeds_watched: false,
            birth: None,
            user_data: 0,
            stops_ms: None,
        }
    }
}

impl Lifetime {
    /// What would tie a child to this process.
    pub(super) fn tie(&self) -> Option<&'static str> {
        self.tie_of_a_start().or(super::lasting::first([(self.budget.is_some(), "a spawn budget")]))
    }

    /// What only its maker could do with a process.
    pub(super) fn of_a_maker(&self) -> Option<&'static str> {
        let Self {
            plan: _,
            plan_is_default: _,
            deadline_ms: _,
            core_wait_ms: _,
            sweep: _,
            scope: _,
            restart,
            healthy_is_said: _,
            budget: _,
            waits_for_budget: _,
            priority: _,
            outlives: _,
            succeeds_watched: _,
            birth,
            user_data: _,
            stops_ms: _,
        } = self;
        super::lasting::first([(restart.when != RestartWhen::Never, "restart"), (birth.is_some(), "birth")])
    }

    /// The same, but for what ends with the start. Names every field (see `lasting.rs`); none lends a descriptor.
    pub(super) fn tie_of_a_start(&self) -> Option<&'static str> {
        let Self {
            plan: _,
            plan_is_default: _,
            deadline_ms,
            core_wait_ms: _,
            sweep: _,
            scope: _,
            restart,
            healthy_is_said: _,
            budget: _,
            waits_for_budget: _,
            priority: _,
            outlives: _,
            succeeds_watched: _,
            birth: _,
            user_data: _,
            stops_ms,
        } = self;
        super::lasting::first([
            (deadline_ms.is_some(), "a deadline"),
            (restart.when != RestartWhen::Never, "a restart policy"),
            // It would be told to nobody.
            (stops_ms.is_some(), "watch_stops"),
        ])
    }
}

impl Command {
    /// Whether what is left of its group goes with it.
    pub(in crate::process) fn sweeps(&self) -> bool {
        self.lifetime.sweep && !self.identity.shares_group
    }

    /// Adds a step to the stop plan; the first call replaces the default plan. -1: as long as the last step ever waits.
    pub fn stop_step(&mut self, signal: i32, wait_ms: i64) -> Result<&mut Self> {
        if !(1..=signal::MAX).contains(&signal) {
            return Err(Error::invalid("stop_step", format!("stop_step: {signal} is no signal")));
        }
        clock::check_timeout("stop_step", wait_ms)?;
        let mut plan = if self.lifetime.plan_is_default { Vec::new() } else { self.lifetime.plan.to_vec() };
        plan.push(stop::Step { signal, wait_ms });
        self.lifetime.plan = Arc::new(plan);
        self.lifetime.plan_is_default = false;
        Ok(self)
    }

    /// The time after which the stop plan runs; 0 or more.
    pub fn deadline(&mut self, ms: i64) -> Result<&mut Self> {
        if ms < 0 {
            return Err(Error::invalid("deadline", format!("deadline: {ms} ms lie in the past")));
        }
        self.lifetime.deadline_ms = Some(ms);
        Ok(self)
    }

    /// How long a child that is dumping its core is left to finish before its stop plan kills it; 0: not at all.
    pub fn core_wait(&mut self, ms: i64) -> Result<&mut Self> {
        if ms < 0 {
            return Err(Error::invalid("core_wait", format!("core_wait: {ms} ms")));
        }
        self.lifetime.core_wait_ms = ms;
        Ok(self)
    }

    /// Whom the signals of the stop plan reach.
    pub fn stop_scope(&mut self, scope: StopScope) -> &mut Self {
        self.lifetime.scope = scope;
        self
    }

    /// Whether the rest of the group is killed when its leader ends (the default).
    pub fn sweep_survivors(&mut self, sweep: bool) -> Result<&mut Self> {
        self.check_containment(self.identity.isolation, sweep)?;
        self.lifetime.sweep = sweep;
        Ok(self)
    }

    /// When a child that has ended is started again, and after which wait: it doubles with every failure, from the shortest to the longest.
    pub fn restart(&mut self, when: RestartWhen, min_delay_ms: i64, max_delay_ms: i64) -> Result<&mut Self> {
        if min_delay_ms < 0 || max_delay_ms < min_delay_ms || max_delay_ms > i64::MAX / MILLI {
            let message = format!("restart: a wait between {min_delay_ms} and {max_delay_ms} ms is none");
            return Err(Error::invalid("restart", message));
        }
        self.lifetime.restart = Restart { when, min_delay_ms, max_delay_ms, ..self.lifetime.restart };
        Ok(self)
    }

    /// After how many failed runs in a row a child is given up (0: never), and how long a run must be not to count as failed.
    pub fn restart_limit(&mut self, failures: u32, healthy_ms: i64) -> Result<&mut Self> {
        if !(0..=i64::MAX / MILLI).contains(&healthy_ms) {
            return Err(Error::invalid("restart_limit", format!("restart_limit: a run of {healthy_ms} ms")));
        }
        self.lifetime.restart = Restart { failures, healthy_ms, ..self.lifetime.restart };
        self.lifetime.healthy_is_said = true;
        Ok(self)
    }

    /// Below how many milliseconds a run that exits with 0 counts as failed, if it is to be started again after success, too; 0: never.
    pub fn restart_early_exit(&mut self, ms: i64) -> Result<&mut Self> {
        if !(0..=i64::MAX / MILLI).contains(&ms) {
            return Err(Error::invalid("restart_early_exit", format!("restart_early_exit: a run of {ms} ms")));
        }
        self.lifetime.restart = Restart { early_exit_ms: ms, ..self.lifetime.restart };
        Ok(self)
    }

    /// Its place among those that wait for a slot: the higher first.
    pub fn priority(&mut self, priority: i32) -> Result<&mut Self> {
        if !(-PRIORITY_MAX..=PRIORITY_MAX).contains(&priority) {
            let message = format!("priority: {priority} is not between -{PRIORITY_MAX} and {PRIORITY_MAX}");
            return Err(Error::invalid("priority", message));
        }
        self.lifetime.priority = priority;
        Ok(self)
    }

    /// That.
    pub fn get_priority(&self) -> i32 {
        self.lifetime.priority
    }

    /// How its children are kept alive.
    pub fn get_restart(&self) -> Restart {
        self.lifetime.restart
    }

    /// Each start of it takes a permit of this key.
    pub fn budget(&mut self, budget: Arc<Budget>, key: impl AsRef<[u8]>) -> Result<&mut Self> {
        let key = key.as_ref();
        if key.len() > KEY_MAX {
            return Err(Error::invalid("key", format!("key has {} bytes, and {KEY_MAX} are the most", key.len())));
        }
        self.lifetime.budget = Some(Arc::new(Budgeted { budget, key: key.into() }));
        Ok(self)
    }

    /// Its starts take no permits (the default).
    pub fn no_budget(&mut self) -> &mut Self {
        self.lifetime.budget = None;
        self
    }

    /// Whether a child that finds its budget used up goes on when there are attempts again, rather than be given up.
    pub fn budget_wait(&mut self, on: bool) -> &mut Self {
        self.lifetime.waits_for_budget = on;
        self
    }

    /// Its budget.
    pub fn get_budget(&self) -> Option<&Arc<Budgeted>> {
        self.lifetime.budget.as_ref()
    }

    /// Whether its children wait for that.
    pub fn waits_for_budget(&self) -> bool {
        self.lifetime.waits_for_budget
    }

    /// How long a run must be not to count as failed, if somebody has said so.
    pub fn get_healthy_ms(&self) -> Option<i64> {
        self.lifetime.healthy_is_said.then_some(self.lifetime.restart.healthy_ms)
    }

    /// Whether its child is to be looked at, so many milliseconds apart, for whether it is stopped; 0: it is not.
    pub fn watch_stops(&mut self, interval_ms: i64) -> Result<&mut Self> {
        if !(0..=STOPS_MS_MAX).contains(&interval_ms) {
            let message = format!("interval_ms: {interval_ms} is not between 1 and {STOPS_MS_MAX}, nor 0");
            return Err(Error::invalid("interval_ms", message));
        }
        self.lifetime.stops_ms = Some(interval_ms).filter(|ms| *ms > 0);
        Ok(self)
    }

    /// Whether it is.
    pub fn watches_stops(&self) -> bool {
        self.lifetime.stops_ms.is_some()
    }

    /// A word that comes back with every event of the child.
    pub fn user_data(&mut self, user_data: u64) -> &mut Self {
        self.lifetime.user_data = user_data;
        self
    }

    /// That word.
    pub fn get_user_data(&self) -> u64 {
        self.lifetime.user_data
    }
}
