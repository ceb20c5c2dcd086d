//! Sums of squares on the device: [`crate::norm`] there, for all tensors of a network at once. And
//! whether the GPU's square roots are what the noise takes them for.

use super::{
    Error, Kernels, Tensor,
    launch::Table,
    tables::{
        Chunk, SquareRoots, Squares, Sums, chunks_of_sums, chunks_of_tensors, one_block_each,
    },
    tensors::lengths,
};

impl Kernels {
    /// The sum of the squares of each tensor, as [`norm::squared_norm`](crate::norm::squared_norm)
    /// has it. Waits for the GPU.
    ///
    /// # Errors
    /// If the GPU fails.
    pub fn squared_norms(&self, network: &[Tensor<'_>]) -> Result<Vec<f64>, Error> {
        let mut chunks = chunks_of_tensors(&lengths(network));
        let tensors = self.upload(&self.addresses(network)?)?;
        let (mut sums, table) = self.room_for_sums(&chunks)?;
        let arguments =
            Squares { tensors: tensors.address(), chunks: table.address(), sums: sums.address() };
        // SAFETY: The chunks cut the tensors up, and there is a sum for each; the tables live to the
        // end of this function.
        unsafe { self.launch("squares_of_tiles", one_block_each(chunks.len()), &arguments) }?;
        while let Some(next) = chunks_of_sums(&chunks) {
            let (totals, table) = self.room_for_sums(&next)?;
            let arguments =
                Sums { terms: sums.address(), chunks: table.address(), sums: totals.address() };
            // SAFETY: These chunks cut up the sums before, and there is a sum for each; the tables
            // live to the end of this block.
            unsafe { self.launch("sums_of_tiles", one_block_each(next.len()), &arguments) }?;
            (sums, chunks) = (totals, next);
        }
        self.download(&sums)
    }

    /// The root mean square of each tensor, as [`norm::rms`](crate::norm::rms) has it. Waits for the
    /// GPU.
    ///
    /// # Errors
    /// If the GPU fails.
    pub fn rms(&self, network: &[Tensor<'_>]) -> Result<Vec<f32>, Error> {
        let norms = self.squared_norms(network)?;
        let rms = |(norm, count): (f64, usize)| (norm / count.max(1) as f64).sqrt() as f32;
        Ok(norms.into_iter().zip(lengths(network)).map(rms).collect())
    }

    /// How many of the square roots that noise may need this GPU rounds otherwise than IEEE 754
    /// says: 0 on every one known, tried one by one. Waits for the GPU.
    ///
    /// # Errors
    /// If the GPU fails.
    pub fn wrong_square_roots(&self) -> Result<u32, Error> {
        let wrong = self.zeros::<u32>(1)?;
        let arguments = SquareRoots::all(wrong.address());
        // SAFETY: The kernel writes one count, which lives to the end of this function.
        unsafe { self.launch("wrong_square_roots", one_block_each(4096), &arguments) }?;
        Ok(self.download(&wrong)?.into_iter().sum())
    }

    fn room_for_sums(&self, chunks: &[Chunk]) -> Result<(Table<f64>, Table<Chunk>), Error> {
        Ok((self.zeros(chunks.len())?, self.upload(chunks)?))
    }
}
