//! Theorem 1 as types: the m-elitist mean fitness never rises, for any m' ≤ m.
//!
//! ```text
//! Unscored ──score──▶ Scored ──rank──▶ Population ──SGD──▶ NotWorse ─┐
//! unscored θ       θ with fitness,  μ, sorted     back-off's     │
//!                  no way to change               witness        ▼
//!                        ▲                                   Population
//!                        └────────── Pool: μ ∪ λ ◀───────────────┘
//!      its exits: the m best; an offspring for a parent that it is not worse than;
//!      with permission, anything
//! ```
//!
//! None of these can be made outside this folder, so the rest of the crate cannot cheat either.
//! Three ways lead to a guarantee ([`Way`](crate::settings::Way)): strict back-off, whose every
//! survivor is [`NotWorse`]; relaxed back-off with an anchor that never changes (section 4.3);
//! and an [`Archive`] of the m best that were ever scored.

mod archive;
mod at;
mod going_on;
mod guard;
mod improvement;
mod individual;
mod not_worse;
mod pool;
mod population;
mod record;
mod returned;
mod scored;

pub use archive::{Archive, Entry};
pub use at::At;
pub(crate) use guard::Guard;
pub use improvement::Improvement;
pub(crate) use individual::IndividualMeta;
pub use individual::{Id, Individual, Progress};
pub use not_worse::NotWorse;
pub(crate) use not_worse::{AfterTraining, MayWorsen};
pub use pool::{Pool, Selected, Survivor};
pub(crate) use population::Succession;
pub use population::{Effort, Population, Stage};
pub use record::{
    EntryRecord, GuardRecord, IndividualRecord, MemoryRecord, Origin, PopulationRecord, RecordError,
};
pub(crate) use scored::{Evaluator, Network};
pub use scored::{Scored, ScoredPlan, Unscored};
