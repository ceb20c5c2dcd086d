//! Offspring on the CPU, on slices of the tensors' memory.

use esgd_core::{Mutation, Scale, rng::Key};
use esgd_ops::{
    Tensors, TensorsMut, noise, norm,
    recombine::{self, Blend, Offspring},
};

use super::sigmas;
use crate::{
    Result,
    genome::{Genome, contiguous, variable},
};

pub(super) fn of(parents: &[&Genome], mutation: Mutation, key: Key) -> Result<Genome> {
    let first = parents[0];
    let mut values: Vec<Vec<f32>> =
        first.parameters().iter().map(|p| vec![0.0; p.tensor().elem_count()]).collect();
    let mut child: TensorsMut<'_> = values.iter_mut().map(Vec::as_mut_slice).collect();
    let everyone: Vec<usize> = (0..parents.len()).collect();
    let blended = match mutation.scale {
        Scale::Absolute => sigmas(first, |_| mutation.sigma),
        Scale::Relative => sigmas(first, |_| 0.0),
    };
    let plan = Offspring { parents: &everyone, blend: Blend::Mean, sigma: &blended, key };
    with_all(parents, |population| {
        recombine::offspring(population, &[plan], std::slice::from_mut(&mut child));
    })?;
    if mutation.scale == Scale::Relative {
        let sigma = sigmas(first, |t| mutation.sigma * norm::rms(child[t]));
        noise::mutate(&mut child, &sigma, key);
    }
    let mut values = values.into_iter();
    first.with_tensors(|p| variable(values.next().unwrap_or_default(), p.tensor().shape()))
}

/// Runs `f` on the values of several genomes, in place.
fn with_all<R>(genomes: &[&Genome], f: impl FnOnce(&[Tensors<'_>]) -> R) -> Result<R> {
    let mut locks = vec![];
    for genome in genomes {
        let tensors = genome.parameters().iter();
        locks.push(tensors.map(|p| p.tensor().storage_and_layout()).collect::<Vec<_>>());
    }
    let mut tables = vec![];
    for tensors in &locks {
        let values = tensors.iter().map(|(storage, layout)| contiguous(storage, layout));
        tables.push(values.collect::<Result<Tensors<'_>>>()?);
    }
    Ok(f(&tables))
}
