//! What an optimizer remembers of an individual, and its steps: on the CPU by the kernels of
//! [`esgd_ops::optimizer`], elsewhere by the same rules in candle's operations.

use std::{cell::RefCell, collections::HashMap};

use candle_core::{CpuStorage, DType, InplaceOp2, Layout, Tensor, Var, backprop::GradStore};
use esgd_ops::{
    norm,
    optimizer::{self, Optimizer},
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::{
    Error, Genome, Parameter, Result, Role, Training,
    genome::{values, with_values},
};

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

    /// The state of this network's optimizer as a safetensors file: buffer 0 of `fc1.weight` is
    /// `fc1.weight/0`; the steps and epochs are its metadata.
    ///
    /// # Errors
    /// If candle cannot read the values.
    pub fn to_safetensors(&self, theta: &Genome) -> Result<Vec<u8>> {
        let bytes = |v: &[f32]| v.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let mut buffers = vec![];
        for (i, parameter) in theta.parameters().iter().enumerate() {
            let contents: Vec<Vec<u8>> = match &self.slots {
                Slots::Host(slots) => slots[i].iter().map(|slot| bytes(slot)).collect(),
                Slots::Device(slots) => {
                    slots[i].iter().map(|slot| Ok(bytes(&values(slot)?))).collect::<Result<_>>()?
                }
            };
            let named = |(k, bytes)| (format!("{}/{k}", parameter.name), bytes);
            buffers.extend(contents.into_iter().enumerate().map(named));
        }
        let views = buffers.iter().map(|(name, bytes)| {
            Ok((name, TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes)?))
        });
        let metadata = HashMap::from([
            ("steps".to_owned(), self.steps.to_string()),
            ("epochs".to_owned(), self.epochs.to_string()),
        ]);
        views
            .collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>()
            .and_then(|views| safetensors::serialize(views, Some(metadata)))
            .map_err(|e| Error::Weights(e.to_string()))
    }

    /// The state that [`to_safetensors`](Self::to_safetensors) wrote for a network of the shapes of
    /// `theta`.
    ///
    /// # Errors
    /// If the file is malformed, or the state of another network's optimizer.
    pub fn of_safetensors(theta: &Genome, bytes: &[u8]) -> Result<Self> {
        let wrong = |e: String| Error::Weights(format!("this is not an optimizer's state ({e})"));
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| wrong(e.to_string()))?;
        let file = SafeTensors::deserialize(bytes).map_err(|e| wrong(e.to_string()))?;
        let count = |name: &str| {
            let text = header.metadata().as_ref().and_then(|metadata| metadata.get(name));
            text.and_then(|text| text.parse::<u64>().ok())
                .ok_or_else(|| wrong(format!("it has no number of {name}")))
        };
        let (steps, epochs) = (count("steps")?, count("epochs")?);
        let epochs = u32::try_from(epochs).map_err(|e| wrong(e.to_string()))?;
        let mut left = file.len();
        let mut slots = vec![];
        for parameter in theta.parameters() {
            let mut own = vec![];
            while let Ok(found) = file.tensor(&format!("{}/{}", parameter.name, own.len())) {
                let fits = found.dtype() == Dtype::F32
                    && found.shape() == [parameter.tensor().elem_count()]
                    && parameter.role == Role::Weight;
                if !fits {
                    return Err(wrong(format!("`{}` has other buffers", parameter.name)));
                }
                let floats = found.data().as_chunks::<4>().0.iter();
                own.push(floats.map(|b| f32::from_le_bytes(*b)).collect::<Vec<f32>>());
                left -= 1;
            }
            slots.push(own);
        }
        if left > 0 {
            return Err(wrong("it has buffers of tensors that the network has not".into()));
        }
        let slots = if theta.device().is_cpu() {
            Slots::Host(slots)
        } else {
            let tensor = |p: &Parameter, v: &Vec<f32>| {
                Tensor::from_slice(v, p.tensor().shape(), &theta.device())
            };
            let all = theta.parameters().iter().zip(&slots).map(|(p, own)| {
                own.iter().map(|v| tensor(p, v)).collect::<candle_core::Result<Vec<_>>>()
            });
            Slots::Device(all.collect::<candle_core::Result<_>>()?)
        };
        Ok(Self { steps, epochs, slots })
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
            adam((lr, beta1, beta2, eps), t, &old, &g, mean, square)?
        }
        (Optimizer::AdamW { lr, beta1, beta2, eps, weight_decay }, [mean, square]) => {
            let kept = (&old * (1.0 - lr * weight_decay))?;
            adam((lr, beta1, beta2, eps), t, &kept, &with_decay(0.0)?, mean, square)?
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

/// Adam's new parameters from those that are left after decay.
fn adam(
    (lr, beta1, beta2, eps): (f64, f64, f64, f64),
    t: u64,
    kept: &Tensor,
    g: &Tensor,
    mean: &mut Tensor,
    square: &mut Tensor,
) -> candle_core::Result<Tensor> {
    *mean = ((&*mean * beta1)? + (g * (1.0 - beta1))?)?;
    *square = ((&*square * beta2)? + (g.sqr()? * (1.0 - beta2))?)?;
    let step_size = lr / (1.0 - beta1.powf(t as f64));
    let square_scale = (1.0 - beta2.powf(t as f64)).sqrt();
    let denominator = ((square.sqrt()? / square_scale)? + eps)?;
    kept - ((&*mean * step_size)? / denominator)?
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
    use candle_core::{Device, Shape};
    use esgd_core::{
        Hyper, Problem,
        mangle::mangled,
        rng::{Key, Purpose},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::{Activation, Supervised, data, genome::variable, networks::mlp};

    #[test]
    fn a_state_survives_a_file() {
        let splits = data::digits(data::Sizes { train: Some(100), ..Default::default() }).unwrap();
        let problem = |width| {
            let network = mlp(64, &[width], 10, Activation::Relu).unwrap();
            Supervised::new(network, splits.train.clone(), splits.train.clone()).unwrap()
        };
        let other = problem(9).init(Key::new(1, Purpose::Init)).unwrap();
        let problem = problem(8);
        let hyper =
            |kind: &str| Hyper { kind: kind.into(), values: [("lr".to_owned(), 0.01)].into() };
        let mut theta = problem.init(Key::new(1, Purpose::Init)).unwrap();
        for kind in ["sgd", "adam"] {
            let mut state = problem.state(&theta, &hyper(kind)).unwrap();
            problem
                .epoch(&mut theta, &mut state, &hyper(kind), Key::new(1, Purpose::Train))
                .unwrap();
            let file = state.to_safetensors(&theta).unwrap();
            let back = OptimizerState::of_safetensors(&theta, &file).unwrap();
            assert_eq!(format!("{back:?}"), format!("{state:?}"));
            let mut copy = problem.fork(&theta).unwrap();
            let mut again = back.clone();
            for (theta, state) in [(&mut theta, &mut state), (&mut copy, &mut again)] {
                problem.epoch(theta, state, &hyper(kind), Key::new(2, Purpose::Train)).unwrap();
            }
            assert_eq!(copy.to_safetensors().unwrap(), theta.to_safetensors().unwrap());
            assert_eq!(
                again.to_safetensors(&theta).unwrap(),
                state.to_safetensors(&theta).unwrap()
            );

            for cut in [0, 7, 8, 50, file.len() - 1] {
                assert!(OptimizerState::of_safetensors(&theta, &file[..cut]).is_err());
            }
            if kind == "adam" {
                assert!(OptimizerState::of_safetensors(&other, &file).is_err());
            }
            assert!(
                OptimizerState::of_safetensors(&theta, &theta.to_safetensors().unwrap()).is_err()
            );
        }
    }

    fn genome() -> Genome {
        let var = variable(vec![1.0, 2.0], &Shape::from(2)).unwrap();
        Genome::new(vec![Parameter { name: "a".into(), role: Role::Weight, var }]).unwrap()
    }

    proptest! {
        #[test]
        fn no_damage_makes_it_panic(
            bytes in mangled(&OptimizerState::new(&genome(), 2).unwrap().to_safetensors(&genome()).unwrap()),
        ) {
            let _ = OptimizerState::of_safetensors(&genome(), &bytes);
        }
    }

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
}
