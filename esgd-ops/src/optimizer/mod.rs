//! Optimizers: one step of a parameter tensor, in place, by the rules of PyTorch's `torch.optim`.
//!
//! An [`Optimizer`] is a kind with its hyper-parameters. Its state lives with whoever trains: a few
//! *slots*, buffers as long as the tensor, which start as zeros.

mod adam;
mod clip;
mod rmsprop;
mod sgd;

pub use clip::clip_scale;

/// A kind of optimizer with its hyper-parameters.
///
/// Semantics, names and units are those of PyTorch: hyper-parameters are `f64`, each coefficient
/// made of them is rounded to `f32` once, and the tensors are worked on in `f32`.
///
/// ```
/// use esgd_ops::optimizer::Optimizer;
///
/// let adam =
///     Optimizer::Adam { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 };
/// let mut slots = vec![vec![0.0; 2]; adam.slots()];
/// let mut theta = [1.0, -1.0];
/// adam.step(1, 1.0, &mut theta, &[0.5, -8.0], &mut slots);
/// // Adam's first step is about lr, whatever the size of the gradient.
/// assert!((theta[0] - 0.999).abs() < 1e-6 && (theta[1] + 0.999).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// `torch.optim.SGD` with dampening 0: Polyak's momentum, or Nesterov's in the form of
    /// Sutskever, Martens, Dahl and Hinton (ICML 2013).
    Sgd {
        /// Learning rate, at least 0.
        lr: f64,
        /// Share of the last step's direction that is kept, in `[0, 1)`; 0 needs no buffer.
        momentum: f64,
        /// Looks ahead along the momentum; without momentum it changes nothing.
        nesterov: bool,
        /// Coefficient of the L2 penalty, added to the gradient.
        weight_decay: f64,
    },
    /// `torch.optim.Adam`: Kingma and Ba (ICLR 2015).
    Adam {
        /// Learning rate, at least 0.
        lr: f64,
        /// Decay of the mean of gradients, in `[0, 1)`.
        beta1: f64,
        /// Decay of the mean of squared gradients, in `[0, 1)`.
        beta2: f64,
        /// Added to the denominator, outside the root.
        eps: f64,
        /// Coefficient of the L2 penalty, added to the gradient.
        weight_decay: f64,
    },
    /// `torch.optim.AdamW`: weight decay apart from the gradient, Loshchilov and Hutter (ICLR
    /// 2019).
    AdamW {
        /// Learning rate, at least 0.
        lr: f64,
        /// Decay of the mean of gradients, in `[0, 1)`.
        beta1: f64,
        /// Decay of the mean of squared gradients, in `[0, 1)`.
        beta2: f64,
        /// Added to the denominator, outside the root.
        eps: f64,
        /// Parameters shrink by `lr · weight_decay` of themselves before each step.
        weight_decay: f64,
    },
    /// `torch.optim.RMSprop`, not centered: Tieleman and Hinton (Coursera lecture 6.5, 2012).
    RmsProp {
        /// Learning rate, at least 0.
        lr: f64,
        /// Decay of the mean of squared gradients, in `[0, 1)`.
        alpha: f64,
        /// Added to the denominator, outside the root.
        eps: f64,
        /// Share of the last step that is kept, in `[0, 1)`; 0 needs no buffer.
        momentum: f64,
        /// Coefficient of the L2 penalty, added to the gradient.
        weight_decay: f64,
    },
}

impl Optimizer {
    /// How many state buffers a parameter tensor needs, each of the tensor's length and zero at
    /// first: 0 to 2.
    ///
    /// ```
    /// use esgd_ops::optimizer::Optimizer;
    ///
    /// let sgd = Optimizer::Sgd { lr: 0.1, momentum: 0.9, nesterov: false, weight_decay: 0.0 };
    /// assert_eq!(sgd.slots(), 1);
    /// ```
    #[must_use]
    pub fn slots(&self) -> usize {
        match self {
            Self::Sgd { momentum, .. } => usize::from(*momentum != 0.0),
            Self::Adam { .. } | Self::AdamW { .. } => 2,
            Self::RmsProp { momentum, .. } => 1 + usize::from(*momentum != 0.0),
        }
    }

    /// Step number `t` of one tensor: moves `theta` against `grad` and brings `slots` up to date.
    ///
    /// `t` counts this tensor's steps from 1. `grad` is multiplied by `grad_scale` before anything
    /// else: 1, or what [`clip_scale`] says. `theta`, `grad` and each slot have one length. The
    /// step works on each element by itself, so a tensor may be stepped piece by piece.
    ///
    /// # Panics
    /// If `t` is 0, there are not [`slots`](Self::slots) slots, or lengths differ.
    ///
    /// ```
    /// use esgd_ops::optimizer::Optimizer;
    ///
    /// let sgd = Optimizer::Sgd { lr: 0.5, momentum: 0.0, nesterov: false, weight_decay: 0.0 };
    /// let mut theta = [1.0, 2.0];
    /// sgd.step(1, 1.0, &mut theta, &[1.0, -2.0], &mut []);
    /// assert_eq!(theta, [0.5, 3.0]);
    /// ```
    pub fn step(
        &self,
        t: u64,
        grad_scale: f32,
        theta: &mut [f32],
        grad: &[f32],
        slots: &mut [Vec<f32>],
    ) {
        assert!(t > 0, "steps count from 1");
        assert_eq!(grad.len(), theta.len(), "the gradient differs in length from its tensor");
        assert_eq!(slots.len(), self.slots(), "the number of slots is not the optimizer's");
        for slot in &*slots {
            assert_eq!(slot.len(), theta.len(), "a slot differs in length from its tensor");
        }
        match (*self, slots) {
            (Self::Sgd { lr, weight_decay, .. }, []) => {
                sgd::Plain { lr, weight_decay }.step(grad_scale, theta, grad);
            }
            (Self::Sgd { lr, momentum, nesterov, weight_decay }, [buffer]) => {
                sgd::Momentum { lr, momentum, nesterov, weight_decay }
                    .step(grad_scale, theta, grad, buffer);
            }
            (Self::Adam { lr, beta1, beta2, eps, weight_decay }, [mean, square]) => {
                adam::Adam { lr, beta1, beta2, eps, weight_decay, decoupled: false }
                    .step(t, grad_scale, theta, grad, mean, square);
            }
            (Self::AdamW { lr, beta1, beta2, eps, weight_decay }, [mean, square]) => {
                adam::Adam { lr, beta1, beta2, eps, weight_decay, decoupled: true }
                    .step(t, grad_scale, theta, grad, mean, square);
            }
            (Self::RmsProp { lr, alpha, eps, weight_decay, .. }, [square]) => {
                rmsprop::Plain { lr, alpha, eps, weight_decay }
                    .step(grad_scale, theta, grad, square);
            }
            (Self::RmsProp { lr, alpha, eps, momentum, weight_decay }, [square, buffer]) => {
                rmsprop::Momentum { lr, alpha, eps, momentum, weight_decay }
                    .step(grad_scale, theta, grad, square, buffer);
            }
            _ => unreachable!("the number of slots was checked above"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn optimizers() -> impl Strategy<Value = Optimizer> {
        let decay = prop_oneof![Just(0.0), 1e-4..0.1];
        let momentum = prop_oneof![Just(0.0), 0.1..0.99];
        (1e-4..0.1, 0.0..0.99, 0.5..0.999, decay, momentum, any::<bool>()).prop_flat_map(
            |(lr, beta1, beta2, weight_decay, momentum, nesterov)| {
                let eps = 1e-8;
                prop_oneof![
                    Just(Optimizer::Sgd { lr, momentum, nesterov, weight_decay }),
                    Just(Optimizer::Adam { lr, beta1, beta2, eps, weight_decay }),
                    Just(Optimizer::AdamW { lr, beta1, beta2, eps, weight_decay }),
                    Just(Optimizer::RmsProp { lr, alpha: beta2, eps, momentum, weight_decay }),
                ]
            },
        )
    }

    /// θ after a step for each of `grads`, from `theta`.
    fn train(optimizer: Optimizer, scale: f32, theta: &[f32], grads: &[Vec<f32>]) -> Vec<u32> {
        let mut theta = theta.to_vec();
        let mut slots = vec![vec![0.0; theta.len()]; optimizer.slots()];
        for (t, grad) in (1..).zip(grads) {
            optimizer.step(t, scale, &mut theta, grad, &mut slots);
        }
        theta.iter().map(|x| x.to_bits()).collect()
    }

    proptest! {
        #[test]
        fn each_element_goes_its_own_way(
            optimizer in optimizers(),
            theta in prop::collection::vec(-2f32..2.0, 19),
            grads in prop::collection::vec(prop::collection::vec(-5f32..5.0, 19), 1..5),
            cut in 0..=19usize,
        ) {
            let part = |range: std::ops::Range<usize>| {
                let grads: Vec<_> = grads.iter().map(|grad| grad[range.clone()].to_vec()).collect();
                train(optimizer, 1.0, &theta[range], &grads)
            };
            prop_assert_eq!(part(0..19), [part(0..cut), part(cut..19)].concat());
        }

        #[test]
        fn the_scale_multiplies_the_gradient_first(
            optimizer in optimizers(),
            grads in prop::collection::vec(prop::collection::vec(-5f32..5.0, 4), 1..5),
            scale in 0f32..1.0,
        ) {
            let scaled: Vec<Vec<f32>> =
                grads.iter().map(|grad| grad.iter().map(|g| scale * g).collect()).collect();
            let theta = [0.5, -1.0, 0.0, 2.0];
            let before = train(optimizer, scale, &theta, &grads);
            prop_assert_eq!(before, train(optimizer, 1.0, &theta, &scaled));
        }
    }

    #[test]
    #[should_panic(expected = "the number of slots")]
    fn a_missing_slot_is_a_mistake() {
        let sgd = Optimizer::Sgd { lr: 0.1, momentum: 0.9, nesterov: false, weight_decay: 0.0 };
        sgd.step(1, 1.0, &mut [0.0], &[1.0], &mut []);
    }
}
