//! The tensors of θ in a backward pass, and what becomes of their gradients.

use esgd_ops::optimizer::Optimizer;

/// The tensors of θ, and what becomes of their gradients.
pub(super) struct Parameters<'a> {
    pub(super) values: &'a mut [Vec<f32>],
    pub(super) gradients: Gradients<'a>,
}

/// What becomes of gradients.
pub(super) enum Gradients<'a> {
    /// They are kept, one tensor each.
    Kept(&'a mut [Vec<f32>]),
    /// Each tensor takes its step at once. All gradients are made in the same memory, which stays in
    /// the cache: those of a large network would go out to memory and come back.
    Stepped {
        optimizer: &'a Optimizer,
        t: u64,
        slots: &'a mut [Vec<Vec<f32>>],
        scratch: &'a mut [f32],
    },
}

impl Parameters<'_> {
    /// Takes the gradient of a tensor that `compute` writes. The tensor may change with this: what
    /// else depends on its values comes before.
    pub(super) fn take(&mut self, tensor: usize, compute: impl FnOnce(&mut [f32])) {
        let theta = &mut self.values[tensor];
        match &mut self.gradients {
            Gradients::Kept(gradients) => compute(&mut gradients[tensor]),
            Gradients::Stepped { optimizer, t, slots, scratch } => {
                let gradient = &mut scratch[..theta.len()];
                compute(gradient);
                optimizer.step(*t, 1.0, theta, gradient, &mut slots[tensor]);
            }
        }
    }
}
