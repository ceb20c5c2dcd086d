//! Sums of squares on the device: [`crate::norm`] there, for all tensors of a network at once. And
//! whether the GPU's square roots are what the noise takes them for.

use super::{
    Error, Kernels, Tensor,
    launch::Table,
    tables::{
        Chunk, SquareRoots, Squares, Sums, chunks_of_sums, chunks_of_tensors, one_block_each,
    },
    tensors::{check, lengths},
};
use crate::norm::rms_of;

impl Kernels {
    /// The sum of the squares of each tensor, as [`norm::squared_norm`](crate::norm::squared_norm)
    /// has it. Waits for the GPU.
    ///
    /// # Errors
    /// If the GPU fails.
    pub fn squared_norms(&self, network: &[Tensor<'_>]) -> Result<Vec<f64>, Error> {
        let others = self.upload::<u64>(&[])?;
        self.sums("squares_of_tiles", network, &others)
    }

    /// The squared norm of the difference of each two tensors of `a` and `b`, as
    /// [`norm::squared_distance`](crate::norm::squared_distance) has it. Waits for the GPU.
    ///
    /// # Errors
    /// If networks differ in shape, or the GPU fails.
    pub fn squared_distances(&self, a: &[Tensor<'_>], b: &[Tensor<'_>]) -> Result<Vec<f64>, Error> {
        check("the other network", b, &lengths(a))?;
        let others = self.upload(&self.addresses(b)?)?;
        self.sums("distances_of_tiles", a, &others)
    }

    /// A sum of squares for each tensor, by a kernel that begins with those of tiles.
    fn sums(
        &self,
        kernel: &'static str,
        network: &[Tensor<'_>],
        others: &Table<u64>,
    ) -> Result<Vec<f64>, Error> {
        let mut chunks = chunks_of_tensors(&lengths(network));
        let tensors = self.upload(&self.addresses(network)?)?;
        let (mut sums, table) = self.room_for_sums(&chunks)?;
        let arguments = Squares {
            tensors: tensors.address(),
            others: others.address(),
            chunks: table.address(),
            sums: sums.address(),
        };
        // SAFETY: The chunks cut the tensors up, the others have their lengths where the kernel reads them,
        // and there is a sum for each; the tables live to the end of this function.
        unsafe { self.launch(kernel, one_block_each(chunks.len()), &arguments) }?;
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
        let tensors = norms.into_iter().zip(lengths(network));
        Ok(tensors.map(|(norm, count)| rms_of(norm, count)).collect())
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
