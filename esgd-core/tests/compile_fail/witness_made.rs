//! No network that was only scored becomes a witness of back-off.

use esgd_core::{NotWorse, Scored};

fn wrap(scored: Scored<f32>) -> NotWorse<f32> {
    NotWorse(scored)
}

fn main() {}
