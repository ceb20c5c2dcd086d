//! An optimizer's state as a safetensors file, for checkpoints.

use std::collections::HashMap;

use candle_core::Tensor;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::{OptimizerState, Slots};
use crate::{Error, Genome, Parameter, Result, Role, genome::values};

/// The metadata: steps, a space, epochs.
const COUNTS: &str = "steps and epochs";

impl OptimizerState {
    /// The state of this network's optimizer as a safetensors file: buffer 0 of `fc1.weight` is
    /// `fc1.weight/0`; its steps and epochs are metadata.
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
        // One entry: of several, the order would be another in each file.
        let counts = format!("{} {}", self.steps, self.epochs);
        let metadata = HashMap::from([(COUNTS.to_owned(), counts)]);
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
        let counts = header.metadata().as_ref().and_then(|metadata| {
            let (steps, epochs) = metadata.get(COUNTS)?.split_once(' ')?;
            Some((steps.parse().ok()?, epochs.parse().ok()?))
        });
        let (steps, epochs) = counts.ok_or_else(|| wrong("it does not count its steps".into()))?;
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
}

#[cfg(test)]
mod tests {
    use candle_core::Shape;
    use esgd_core::{
        Hyperparameters, Problem,
        laws::corrupted,
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
        let hyper = |kind: &str| Hyperparameters {
            kind: kind.into(),
            values: [("lr".to_owned(), 0.01)].into(),
        };
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
            bytes in corrupted(&OptimizerState::new(&genome(), 2).unwrap().to_safetensors(&genome()).unwrap()),
        ) {
            let _ = OptimizerState::of_safetensors(&genome(), &bytes);
        }
    }
}
