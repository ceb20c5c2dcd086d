//! How fast individuals train, next to PyTorch and to stock candle.
//!
//! `peers/training_torch.py`, and this very program as `train serve` ([`answers`]), run in turn
//! ([`contest`](crate::contest)); the [`comparison`] is their table. Models train side by side, one
//! thread each. A whole [`generation`] is compared in the same way.

pub mod answers;
pub mod comparison;
pub mod generation;
pub mod networks;
mod whole_generation;
