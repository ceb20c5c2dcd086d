//! Adam and AdamW: `torch.optim.Adam` and `torch.optim.AdamW`, algorithm 1 of Kingma and Ba (ICLR
//! 2015) and algorithm 2 of Loshchilov and Hutter (ICLR 2019).

use crate::isa::{Isa, vectorized};

/// m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², and
/// θ ← θ − lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + eps).
pub(super) struct Adam {
    pub(super) lr: f64,
    pub(super) beta1: f64,
    pub(super) beta2: f64,
    pub(super) eps: f64,
    pub(super) weight_decay: f64,
    /// Decay shrinks the parameters (AdamW), instead of adding to the gradient (Adam).
    pub(super) decoupled: bool,
}

impl Adam {
    pub(super) fn step(
        &self,
        t: u64,
        grad_scale: f32,
        theta: &mut [f32],
        grad: &[f32],
        mean: &mut [f32],
        square: &mut [f32],
    ) {
        let (keep, weight_decay) = if self.decoupled {
            ((1.0 - self.lr * self.weight_decay) as f32, 0.0)
        } else {
            (1.0, self.weight_decay as f32)
        };
        let mean_gain = (1.0 - self.beta1) as f32;
        let (square_keep, square_gain) = (self.beta2 as f32, (1.0 - self.beta2) as f32);
        // `libm`'s power has the same bits on every platform; the standard library's need not.
        let step_size = (self.lr / (1.0 - libm::pow(self.beta1, t as f64))) as f32;
        let square_scale = (1.0 - libm::pow(self.beta2, t as f64)).sqrt() as f32;
        let eps = self.eps as f32;

        let how = Step {
            keep,
            weight_decay,
            mean_gain,
            square_keep,
            square_gain,
            step_size,
            square_scale,
            eps,
            grad_scale,
        };
        step(Isa::best(), &how, theta, grad, mean, square);
    }
}

/// The numbers of a step, the same for all parameters.
struct Step {
    keep: f32,
    weight_decay: f32,
    mean_gain: f32,
    square_keep: f32,
    square_gain: f32,
    step_size: f32,
    square_scale: f32,
    eps: f32,
    grad_scale: f32,
}

vectorized! {
    fn step(how: &Step, theta: &mut [f32], grad: &[f32], mean: &mut [f32], square: &mut [f32]) {
        let states = mean.iter_mut().zip(square);
        for ((theta, &grad), (mean, square)) in theta.iter_mut().zip(grad).zip(states) {
            let kept = how.keep * *theta;
            let g = how.grad_scale * grad + how.weight_decay * kept;
            *mean = lerp(*mean, g, how.mean_gain);
            *square = how.square_keep * *square + how.square_gain * g * g;
            *theta = kept - how.step_size * *mean / (square.sqrt() / how.square_scale + how.eps);
        }
    }
}

/// The point at `weight` on the way from `a` to `b`, as `torch.lerp` rounds it: exact at both ends.
///
/// β₁ m + (1 − β₁) g would differ, since the two rounded coefficients need not add up to 1.
#[inline(always)]
fn lerp(a: f32, b: f32, weight: f32) -> f32 {
    if weight < 0.5 { a + weight * (b - a) } else { b - (b - a) * (1.0 - weight) }
}

#[cfg(test)]
mod tests {
    use super::lerp;

    #[test]
    fn a_mean_without_memory_is_the_gradient() {
        // β₁ = 0: a + 1 · (b − a) would lose the small gradient beside the large mean.
        assert_eq!(lerp(1000.0, 1e-5, 1.0), 1e-5);
        assert_eq!(lerp(1000.0, 1e-5, 0.0), 1000.0);
        assert_eq!(lerp(1.0, 3.0, 0.75), 2.5);
    }
}
