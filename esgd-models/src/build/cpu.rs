//! Networks built on the CPU, on slices of the tensors' memory.

use esgd_core::{Operation, rng::Key};
use esgd_ops::{Tensors, TensorsMut, norm};

use crate::{
    Result,
    genome::{Genome, contiguous, variable},
};

pub(super) fn of(
    operation: &Operation,
    sources: &[&Genome],
    statistics: &[bool],
    key: Key,
) -> Result<Genome> {
    let first = sources[0];
    let mut values: Vec<Vec<f32>> =
        first.parameters().iter().map(|p| vec![0.0; p.tensor().elem_count()]).collect();
    let mut out: TensorsMut<'_> = values.iter_mut().map(Vec::as_mut_slice).collect();
    with_all(sources, |tables| esgd_ops::build(operation, tables, statistics, key, &mut out))??;
    let mut values = values.into_iter();
    first.with_tensors(|p| variable(values.next().unwrap_or_default(), p.tensor().shape()))
}

/// The squared norm of each tensor.
pub(super) fn squared_norms(theta: &Genome) -> Result<Vec<f64>> {
    theta.parameters().iter().map(|p| p.read(norm::squared_norm)).collect()
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
