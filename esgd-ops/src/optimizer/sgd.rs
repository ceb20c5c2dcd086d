//! Stochastic gradient descent, with and without momentum: `torch.optim.SGD` with dampening 0.

use crate::isa::{Isa, vectorized};

/// θ ← θ − lr (g + weight_decay · θ).
pub(super) struct Plain {
    pub(super) lr: f64,
    pub(super) weight_decay: f64,
}

impl Plain {
    pub(super) fn step(&self, grad_scale: f32, theta: &mut [f32], grad: &[f32]) {
        plain(Isa::best(), self, grad_scale, theta, grad);
    }
}

/// b ← momentum · b + g, then θ ← θ − lr · b, or with Nesterov's look ahead
/// θ ← θ − lr (g + momentum · b).
///
/// PyTorch sets b to the first gradient; from zeros, the rule does the same.
pub(super) struct Momentum {
    pub(super) lr: f64,
    pub(super) momentum: f64,
    pub(super) nesterov: bool,
    pub(super) weight_decay: f64,
}

impl Momentum {
    pub(super) fn step(
        &self,
        grad_scale: f32,
        theta: &mut [f32],
        grad: &[f32],
        buffer: &mut [f32],
    ) {
        heavy_ball(Isa::best(), self, grad_scale, theta, grad, buffer);
    }
}

vectorized! {
    fn plain(how: &Plain, grad_scale: f32, theta: &mut [f32], grad: &[f32]) {
        let (lr, weight_decay) = (how.lr as f32, how.weight_decay as f32);
        for (theta, &grad) in theta.iter_mut().zip(grad) {
            let g = grad_scale * grad + weight_decay * *theta;
            *theta -= lr * g;
        }
    }
}

vectorized! {
    fn heavy_ball(
        how: &Momentum,
        grad_scale: f32,
        theta: &mut [f32],
        grad: &[f32],
        buffer: &mut [f32],
    ) {
        let (lr, weight_decay) = (how.lr as f32, how.weight_decay as f32);
        let (momentum, nesterov) = (how.momentum as f32, how.nesterov);
        for ((theta, &grad), buffer) in theta.iter_mut().zip(grad).zip(buffer) {
            let g = grad_scale * grad + weight_decay * *theta;
            *buffer = momentum * *buffer + g;
            *theta -= lr * if nesterov { g + momentum * *buffer } else { *buffer };
        }
    }
}
