//! What an optimizer remembers of an individual, and its steps: on the CPU by the kernels of
//! [`esgd_ops::optimizer`], elsewhere by the same rules in candle's operations.

mod file;

use std::cell::RefCell;

use candle_core::{CpuStorage, DType, InplaceOp2, Layout, Tensor, Var, backprop::GradStore};
use esgd_ops::{
    norm,
    optimizer::{self, Optimizer},
};

use crate::{Error, Genome, Parameter, Result, Role, Training, genome::with_values};

/// What an optimizer remembers.
#[derive(Clone, Debug)]
pub struct OptimizerState {
    /// Steps made, of all parameters together.
    steps: u64,
    /// Epochs begun with this recipe.
    epochs: u32,
    slots: Slots,
}

/// The optimizer's buffers of each parameter: momentum, or moments.
#[derive(Clone, Debug)]
enum Slots {
    Host(Vec<Vec<Vec<f32>>>),
    Device(Vec<Vec<Tensor>>),
}

impl OptimizerState {
    /// The state before the first step: `count` buffers of zeros a weight, where the weights are.
    pub(crate) fn new(theta: &Genome, count: usize) -> Result<Self> {
        let parameters = theta.parameters().iter();
        let count = |p: &Parameter| if p.role == Role::Weight { count } else { 0 };
        let slots = if theta.device().is_cpu() {
            let buffers = |p: &Parameter| vec![vec![0.0; p.tensor().elem_count()]; count(p)];
            Slots::Host(parameters.map(buffers).collect())
        } else {
            let buffers = |p: &Parameter| {
                (0..count(p)).map(|_| p.tensor().zeros_like()).collect::<candle_core::Result<_>>()
            };
            Slots::Device(parameters.map(buffers).collect::<candle_core::Result<_>>()?)
        };
        Ok(Self { steps: 0, epochs: 0, slots })
    }

    /// Begins an epoch; gives how many have been.
    ///
    /// # Errors
    /// If this is the state of another network's.
    pub(crate) fn begin_epoch(&mut self, theta: &Genome) -> Result<u32> {
        let parameters = theta.parameters();
        let fits = |i: usize, length: usize| {
            parameters[i].role == Role::Weight && parameters[i].tensor().elem_count() == length
        };
        let all = match &self.slots {
            Slots::Host(slots) => {
                slots.len() == parameters.len()
                    && theta.device().is_cpu()
                    && (0..slots.len()).all(|i| slots[i].iter().all(|slot| fits(i, slot.len())))
            }
            Slots::Device(slots) => {
                slots.len() == parameters.len()
                    && !theta.device().is_cpu()
                    && (0..slots.len())
                        .all(|i| slots[i].iter().all(|slot| fits(i, slot.elem_count())))
            }
        };
        if !all {
            return Err(Error::Weights(
                "the optimizer's state is that of another network: expected one made with `state`"
                    .into(),
            ));
        }
        self.epochs += 1;
        Ok(self.epochs - 1)
    }

    /// Begins afresh if the optimizer remembers another number of buffers than it did: its momentum has
    /// come or gone, by annealing or by exploring.
    ///
    /// # Errors
    /// What candle says.
    pub(crate) fn refit(&mut self, theta: &Genome, count: usize) -> Result<()> {
        let other = |slots: usize, p: &Parameter| p.role == Role::Weight && slots != count;
        let parameters = theta.parameters().iter();
        let differs = match &self.slots {
            Slots::Host(all) => parameters.zip(all).any(|(p, slots)| other(slots.len(), p)),
            Slots::Device(all) => parameters.zip(all).any(|(p, slots)| other(slots.len(), p)),
        };
        if differs {
            *self = Self { epochs: self.epochs, ..Self::new(theta, count)? };
        }
        Ok(())
    }

    /// Counts a step; gives its number and the buffers of each parameter, on the CPU.
    pub(crate) fn next(&mut self) -> (u64, &mut [Vec<Vec<f32>>]) {
        self.steps += 1;
        match &mut self.slots {
            Slots::Host(slots) => (self.steps, slots),
            Slots::Device(_) => (self.steps, &mut []),
        }
    }

    /// A step of all weights against their gradients.
    ///
    /// # Errors
    /// What candle says.
    pub(crate) fn step(
        &mut self,
        theta: &Genome,
        gradients: &GradStore,
        training: &Training,
    ) -> Result<()> {
        let scale = match training.clip {
            Some(max) => optimizer::clip_scale(gradient_norm(theta, gradients)?, max),
            None => 1.0,
        };
        self.steps += 1;
        let (t, optimizer) = (self.steps, &training.optimizer);
        let weights = theta.parameters().iter().enumerate();
        for (i, parameter) in weights.filter(|(_, p)| p.role == Role::Weight) {
            let Some(gradient) = gradients.get(parameter.tensor()) else { continue };
            let gradient = gradient.contiguous()?;
            match &mut self.slots {
                Slots::Host(slots) => {
                    let slots = RefCell::new(&mut slots[i]);
                    let update = Update { optimizer, t, scale, slots };
                    parameter.var.inplace_op2(&gradient, &update)?;
                }
                Slots::Device(slots) => {
                    on_tensors(optimizer, t, scale, &parameter.var, &gradient, &mut slots[i])?;
                }
            }
        }
        Ok(())
    }
}

/// The norm of the whole gradient.
fn gradient_norm(theta: &Genome, gradients: &GradStore) -> Result<f64> {
    let weights = theta.parameters().iter().filter(|p| p.role == Role::Weight);
    let squares = weights.filter_map(|p| gradients.get(p.tensor())).map(|gradient| {
        if gradient.device().is_cpu() {
            return with_values(&gradient.contiguous()?, norm::squared_norm);
        }
        Ok(gradient.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar::<f64>()?)
    });
    Ok(squares.sum::<Result<f64>>()?.sqrt())
}

/// One step of the optimizer on one tensor, in candle's operations, for a device without kernels.
fn on_tensors(
    optimizer: &Optimizer,
    t: u64,
    scale: f32,
    theta: &Var,
    gradient: &Tensor,
    slots: &mut [Tensor],
) -> candle_core::Result<()> {
    let old = theta.as_tensor().detach();
    let with_decay = |decay: f64| (gradient * f64::from(scale))? + (&old * decay)?;
    let new = match (*optimizer, slots) {
        (Optimizer::Sgd { lr, weight_decay, .. }, []) => {
            (&old - (with_decay(weight_decay)? * lr)?)?
        }
        (Optimizer::Sgd { lr, momentum, nesterov, weight_decay }, [buffer]) => {
            let g = with_decay(weight_decay)?;
            *buffer = ((&*buffer * momentum)? + &g)?;
            let step = if nesterov { (g + (&*buffer * momentum)?)? } else { buffer.clone() };
            (&old - (step * lr)?)?
        }
        (Optimizer::Adam { lr, beta1, beta2, eps, weight_decay }, [mean, square]) => {
            let g = with_decay(weight_decay)?;
            Adam { lr, beta1, beta2, eps }.step(t, &old, &g, mean, square)?
        }
        (Optimizer::AdamW { lr, beta1, beta2, eps, weight_decay }, [mean, square]) => {
            let kept = (&old * (1.0 - lr * weight_decay))?;
            let g = with_decay(0.0)?;
            Adam { lr, beta1, beta2, eps }.step(t, &kept, &g, mean, square)?
        }
        (Optimizer::RmsProp { lr, alpha, eps, momentum, weight_decay }, [square, rest @ ..])
            if rest.len() < 2 =>
        {
            let g = with_decay(weight_decay)?;
            *square = ((&*square * alpha)? + (g.sqr()? * (1.0 - alpha))?)?;
            let step = (g / (square.sqrt()? + eps)?)?;
            match rest {
                [buffer] => {
                    *buffer = ((&*buffer * momentum)? + step)?;
                    (&old - (&*buffer * lr)?)?
                }
                _ => (&old - (step * lr)?)?,
            }
        }
        _ => candle_core::bail!("the optimizer's state has another number of buffers"),
    };
    theta.set(&new)
}

/// What Adam and AdamW share: all but the decay.
struct Adam {
    lr: f64,
    beta1: f64,
    beta2: f64,
    eps: f64,
}

impl Adam {
    /// The new parameters from those that are left after decay.
    fn step(
        self,
        t: u64,
        kept: &Tensor,
        g: &Tensor,
        mean: &mut Tensor,
        square: &mut Tensor,
    ) -> candle_core::Result<Tensor> {
        let Self { lr, beta1, beta2, eps } = self;
        *mean = ((&*mean * beta1)? + (g * (1.0 - beta1))?)?;
        *square = ((&*square * beta2)? + (g.sqr()? * (1.0 - beta2))?)?;
        let step_size = lr / (1.0 - beta1.powf(t as f64));
        let square_scale = (1.0 - beta2.powf(t as f64)).sqrt();
        let denominator = ((square.sqrt()? / square_scale)? + eps)?;
        kept - ((&*mean * step_size)? / denominator)?
    }
}

/// One step of the optimizer on one tensor, in place on the CPU.
struct Update<'a> {
    optimizer: &'a Optimizer,
    t: u64,
    scale: f32,
    slots: RefCell<&'a mut Vec<Vec<f32>>>,
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "optimizer-step"
    }

    fn cpu_fwd(
        &self,
        theta: &mut CpuStorage,
        theta_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<()> {
        let (CpuStorage::F32(theta), CpuStorage::F32(gradient)) = (theta, gradient) else {
            candle_core::bail!("the optimizer's step expects f32");
        };
        let offsets = (theta_layout.contiguous_offsets(), gradient_layout.contiguous_offsets());
        let (Some((t0, t1)), Some((g0, g1))) = offsets else {
            candle_core::bail!("the optimizer's step expects contiguous tensors");
        };
        let slots = &mut **self.slots.borrow_mut();
        self.optimizer.step(self.t, self.scale, &mut theta[t0..t1], &gradient[g0..g1], slots);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn rules_on_tensors_are_the_kernels() {
        let (lr, eps, weight_decay) = (0.01, 1e-8, 0.02);
        let (beta1, beta2) = (0.9, 0.99);
        for optimizer in [
            Optimizer::Sgd { lr, momentum: 0.0, nesterov: false, weight_decay },
            Optimizer::Sgd { lr, momentum: 0.9, nesterov: false, weight_decay },
            Optimizer::Sgd { lr, momentum: 0.9, nesterov: true, weight_decay: 0.0 },
            Optimizer::Adam { lr, beta1, beta2, eps, weight_decay },
            Optimizer::AdamW { lr, beta1, beta2, eps, weight_decay },
            Optimizer::RmsProp { lr, alpha: 0.9, eps, momentum: 0.0, weight_decay },
            Optimizer::RmsProp { lr, alpha: 0.9, eps, momentum: 0.5, weight_decay },
        ] {
            let start = [1.0f32, -0.5, 0.25, 3.0, 0.0];
            let mut theta = start;
            let mut slots = vec![vec![0.0; 5]; optimizer.slots()];
            let var = Var::new(&start, &Device::Cpu).unwrap();
            let mut tensors = vec![var.zeros_like().unwrap(); optimizer.slots()];
            for t in 1..=20 {
                let gradient: Vec<f32> =
                    (0..5).map(|i| (theta[i] + (t as f32 * 0.7 + i as f32).sin()) / 2.0).collect();
                let on_device = Tensor::new(&gradient[..], &Device::Cpu).unwrap();
                on_tensors(&optimizer, t, 0.5, &var, &on_device, &mut tensors).unwrap();
                optimizer.step(t, 0.5, &mut theta, &gradient, &mut slots);
            }
            for (found, expected) in var.to_vec1::<f32>().unwrap().iter().zip(theta) {
                assert!((found - expected).abs() < 1e-5, "{optimizer:?}: {found}, {expected}");
            }
            let mut wrong = vec![var.zeros_like().unwrap(); 3];
            let gradient = var.zeros_like().unwrap();
            assert!(on_tensors(&optimizer, 1, 1.0, &var, &gradient, &mut wrong).is_err());
        }
    }

    /// Momentum that is annealed to 0, or explored, comes and goes.
    #[test]
    fn a_state_fits_the_optimizer_that_comes_to_it() {
        use esgd_core::{
            Hyperparameters, Problem,
            rng::{Key, Purpose},
        };
        let sizes = crate::data::Sizes { train: Some(20), validation: Some(5), test: None };
        let data = crate::data::digits(sizes).unwrap();
        let mlp = crate::networks::mlp(64, &[], 10, crate::Activation::Relu).unwrap();
        let problem = crate::Supervised::new(mlp, data.train, data.validation).unwrap();
        let key = Key::new(1, Purpose::Train);
        let run = |momenta: &[f64]| {
            let hyper = |momentum| Hyperparameters {
                kind: "sgd".into(),
                values: [("lr", 0.1), ("momentum", momentum)].map(|(n, v)| (n.into(), v)).into(),
            };
            let mut theta = problem.init(key).unwrap();
            let mut state = problem.state(&theta, &hyper(momenta[0])).unwrap();
            for momentum in momenta {
                problem.epoch(&mut theta, &mut state, &hyper(*momentum), key).unwrap();
            }
            theta.values().unwrap()
        };
        assert_eq!(run(&[0.9, 0.0, 0.9]).len(), 650);
        let fresh = problem.init(key).unwrap();
        assert_ne!(run(&[0.0, 0.9]), fresh.values().unwrap());
    }
}
