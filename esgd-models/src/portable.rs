//! Networks and optimizer states as safetensors, so that any task has checkpoints and other processes.

use esgd_core::{
    Portable, Problem,
    rng::{Key, Purpose},
};

use crate::{Genome, OptimizerState, Result, Supervised, Task};

impl<T: Task> Portable for Supervised<T> {
    fn write_genome(&self, theta: &Genome) -> Result<Vec<u8>> {
        theta.to_safetensors()
    }

    fn read_genome(&self, bytes: &[u8]) -> Result<Genome> {
        self.shape()?.with_safetensors(bytes)
    }

    fn write_state(&self, theta: &Genome, state: &OptimizerState) -> Result<Vec<u8>> {
        state.to_safetensors(theta)
    }

    fn read_state(&self, theta: &Genome, bytes: &[u8]) -> Result<OptimizerState> {
        OptimizerState::of_safetensors(theta, bytes)
    }
}

impl<T: Task> Supervised<T> {
    /// A network of the task's shapes, whatever its values.
    ///
    /// # Errors
    /// If the task cannot be built.
    pub fn shape(&self) -> Result<&Genome> {
        if let Some(shape) = self.shape.get() {
            return Ok(shape);
        }
        let shape = self.init(Key::new(0, Purpose::Init))?;
        Ok(self.shape.get_or_init(|| shape))
    }
}
