//! RMSProp, with and without momentum: `torch.optim.RMSprop`, not centered.

use crate::isa::{Isa, vectorized};

/// v ← α v + (1 − α) g², then θ ← θ − lr · g / (√v + eps).
pub(super) struct Plain {
    pub(super) lr: f64,
    pub(super) alpha: f64,
    pub(super) eps: f64,
    pub(super) weight_decay: f64,
}

impl Plain {
    pub(super) fn step(
        &self,
        grad_scale: f32,
        theta: &mut [f32],
        grad: &[f32],
        square: &mut [f32],
    ) {
        plain(Isa::best(), self, grad_scale, theta, grad, square);
    }
}

/// v as without momentum, then b ← momentum · b + g / (√v + eps) and θ ← θ − lr · b.
pub(super) struct Momentum {
    pub(super) lr: f64,
    pub(super) alpha: f64,
    pub(super) eps: f64,
    pub(super) momentum: f64,
    pub(super) weight_decay: f64,
}

impl Momentum {
    pub(super) fn step(
        &self,
        grad_scale: f32,
        theta: &mut [f32],
        grad: &[f32],
        square: &mut [f32],
        buffer: &mut [f32],
    ) {
        with_momentum(Isa::best(), self, grad_scale, theta, grad, square, buffer);
    }
}

vectorized! {
    fn plain(
        how: &Plain,
        grad_scale: f32,
        theta: &mut [f32],
        grad: &[f32],
        square: &mut [f32],
    ) {
        let (lr, weight_decay) = (how.lr as f32, how.weight_decay as f32);
        let (keep, gain, eps) = (how.alpha as f32, (1.0 - how.alpha) as f32, how.eps as f32);
        for ((theta, &grad), square) in theta.iter_mut().zip(grad).zip(square) {
            let g = grad_scale * grad + weight_decay * *theta;
            *square = keep * *square + gain * g * g;
            *theta -= lr * g / (square.sqrt() + eps);
        }
    }
}

vectorized! {
    fn with_momentum(
        how: &Momentum,
        grad_scale: f32,
        theta: &mut [f32],
        grad: &[f32],
        square: &mut [f32],
        buffer: &mut [f32],
    ) {
        let (lr, weight_decay) = (how.lr as f32, how.weight_decay as f32);
        let (keep, gain, eps) = (how.alpha as f32, (1.0 - how.alpha) as f32, how.eps as f32);
        let momentum = how.momentum as f32;
        let states = square.iter_mut().zip(buffer);
        for ((theta, &grad), (square, buffer)) in theta.iter_mut().zip(grad).zip(states) {
            let g = grad_scale * grad + weight_decay * *theta;
            *square = keep * *square + gain * g * g;
            *buffer = momentum * *buffer + g / (square.sqrt() + eps);
            *theta -= lr * *buffer;
        }
    }
}
