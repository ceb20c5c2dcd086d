//! Networks built on a GPU: the sources stay there, and what is made of them is there.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{
    CudaDevice, CudaStorage, Layout, Storage, Tensor, Var,
    cuda_backend::{DeviceId, cudarc::driver::CudaView},
    op::BackpropOp,
};
use esgd_core::{Operation, rng::Key};
use esgd_ops::cuda::{self, Kernels};

use crate::{Error, Result, genome::Genome};

pub(super) fn of(
    device: &CudaDevice,
    operation: &Operation,
    sources: &[&Genome],
    statistics: &[bool],
    key: Key,
) -> Result<Genome> {
    let kernels = kernels_of(device)?;
    let first = sources[0];
    let mut buffers = vec![];
    for parameter in first.parameters() {
        buffers.push(device.alloc_zeros::<f32>(parameter.tensor().elem_count())?);
    }
    with_all(&kernels, sources, |tables| {
        let out = buffers.iter_mut().map(|buffer| kernels.write(buffer));
        let mut out = out.collect::<std::result::Result<Vec<_>, _>>()?;
        kernels.build(operation, tables, statistics, key, &mut out)
    })??;
    // The thread that trains the network may have another stream, and sources may end with this call.
    kernels.wait()?;
    let mut buffers = buffers.into_iter();
    first.with_tensors(|p| {
        let Some(buffer) = buffers.next() else {
            return Err(Error::Weights("a network has too few tensors".into()));
        };
        let storage = Storage::Cuda(CudaStorage::wrap_cuda_slice(buffer, device.clone()));
        let shape = p.tensor().shape().clone();
        let tensor = Tensor::from_storage(storage, shape, BackpropOp::none(), true);
        Ok(Var::from_tensor(&tensor)?)
    })
}

/// The squared norm of each tensor.
pub(super) fn squared_norms(device: &CudaDevice, theta: &Genome) -> Result<Vec<f64>> {
    let kernels = kernels_of(device)?;
    Ok(with_all(&kernels, &[theta], |tables| kernels.squared_norms(&tables[0]))??)
}

/// Runs `f` on the tensors of several genomes, in place.
fn with_all<R>(
    kernels: &Kernels,
    genomes: &[&Genome],
    f: impl FnOnce(&[Vec<cuda::Tensor<'_>>]) -> R,
) -> Result<R> {
    let mut locks = vec![];
    for genome in genomes {
        let tensors = genome.parameters().iter();
        locks.push(tensors.map(|p| p.tensor().storage_and_layout()).collect::<Vec<_>>());
    }
    let mut views = vec![];
    for tensors in &locks {
        let values = tensors.iter().map(|(storage, layout)| contiguous(storage, layout));
        views.push(values.collect::<Result<Vec<_>>>()?);
    }
    let mut tables = vec![];
    for tensors in &views {
        let tensors = tensors.iter().map(|view| kernels.read(view));
        tables.push(tensors.collect::<std::result::Result<Vec<_>, _>>()?);
    }
    Ok(f(&tables))
}

/// The kernels for a device, compiled when it is first seen.
fn kernels_of(device: &CudaDevice) -> Result<Arc<Kernels>> {
    static KNOWN: Mutex<Vec<(DeviceId, Arc<Kernels>)>> = Mutex::new(vec![]);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, kernels)) = known.iter().find(|(id, _)| *id == device.id()) {
        return Ok(kernels.clone());
    }
    let kernels = Arc::new(Kernels::new(device.cuda_stream())?);
    known.push((device.id(), kernels.clone()));
    Ok(kernels)
}

/// The values behind a contiguous f32 tensor on a GPU.
fn contiguous<'a>(storage: &'a Storage, layout: &Layout) -> Result<CudaView<'a, f32>> {
    match (storage, layout.contiguous_offsets()) {
        (Storage::Cuda(cuda), Some((start, end))) => {
            Ok(cuda.as_cuda_slice::<f32>()?.slice(start..end))
        }
        _ => Err(Error::Weights("a tensor is not contiguous on the GPU".into())),
    }
}
