//! A tensor of more than 2³² numbers, in samples: indices that do not fit in 32 bits.

use esgd_core::rng::{Key, Purpose};
use esgd_ops::{
    cuda::Kernels,
    recombine::{self, Blend, Offspring},
};

use super::{
    compared::{Comparison, compared},
    network::OnDevice,
};
use crate::Result;

const LENGTH: usize = (1 << 32) + (1 << 20) + 5;

/// Numbers of a sample.
const SAMPLE: usize = 1 << 20;

/// Makes an offspring of one parent of zeros, which is noise alone, and compares samples of it. Says
/// so if the device has no room for the two.
pub(super) fn compare(kernels: &Kernels) -> Result<Comparison> {
    let both = (OnDevice::zeros(kernels, &[LENGTH]), OnDevice::zeros(kernels, &[LENGTH]));
    let (parent, mut child) = match both {
        (Ok(parent), Ok(child)) => (parent, child),
        (Err(error), _) | (_, Err(error)) => {
            println!(
                "NOT COMPARED: two tensors of {LENGTH} numbers, as there is no room ({error})."
            );
            return Ok(compared("nothing", &[], &[]));
        }
    };
    let key = Key::new(2018, Purpose::Mutation).individual(7);
    let plan = Offspring { parents: &[0], blend: Blend::Mean, sigma: &[0.5], key };
    kernels.offspring(&[parent.read(kernels)?], &[plan], &mut [child.write(kernels)?])?;
    let (mut cpu, mut gpu) = (vec![], vec![]);
    for start in [0, (1 << 31) - SAMPLE / 2, (1 << 32) - SAMPLE / 2, LENGTH - SAMPLE] {
        let mut expected = vec![0.0; SAMPLE];
        let zeros = vec![0.0; SAMPLE];
        recombine::tensor(&[&zeros], Blend::Mean, 0.5, key, start as u64, &mut expected);
        let sample = child.tensors()[0].slice(start..start + SAMPLE);
        cpu.push(expected);
        gpu.push(kernels.stream().clone_dtoh(&sample)?);
    }
    Ok(compared(&format!("samples of a tensor of {LENGTH} numbers"), &cpu, &gpu))
}
