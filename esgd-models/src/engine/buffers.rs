//! Memory for gradients of activations, used again and again.

/// Buffers of one length. What is in them is left over from their last use.
#[derive(Debug)]
pub(super) struct Buffers {
    free: Vec<Vec<f32>>,
    length: usize,
}

impl Buffers {
    pub(super) fn new(length: usize) -> Self {
        Self { free: vec![], length }
    }

    /// A buffer; a new one if all are in use.
    pub(super) fn take(&mut self) -> Vec<f32> {
        self.free.pop().unwrap_or_else(|| vec![0.0; self.length])
    }

    /// How many values all buffers take, if none is in use.
    #[cfg(test)]
    pub(super) fn values(&self) -> usize {
        self.free.len() * self.length
    }

    /// Takes a buffer back.
    pub(super) fn give(&mut self, buffer: Vec<f32>) {
        debug_assert_eq!(buffer.len(), self.length);
        self.free.push(buffer);
    }
}
