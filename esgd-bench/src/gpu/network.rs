//! A network on the device, and the same one on the host.

use cudarc::driver::CudaSlice;
use esgd_ops::cuda::{Kernels, Tensor, TensorMut};

use crate::Result;

/// The tensors of one network on the device.
pub(super) struct OnDevice(Vec<CudaSlice<f32>>);

impl OnDevice {
    pub(super) fn from_host(kernels: &Kernels, network: &[Vec<f32>]) -> Result<Self> {
        let copy = |tensor: &Vec<f32>| kernels.stream().clone_htod(tensor);
        Ok(Self(network.iter().map(copy).collect::<std::result::Result<_, _>>()?))
    }

    pub(super) fn zeros(kernels: &Kernels, lengths: &[usize]) -> Result<Self> {
        let zeros = |length: &usize| kernels.stream().alloc_zeros(*length);
        Ok(Self(lengths.iter().map(zeros).collect::<std::result::Result<_, _>>()?))
    }

    pub(super) fn read<'a>(&'a self, kernels: &'a Kernels) -> Result<Vec<Tensor<'a>>> {
        Ok(self.0.iter().map(|t| kernels.read(t)).collect::<std::result::Result<_, _>>()?)
    }

    pub(super) fn write<'a>(&'a mut self, kernels: &'a Kernels) -> Result<Vec<TensorMut<'a>>> {
        Ok(self.0.iter_mut().map(|t| kernels.write(t)).collect::<std::result::Result<_, _>>()?)
    }

    pub(super) fn to_host(&self, kernels: &Kernels) -> Result<Vec<Vec<f32>>> {
        let copy = |tensor: &CudaSlice<f32>| kernels.stream().clone_dtoh(tensor);
        Ok(self.0.iter().map(copy).collect::<std::result::Result<_, _>>()?)
    }

    pub(super) fn tensors(&self) -> &[CudaSlice<f32>] {
        &self.0
    }

    pub(super) fn tensors_mut(&mut self) -> &mut [CudaSlice<f32>] {
        &mut self.0
    }
}

/// Value `i` of network `j`: no zeros, nothing denormal.
pub(super) fn value(i: usize, j: usize) -> f32 {
    ((i * 7919 + j * 10477) % 1009) as f32 / 1000.0 - 0.5031
}

/// Network `j` on the host.
pub(super) fn host(lengths: &[usize], j: usize) -> Vec<Vec<f32>> {
    lengths.iter().map(|&n| (0..n).map(|i| value(i, j)).collect()).collect()
}
