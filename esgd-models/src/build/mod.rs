//! Networks built of others: any operation on the tensors in the memory where candle has them, on the CPU or on a
//! GPU. The bits are the same.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;

use candle_core::Device;
use esgd_core::{BuildError, Operation, OperationKind, rng::Key};

use crate::{
    Error, Result,
    genome::{self, Genome, Parameter, Role},
};

/// The network that `operation` makes of `sources`, with random numbers from `key`, where they are.
///
/// Statistics are averaged or chosen where weights are, never mutated; operations that are neither a mean nor
/// crossover copy those of the first source.
pub(crate) fn of(operation: &Operation, sources: &[&Genome], key: Key) -> Result<Genome> {
    if let Some(fault) = operation.fault(sources.len()) {
        return Err(BuildError::new(fault).into());
    }
    let Some(first) = sources.first() else {
        let why = format!("{} has no source: expected at least one", operation.kind());
        return Err(BuildError::new(why).into());
    };
    if let Some(other) = sources.iter().find(|other| !other.device().same_device(&first.device())) {
        return Err(Error::Weights(format!(
            "sources are on {:?} and on {:?}: expected one device",
            first.device().location(),
            other.device().location()
        )));
    }
    let shapes = |genome: &Genome| {
        let shape = |p: &Parameter| (p.name.clone(), p.role, p.tensor().dims().to_vec());
        genome.parameters().iter().map(shape).collect::<Vec<_>>()
    };
    let expected = shapes(first);
    if sources.iter().any(|source| shapes(source) != expected) {
        return Err(Error::Weights(
            "sources have other tensors than one another: expected the same names, sizes and roles \
             in the same order"
                .into(),
        ));
    }
    let statistics: Vec<bool> =
        first.parameters().iter().map(|p| p.role == Role::Statistic).collect();
    match first.device() {
        Device::Cpu => cpu::of(operation, sources, &statistics, key),
        #[cfg(feature = "cuda")]
        Device::Cuda(device) => cuda::of(&device, operation, sources, &statistics, key),
        other => Err(elsewhere(&other)),
    }
}

/// Whether networks on `device` can be built so.
pub(crate) fn builds(kind: &OperationKind, device: &Device) -> bool {
    let here = device.is_cpu() || cfg!(feature = "cuda") && device.is_cuda();
    here && esgd_ops::builds(kind)
}

/// How many weights a network has, statistics not among them.
pub(crate) fn weights(theta: &Genome) -> usize {
    let weights = theta.parameters().iter().filter(|p| p.role == Role::Weight);
    weights.map(|p| p.tensor().elem_count()).sum()
}

/// The length of a network as a vector of its weights.
pub(crate) fn norm(theta: &Genome) -> Result<f64> {
    let norms = match theta.device() {
        Device::Cpu => cpu::squared_norms(theta)?,
        #[cfg(feature = "cuda")]
        Device::Cuda(device) => cuda::squared_norms(&device, theta)?,
        other => return Err(elsewhere(&other)),
    };
    let tensors = theta.parameters().iter().zip(norms);
    let weights = tensors.filter(|(p, _)| p.role == Role::Weight);
    Ok(weights.map(|(_, norm)| norm).sum::<f64>().sqrt())
}

/// The weights of a network in order.
pub(crate) fn values(theta: &Genome) -> Result<Vec<f64>> {
    let mut all = vec![];
    for parameter in theta.parameters().iter().filter(|p| p.role == Role::Weight) {
        all.extend(genome::values(parameter.tensor())?.into_iter().map(f64::from));
    }
    Ok(all)
}

fn elsewhere(device: &Device) -> Error {
    Error::Weights(format!(
        "networks cannot be built on {:?}: expected the CPU, or a GPU in a build with the feature \
         `cuda`",
        device.location()
    ))
}

#[cfg(test)]
mod tests {
    use candle_core::Tensor;
    use esgd_core::{Mutation, Problem, Scale, rng::Purpose};

    use super::*;
    use crate::{Activation, Supervised, data::Dataset, networks};

    fn theta(hidden: &[usize], seed: u64) -> Genome {
        let x = Tensor::zeros((2, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        let y = Tensor::new(&[0u32, 1], &Device::Cpu).unwrap();
        let data = Dataset::new("two", x, y).unwrap();
        let mlp = networks::mlp(3, hidden, 2, Activation::Relu).unwrap();
        let problem = Supervised::new(mlp, data.clone(), data).unwrap();
        problem.init(Key::new(seed, Purpose::Init)).unwrap()
    }

    #[test]
    fn parents_of_other_networks_are_refused_in_one_sentence() {
        let mutation = Mutation { sigma: 0.1, scale: Scale::Absolute };
        let child = |a: &Genome, b: &Genome| {
            of(&Operation::recombination(mutation), &[a, b], Key::new(1, Purpose::Mutation))
        };
        assert!(child(&theta(&[4], 1), &theta(&[4], 2)).is_ok());
        for other in [theta(&[], 2), theta(&[5], 2), theta(&[4, 4], 2)] {
            let message = child(&theta(&[4], 1), &other).unwrap_err().to_string();
            assert!(message.contains("other tensors"), "{message}");
        }
        assert!(
            of(&Operation::recombination(mutation), &[], Key::new(1, Purpose::Mutation)).is_err()
        );
        for sigma in [f32::NAN, f32::INFINITY] {
            let odd = Mutation { sigma, ..mutation };
            let parent = theta(&[4], 1);
            let message =
                of(&Operation::recombination(odd), &[&parent], Key::new(1, Purpose::Mutation))
                    .unwrap_err();
            let sentence = format!(
                "a network cannot be built: combine has the number {sigma}, expected finite ones"
            );
            assert_eq!(message.to_string(), sentence);
        }
    }

    #[test]
    fn what_is_not_a_number_is_not_bred_away() {
        let (a, b) = (theta(&[4], 1), theta(&[4], 2));
        let values = vec![f32::NAN; 12];
        a.parameters()
            .iter()
            .find(|p| p.tensor().elem_count() == 12)
            .unwrap()
            .write(&values)
            .unwrap();
        let mutation = Mutation { sigma: 0.1, scale: Scale::Absolute };
        let child =
            of(&Operation::recombination(mutation), &[&b, &a], Key::new(1, Purpose::Mutation))
                .unwrap();
        let all = child.parameters().iter().find(|p| p.tensor().elem_count() == 12).unwrap();
        all.read(|values| assert!(values.iter().all(|x| x.is_nan()))).unwrap();
    }
}
