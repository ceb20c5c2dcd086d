//! No witness of back-off is copied, and none is converted from something else.

use esgd_core::{NotWorse, Scored};

fn copy(witness: &NotWorse<f32>) -> NotWorse<f32> {
    Clone::clone(witness)
}

fn convert(scored: Scored<f32>) -> NotWorse<f32> {
    scored.into()
}

fn main() {}
