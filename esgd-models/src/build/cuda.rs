//! Offspring on a GPU: parents stay there, and offspring are born there.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{
    CudaDevice, CudaStorage, Layout, Storage, Tensor, Var,
    cuda_backend::{DeviceId, cudarc::driver::CudaView},
    op::BackpropOp,
};
use esgd_core::{Mutation, Scale, rng::Key};
use esgd_ops::{
    cuda::Kernels,
    recombine::{Blend, Offspring},
};

use super::sigmas;
use crate::{Error, Result, genome::Genome};

pub(super) fn of(
    device: &CudaDevice,
    parents: &[&Genome],
    mutation: Mutation,
    key: Key,
) -> Result<Genome> {
    let kernels = kernels_of(device)?;
    let first = parents[0];
    let mut buffers = vec![];
    for parameter in first.parameters() {
        buffers.push(device.alloc_zeros::<f32>(parameter.tensor().elem_count())?);
    }

    let mut locks = vec![];
    for genome in parents {
        let tensors = genome.parameters().iter();
        locks.push(tensors.map(|p| p.tensor().storage_and_layout()).collect::<Vec<_>>());
    }
    let mut views = vec![];
    for tensors in &locks {
        let values = tensors.iter().map(|(storage, layout)| contiguous(storage, layout));
        views.push(values.collect::<Result<Vec<_>>>()?);
    }
    let mut population = vec![];
    for tensors in &views {
        let tensors = tensors.iter().map(|view| kernels.read(view));
        population.push(tensors.collect::<std::result::Result<Vec<_>, _>>()?);
    }

    let everyone: Vec<usize> = (0..parents.len()).collect();
    let blended = match mutation.scale {
        Scale::Absolute => sigmas(first, |_| mutation.sigma),
        Scale::Relative => sigmas(first, |_| 0.0),
    };
    let plan = Offspring { parents: &everyone, blend: Blend::Mean, sigma: &blended, key };
    let child = buffers.iter_mut().map(|buffer| kernels.write(buffer));
    let child = child.collect::<std::result::Result<Vec<_>, _>>()?;
    kernels.offspring(&population, &[plan], &mut [child])?;
    if mutation.scale == Scale::Relative {
        let child = buffers.iter().map(|buffer| kernels.read(buffer));
        let rms = kernels.rms(&child.collect::<std::result::Result<Vec<_>, _>>()?)?;
        let sigma = sigmas(first, |t| mutation.sigma * rms[t]);
        let child = buffers.iter_mut().map(|buffer| kernels.write(buffer));
        kernels.mutate(&mut child.collect::<std::result::Result<Vec<_>, _>>()?, &sigma, key)?;
    }
    // The thread that trains the offspring may have another stream, and parents may end with this call.
    kernels.wait()?;
    let mut buffers = buffers.into_iter();
    first.with_tensors(|p| {
        let Some(buffer) = buffers.next() else {
            return Err(Error::Weights("an offspring has too few tensors".into()));
        };
        let storage = Storage::Cuda(CudaStorage::wrap_cuda_slice(buffer, device.clone()));
        let shape = p.tensor().shape().clone();
        let tensor = Tensor::from_storage(storage, shape, BackpropOp::none(), true);
        Ok(Var::from_tensor(&tensor)?)
    })
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
