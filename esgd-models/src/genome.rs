//! θ on candle: named tensors, of which some are weights and some are statistics.

use std::collections::HashMap;

use candle_core::{CpuStorage, DType, Device, Layout, Shape, Storage, Tensor, Var, op::BackpropOp};
use candle_nn::VarBuilder;
use safetensors::{SafeTensors, tensor::TensorView};

use crate::{Error, Result};

/// What a tensor of a network is to evolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Recombined and mutated.
    Weight,
    /// Such as BatchNorm's running mean and variance: recombined by the mean, never mutated.
    /// Noise would make variances negative.
    Statistic,
}

/// One tensor of a network.
#[derive(Debug)]
pub struct Parameter {
    /// Its name, as PyTorch users know it: `fc1.weight`.
    pub name: String,
    /// Weight or statistic.
    pub role: Role,
    /// Its values, f32 and contiguous. Cloning a [`Var`] shares them.
    pub(crate) var: Var,
}

impl Parameter {
    /// The values as a tensor that shares their memory.
    #[must_use]
    pub fn tensor(&self) -> &Tensor {
        self.var.as_tensor()
    }

    /// Runs `f` on the values, which must be on the CPU.
    pub(crate) fn read<R>(&self, f: impl FnOnce(&[f32]) -> R) -> Result<R> {
        with_values(self.tensor(), f)
    }

    /// Sets the values.
    pub(crate) fn write(&self, values: &[f32]) -> Result<()> {
        Ok(self.var.set(&Tensor::from_slice(values, self.var.shape(), self.var.device())?)?)
    }
}

/// θ: the tensors of one network, in order of their names.
///
/// There is no `Clone`, because candle's would share the values; [`Genome::fork`] copies them.
#[derive(Debug)]
pub struct Genome {
    parameters: Vec<Parameter>,
}

impl Genome {
    /// A genome of these tensors, which must be f32 and on one device.
    pub(crate) fn new(mut parameters: Vec<Parameter>) -> Result<Self> {
        // candle's VarMap lists variables in an order that changes from process to process.
        parameters.sort_by(|a, b| a.name.cmp(&b.name));
        let mut devices = parameters.iter().map(|p| p.var.device().location());
        let first = devices.next();
        if let Some(other) = devices.find(|device| Some(*device) != first) {
            return Err(Error::Weights(format!(
                "a network has tensors on {first:?} and on {other:?}: expected one device"
            )));
        }
        for parameter in &parameters {
            let dtype = parameter.var.dtype();
            if dtype != DType::F32 {
                return Err(Error::Weights(format!(
                    "`{}` is {dtype:?}: expected f32",
                    parameter.name
                )));
            }
        }
        Ok(Self { parameters })
    }

    /// The tensors, in order of their names.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The number of values of all tensors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parameters.iter().map(|p| p.var.elem_count()).sum()
    }

    /// Whether there are no values at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether some of its tensors are statistics, such as BatchNorm's.
    #[must_use]
    pub fn has_statistics(&self) -> bool {
        self.parameters().iter().any(|one| one.role == Role::Statistic)
    }

    /// Where the tensors are: on the CPU, or on a GPU in a build with the feature `cuda`.
    #[must_use]
    pub fn device(&self) -> Device {
        self.parameters.first().map_or(Device::Cpu, |p| p.var.device().clone())
    }

    /// A deep copy on `device`, which may be the one it is on.
    ///
    /// # Errors
    /// If candle cannot copy.
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        if device.same_device(&self.device()) {
            return self.fork();
        }
        self.with_tensors(|p| Ok(Var::from_tensor(&p.tensor().to_device(device)?)?))
    }

    /// A `VarBuilder` over these tensors. A model made from it computes with this genome's own
    /// memory: training the model trains the genome.
    #[must_use]
    pub fn var_builder(&self) -> VarBuilder<'static> {
        let tensors: HashMap<_, _> =
            self.parameters.iter().map(|p| (p.name.clone(), p.tensor().clone())).collect();
        VarBuilder::from_tensors(tensors, DType::F32, &self.device())
    }

    /// A `VarBuilder` over these values for evaluation: no graph is built, and a model that
    /// updates statistics updates copies.
    #[must_use]
    pub fn frozen_builder(&self) -> VarBuilder<'static> {
        let tensors: HashMap<_, _> =
            self.parameters.iter().map(|p| (p.name.clone(), p.tensor().detach())).collect();
        VarBuilder::from_tensors(tensors, DType::F32, &self.device())
    }

    /// A deep copy.
    ///
    /// # Errors
    /// If candle cannot copy.
    pub fn fork(&self) -> Result<Self> {
        self.with_tensors(|p| match p.var.device() {
            Device::Cpu => variable(values(p.tensor())?, p.var.shape()),
            _ => Ok(Var::from_tensor(&p.tensor().copy()?)?),
        })
    }

    /// A genome with the names and roles of this one, and tensors that `make` makes in order.
    pub(crate) fn with_tensors(
        &self,
        mut make: impl FnMut(&Parameter) -> Result<Var>,
    ) -> Result<Self> {
        let parameter =
            |p: &Parameter| Ok(Parameter { name: p.name.clone(), role: p.role, var: make(p)? });
        Self::new(self.parameters.iter().map(parameter).collect::<Result<_>>()?)
    }

    /// All values, one tensor after another.
    ///
    /// # Errors
    /// If candle cannot read them.
    pub fn values(&self) -> Result<Vec<f32>> {
        self.parameters
            .iter()
            .map(|p| values(p.tensor()))
            .collect::<Result<Vec<_>>>()
            .map(|v| v.concat())
    }

    /// Checks that all values are finite.
    ///
    /// # Errors
    /// The first tensor that has another, by name; what candle says.
    pub fn check_finite(&self) -> Result<()> {
        for parameter in &self.parameters {
            let values = values(parameter.tensor())?;
            if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                return Err(Error::Weights(format!(
                    "`{}` has {} as value {at}: expected finite numbers",
                    parameter.name, values[at]
                )));
            }
        }
        Ok(())
    }

    /// The genome as a safetensors file.
    ///
    /// # Errors
    /// If candle cannot read the values.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        let bytes = |p: &Parameter| -> Result<Vec<u8>> {
            Ok(values(p.tensor())?.iter().flat_map(|v| v.to_le_bytes()).collect())
        };
        let contents = self.parameters.iter().map(bytes).collect::<Result<Vec<_>>>()?;
        let views = self.parameters.iter().zip(&contents).map(|(p, bytes)| {
            let shape = p.var.dims().to_vec();
            Ok((&p.name, TensorView::new(safetensors::Dtype::F32, shape, bytes)?))
        });
        let views = views.collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>();
        views
            .and_then(|views| safetensors::serialize(views, None))
            .map_err(|e| Error::Weights(e.to_string()))
    }

    /// A genome with the names and shapes of this one and the values of a safetensors file of this crate,
    /// as they are, NaN too. Files of others are for [`import`](Self::import).
    ///
    /// # Errors
    /// If the file is malformed, lacks a tensor, has one too many or one of another shape or type.
    pub fn with_safetensors(&self, bytes: &[u8]) -> Result<Self> {
        let file = SafeTensors::deserialize(bytes)
            .map_err(|e| Error::Weights(format!("this is not a safetensors file ({e})")))?;
        let unknown = |name: &&str| !self.has(name) && !counts_batches(name);
        // The first by name: the file's own order may be any.
        if let Some(name) = file.names().into_iter().filter(unknown).min() {
            return Err(Error::Weights(format!("the network has no tensor `{name}`")));
        }
        let read = |p: &Parameter| {
            let found = file
                .tensor(&p.name)
                .map_err(|_| Error::Weights(format!("the file has no tensor `{}`", p.name)))?;
            if found.shape() != p.var.dims() || found.dtype() != safetensors::Dtype::F32 {
                return Err(Error::Weights(format!(
                    "`{}` is {:?} of shape {:?} in the file: expected F32 of shape {:?}",
                    p.name,
                    found.dtype(),
                    found.shape(),
                    p.var.dims()
                )));
            }
            let values =
                found.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
            variable(values, p.var.shape())
        };
        let read = self.with_tensors(read)?;
        if self.device().is_cpu() { Ok(read) } else { read.to_device(&self.device()) }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.parameters.binary_search_by(|p| p.name.as_str().cmp(name)).is_ok()
    }
}

/// Whether a tensor is where PyTorch's BatchNorm counts its batches; nothing depends on that.
pub(crate) fn counts_batches(name: &str) -> bool {
    name.ends_with("num_batches_tracked")
}

/// A variable of these values, which are not copied.
pub(crate) fn variable(values: Vec<f32>, shape: &Shape) -> Result<Var> {
    let storage = Storage::Cpu(CpuStorage::F32(values));
    // `Var::from_tensor` would copy; a tensor that is a variable already becomes one as it is.
    let tensor = Tensor::from_storage(storage, shape.clone(), BackpropOp::none(), true);
    Ok(Var::from_tensor(&tensor)?)
}

/// Runs `f` on the values of a contiguous f32 tensor on the CPU, in place.
pub(crate) fn with_values<R>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> R) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    contiguous(&storage, layout).map(f)
}

/// The values behind a contiguous f32 tensor on the CPU.
pub(crate) fn contiguous<'a>(storage: &'a Storage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (Storage::Cpu(cpu), Some((start, end))) => Ok(&cpu.as_slice::<f32>()?[start..end]),
        _ => Err(Error::Weights("a tensor is not contiguous on the CPU".into())),
    }
}

pub(crate) fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    match tensor.device() {
        Device::Cpu => with_values(tensor, <[f32]>::to_vec),
        _ => Ok(tensor.flatten_all()?.to_vec1()?),
    }
}

#[cfg(test)]
mod tests {
    use esgd_core::laws::corrupted;
    use proptest::prelude::*;

    use super::*;

    fn genome() -> Genome {
        let parameter = |name: &str, values: Vec<f32>| Parameter {
            name: name.into(),
            role: Role::Weight,
            var: variable(values.clone(), &Shape::from(values.len())).unwrap(),
        };
        Genome::new(vec![parameter("b", vec![3.0]), parameter("a", vec![1.0, 2.0])]).unwrap()
    }

    #[test]
    fn a_fork_shares_nothing_and_a_builder_shares_all() {
        let theta = genome();
        let fork = theta.fork().unwrap();
        let a = theta.var_builder().get(2, "a").unwrap();
        assert!(a.is_variable(), "gradients would not reach it");
        theta.parameters[0].var.set(&Tensor::new(&[7f32, 8.0], &Device::Cpu).unwrap()).unwrap();
        assert_eq!(a.to_vec1::<f32>().unwrap(), [7.0, 8.0]);
        assert_eq!(theta.values().unwrap(), [7.0, 8.0, 3.0]);
        assert_eq!(fork.values().unwrap(), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn survives_a_safetensors_file() {
        let theta = genome();
        let back = theta.with_safetensors(&theta.to_safetensors().unwrap()).unwrap();
        assert_eq!(back.values().unwrap(), theta.values().unwrap());
        assert_eq!(back.parameters[0].name, "a");
    }

    #[test]
    fn weights_that_do_not_fit_are_refused_in_one_sentence() {
        let theta = genome();
        let other = Genome::new(vec![Parameter {
            name: "a".into(),
            role: Role::Weight,
            var: variable(vec![1.0], &Shape::from(1)).unwrap(),
        }])
        .unwrap();
        let file = other.to_safetensors().unwrap();
        for (bytes, expected) in [
            (&b"nonsense"[..], "not a safetensors file"),
            (&file[..file.len() - 1], "not a safetensors file"),
            (&file[..], "`a` is F32 of shape [1] in the file: expected F32 of shape [2]"),
        ] {
            let message = theta.with_safetensors(bytes).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        let extra = theta.to_safetensors().unwrap();
        assert!(other.with_safetensors(&extra).unwrap_err().to_string().contains("no tensor `b`"));
    }

    proptest! {
        #[test]
        fn no_damage_makes_it_panic(bytes in corrupted(&genome().to_safetensors().unwrap())) {
            if let Ok(theta) = genome().with_safetensors(&bytes) {
                prop_assert_eq!(theta.len(), 3);
            }
        }
    }
}
