//! Equal compute: what training and evaluating cost, what a run may spend, and a meter of what it does spend.

mod cost;
mod metered;

pub use cost::{BudgetError, Cost, STEP, Spent};
pub use metered::Metered;
