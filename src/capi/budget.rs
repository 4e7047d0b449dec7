//! Budgets: how often something may be started.
