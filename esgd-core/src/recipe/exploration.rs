//! How far exploring leads away from a recipe, as in population-based training.

/// How a recipe is explored from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exploration {
    /// A value is multiplied by 1 − this or 1 + this, from 0 to below 1.
    pub perturb: f64,
    /// The probability that it is drawn anew instead, from 0 to 1.
    pub resample: f64,
}
