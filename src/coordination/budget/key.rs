//! One key of a budget: how often it was tried in this window, and who has its permit. Pure: the time is told, and never goes back (`keys.rs`
//! sees to that).
//!
//! The trap: a window that ends while a start is under way. The reference forgot the start together with the counts, so a start that took longer
//! than a window was doubled, and its late finish then freed the permit of the other. Here the end of a window is the end of the counts and of
//! nothing else; what ends a start is its finish, its lease or the operator, and a permit that has ended by any of them is never valid again.
//!
//! ```text
//!              begin                        finish: succeeded             finish: failed   time
//!   at rest    counts, IN FLIGHT;           stale                         stale            window over: counts 0
//!              none left: exhausted
//!   IN FLIGHT  in progress, counts nothing  to be healthy for 0: AT REST, AT REST          window over: counts 0, stays IN FLIGHT
//!                                           counts 0; else PROVING                         lease over: AT REST, the permit is stale;
//!                                                                                          who is kept has none
//!   PROVING    as at rest: who is needed    stale: it has said so         AT REST: it was  window over: counts 0, stays PROVING
//!              again has not stayed up                                    none             healthy for so long: AT REST, counts 0,
//!                                                                                          the permit is stale
//! ```
//!
//! Who is told of the end of what it starts (a supervisor) does not leave the proof to the time: it *lands* a permit when what it started is ready. The
//! key is at rest then, any number of landed starts beside it, and each is settled when its outcome is known: a success sets the counts to 0, a failure
//! leaves them. Nobody who is needed again makes these void: they live side by side.
//!
//! A reset is the key as it was never seen. "Counts 0" takes the storm mark along. A window begins with the first attempt that is counted in it: so
//! there are never more than `attempts` begins within one, whatever succeeded or was looked at in between.

/// What holds for every key of a budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// How many attempts a window has. At least 1.
    pub attempts: u32,
    /// How long it is, in nanoseconds. At least a millisecond.
    pub window: i64,
    /// How long a permit that is given now will be valid, if nobody keeps it; `i64::MAX`: for ever.
    pub lease: i64,
}

/// Why there is no permit now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Denial {
    /// One is in flight, for so long at most. `None`: it is kept, and ends when its holder says so.
    InProgress {
        /// What is left of its lease.
        retry_after_ns: Option<i64>,
    },
    /// All attempts of the window are used.
    Exhausted {
        /// What is left of the window.
        retry_after_ns: i64,
        /// The first one that is told so in this window.
        storm: bool,
    },
}

/// The permit was finished already, has ended with its lease or by a reset, or never was one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stale;

/// A start that has landed: it holds up nobody, and its outcome is open. Settled once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Landed(u64);

/// How a start has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It did not come up, or did not stay up.
    Failed,
    /// It is up, and this is a success once it has been up for so many nanoseconds.
    Succeeded(i64),
}

/// What is to be seen of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View {
    /// Attempts that count.
    pub attempts_used: u32,
    /// Attempts that are left.
    pub remaining: u32,
    /// Whether a permit is out.
    pub in_flight: bool,
    /// Whether a storm was told in this window.
    pub storm: bool,
    /// In how long a begin makes sense: 0 for at once, `None` for "when who keeps the permit says so".
    pub retry_after_ns: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum Phase {
    #[default]
    Rest,
    /// When its lease is over; `None`: it has none.
    InFlight {
        permit: u64,
        until: Option<i64>,
    },
    Proving {
        permit: u64,
        until: i64,
    },
}

/// One key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Key {
    used: u32,
    storm: bool,
    /// When the window began, if an attempt was used in it.
    window: i64,
    phase: Phase,
    /// Starts that have landed and are not settled.
    landed: u32,
    /// The first permit of it since nothing had landed: what was settled, or landed before a reset, has another.
    birth: u64,
}

impl Key {
    /// Whether nothing is known of it that a key never seen would not have. After [`Key::refresh`].
    pub fn is_idle(&self) -> bool {
        self.used == 0 && self.landed == 0 && self.phase == Phase::Rest
    }

    /// The permit that can be finished.
    pub fn permit(&self) -> Option<u64> {
        match self.phase {
            Phase::Rest => None,
            Phase::InFlight { permit, .. } | Phase::Proving { permit, .. } => Some(permit),
        }
    }

    fn forget_counts(&mut self) {
        (self.used, self.storm, self.window) = (0, false, 0);
    }

    /// What the time has changed.
    pub fn refresh(&mut self, rules: Rules, now: i64) {
        if self.used > 0 && now - self.window >= rules.window {
            self.forget_counts();
        }
        match self.phase {
            Phase::InFlight { until: Some(until), .. } if now >= until => self.phase = Phase::Rest,
            Phase::Proving { until, .. } if now >= until => {
                self.phase = Phase::Rest;
                self.forget_counts();
            }
            _ => {}
        }
    }

    /// A start, under this permit.
    pub fn begin(&mut self, rules: Rules, now: i64, permit: impl FnOnce() -> u64) -> Result<u64, Denial> {
        self.refresh(rules, now);
        if let Phase::InFlight { until, .. } = self.phase {
            return Err(Denial::InProgress { retry_after_ns: until.map(|until| until - now) });
        }
        // Who proved itself is needed again: so it was no success. Also where this begin is refused, else a crash loop that says nothing but
        // "ready" would have its counts back.
        self.phase = Phase::Rest;
        if self.used >= rules.attempts {
            let storm = !core::mem::replace(&mut self.storm, true);
            return Err(Denial::Exhausted { retry_after_ns: rules.window - (now - self.window), storm });
        }
        if self.used == 0 {
            self.window = now;
        }
        self.used += 1;
        let permit = permit();
        if self.landed == 0 {
            self.birth = permit;
        }
        self.phase = Phase::InFlight { permit, until: (rules.lease < i64::MAX).then(|| now.saturating_add(rules.lease)) };
        Ok(permit)
    }

    /// In how long there are attempts anyway, where all are used and the outcome of a landed one is open: a success would set the counts to 0.
    pub fn undecided(&mut self, rules: Rules, now: i64) -> Option<i64> {
        self.refresh(rules, now);
        let open = self.landed > 0 && self.used >= rules.attempts && !matches!(self.phase, Phase::InFlight { .. });
        open.then(|| rules.window - (now - self.window))
    }

    /// What was started is ready.
    pub fn land(&mut self, rules: Rules, now: i64, permit: u64) -> Result<Landed, Stale> {
        self.refresh(rules, now);
        match self.phase {
            Phase::InFlight { permit: valid, .. } if valid == permit => {
                self.phase = Phase::Rest;
                self.landed += 1;
                Ok(Landed(self.birth))
            }
            _ => Err(Stale),
        }
    }

    /// More is started under a permit that had landed: it is in flight again, and was counted before. It has no lease. Who proves himself beside it is
    /// needed again, as by a begin.
    pub fn resume(&mut self, rules: Rules, now: i64, landed: Landed, permit: impl FnOnce() -> u64) -> Result<u64, Denial> {
        self.refresh(rules, now);
        if landed.0 != self.birth || self.landed == 0 {
            return self.begin(rules, now, permit);
        }
        if let Phase::InFlight { until, .. } = self.phase {
            return Err(Denial::InProgress { retry_after_ns: until.map(|until| until - now) });
        }
        self.landed -= 1;
        let permit = permit();
        self.phase = Phase::InFlight { permit, until: None };
        Ok(permit)
    }

    /// The outcome of one that had landed.
    pub fn settle(&mut self, rules: Rules, now: i64, landed: Landed, succeeded: bool) -> Result<(), Stale> {
        self.refresh(rules, now);
        if landed.0 != self.birth || self.landed == 0 {
            return Err(Stale);
        }
        self.landed -= 1;
        if succeeded {
            self.forget_counts();
        }
        Ok(())
    }

    /// The end of a start.
    pub fn finish(&mut self, rules: Rules, now: i64, permit: u64, outcome: Outcome) -> Result<(), Stale> {
        self.refresh(rules, now);
        match (self.phase, outcome) {
            (Phase::InFlight { permit: valid, .. }, Outcome::Succeeded(healthy)) if valid == permit => {
                if healthy > 0 {
                    self.phase = Phase::Proving { permit, until: now.saturating_add(healthy) };
                } else {
                    self.phase = Phase::Rest;
                    self.forget_counts();
                }
                Ok(())
            }
            (Phase::InFlight { permit: valid, .. } | Phase::Proving { permit: valid, .. }, Outcome::Failed) if valid == permit => {
                self.phase = Phase::Rest;
                Ok(())
            }
            _ => Err(Stale),
        }
    }

    /// The permit has no lease from now on: its holder finishes it on every path.
    pub fn keep(&mut self, rules: Rules, now: i64, permit: u64) -> Result<(), Stale> {
        self.refresh(rules, now);
        match &mut self.phase {
            Phase::InFlight { permit: valid, until } if *valid == permit => {
                *until = None;
                Ok(())
            }
            _ => Err(Stale),
        }
    }

    /// How it looks; a look changes nothing.
    pub fn view(mut self, rules: Rules, now: i64) -> View {
        self.refresh(rules, now);
        let remaining = rules.attempts.saturating_sub(self.used);
        let retry_after_ns = match self.phase {
            Phase::InFlight { until, .. } => until.map(|until| until - now),
            _ if remaining == 0 => Some(rules.window - (now - self.window)),
            _ => Some(0),
        };
        View {
            attempts_used: self.used,
            remaining,
            in_flight: matches!(self.phase, Phase::InFlight { .. }),
            storm: self.storm,
            retry_after_ns,
        }
    }

    /// For explorers: equal for two that cannot be told apart. Times are ages, and no permit has its number.
    pub fn picture(mut self, rules: Rules, now: i64) -> Key {
        self.refresh(rules, now);
        if self.used > 0 {
            self.window -= now;
        }
        match &mut self.phase {
            Phase::Rest => {}
            Phase::InFlight { permit, until } => (*permit, *until) = (0, until.map(|until| until - now)),
            Phase::Proving { permit, until } => (*permit, *until) = (0, *until - now),
        }
        if self.landed == 0 {
            self.birth = 0;
        }
        self
    }
}
