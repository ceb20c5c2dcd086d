//! Putting a kernel on the stream: its tables on the device, its grid, its struct of arguments.

use std::sync::Arc;

use cudarc::driver::{CudaSlice, DevicePtr, DevicePtrMut, DeviceRepr, LaunchConfig, PushKernelArg};

use super::{
    Error, Kernels,
    error::failed_to,
    tables::{
        Child, Choice, Chunk, DiagonalMutation, Fill, Grid, Layout, LayoutPointers, Mutation,
        NoiseSum, Recombination, RoundKeys, Row, SquareRoots, Squares, Start, Sums, Tensor, Tile,
        Trial, ValueByValue, Velocity,
    },
};

/// Shapes whose tables stay on the device.
const KEPT: usize = 8;

macro_rules! on_the_device {
    ($($table:ty),+) => {$(
        // SAFETY: It is plain data, laid out as C lays out the kernels' struct of the same name.
        unsafe impl DeviceRepr for $table {}
    )+};
}

on_the_device!(Child, Choice, Chunk, DiagonalMutation, Fill, Mutation, NoiseSum, Recombination);
on_the_device!(RoundKeys, Row, SquareRoots, Squares, Start, Sums, Tensor, Tile, Trial);
on_the_device!(ValueByValue, Velocity);

/// A table on the device; an empty one is nowhere.
#[derive(Debug)]
pub(super) struct Table<T> {
    memory: Option<CudaSlice<T>>,
    address: u64,
}

impl<T> Table<T> {
    pub(super) fn address(&self) -> u64 {
        self.address
    }
}

/// The tables of a network's shape.
#[derive(Debug)]
pub(super) struct DeviceLayout {
    offset: u64,
    lengths: Vec<usize>,
    tiles: Table<Tile>,
    tensors: Table<Tensor>,
    /// How many tiles there are.
    pub(super) count: usize,
}

impl DeviceLayout {
    pub(super) fn pointers(&self) -> LayoutPointers {
        LayoutPointers { tiles: self.tiles.address(), tensors: self.tensors.address() }
    }
}

impl Kernels {
    /// The tables of a shape, made if they are not there.
    pub(super) fn layout(
        &self,
        offset: u64,
        lengths: &[usize],
    ) -> Result<Arc<DeviceLayout>, Error> {
        // What a panic elsewhere has left is still a list of layouts.
        let mut kept = self.layouts.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let same = |l: &&Arc<DeviceLayout>| l.offset == offset && l.lengths == lengths;
        if let Some(layout) = kept.iter().find(same) {
            return Ok(layout.clone());
        }
        let layout = Layout::new(offset, lengths)?;
        let layout = Arc::new(DeviceLayout {
            offset,
            lengths: lengths.to_vec(),
            tiles: self.upload(&layout.tiles)?,
            tensors: self.upload(&layout.tensors)?,
            count: layout.tiles.len(),
        });
        // Threads may have a stream each: the tables must be there, and no longer in use, for all.
        self.wait()?;
        if kept.len() == KEPT {
            self.stream.context().synchronize().map_err(failed_to("finish"))?;
            kept.remove(0);
        }
        kept.push(layout.clone());
        Ok(layout)
    }

    pub(super) fn upload<T: DeviceRepr>(&self, table: &[T]) -> Result<Table<T>, Error> {
        if table.is_empty() {
            return Ok(Table { memory: None, address: 0 });
        }
        let memory = self.stream.clone_htod(table).map_err(failed_to("take a table"))?;
        // All that uses the table is on the stream that made it, so no other need know.
        let address = memory.device_ptr(&self.stream).0;
        Ok(Table { memory: Some(memory), address })
    }

    /// A table of `count` zeros for a kernel to write.
    pub(super) fn zeros<T: DeviceRepr + cudarc::driver::ValidAsZeroBits>(
        &self,
        count: usize,
    ) -> Result<Table<T>, Error> {
        if count == 0 {
            return Ok(Table { memory: None, address: 0 });
        }
        let mut memory = self.stream.alloc_zeros(count).map_err(failed_to("make a table"))?;
        let address = memory.device_ptr_mut(&self.stream).0;
        Ok(Table { memory: Some(memory), address })
    }

    /// What a table holds, once all before it on the stream is done.
    pub(super) fn download<T: DeviceRepr>(&self, table: &Table<T>) -> Result<Vec<T>, Error> {
        let Some(memory) = &table.memory else { return Ok(vec![]) };
        self.stream.clone_dtoh(memory).map_err(failed_to("give a table back"))
    }

    /// Puts a kernel on the stream; none, if it has no blocks.
    ///
    /// # Safety
    /// `arguments` must be the kernel's struct, and what its addresses name must be there, as large
    /// as the kernel takes it, until this call is over; memory freed on the same stream is.
    pub(super) unsafe fn launch<A: DeviceRepr>(
        &self,
        kernel: &'static str,
        grid: Grid,
        arguments: &A,
    ) -> Result<(), Error> {
        let (x, y, z) = grid.blocks;
        let Some(function) = self.function(kernel).filter(|_| x > 0 && y > 0 && z > 0) else {
            return Ok(());
        };
        let config = LaunchConfig {
            grid_dim: grid.blocks,
            block_dim: (grid.threads, 1, 1),
            shared_mem_bytes: grid.shared,
        };
        let mut launch = self.stream.launch_builder(function);
        launch.arg(arguments);
        // SAFETY: The caller vouches for the arguments.
        unsafe { launch.launch(config) }.map_err(failed_to("start a kernel"))?;
        Ok(())
    }
}
