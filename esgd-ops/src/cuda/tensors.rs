//! Tensors on the device: an address and a length, borrowed from what owns the memory.

use cudarc::driver::{DevicePtr, DevicePtrMut, SyncOnDrop, result};

use super::{
    Error, Kernels,
    error::failed_to,
    tables::{Invalid, expect},
};

/// The GPU and the stream that a tensor was made for; `None` where the caller vouches for it.
type StreamId = (usize, usize);

/// A tensor on the device, to be read.
#[derive(Debug)]
pub struct Tensor<'a> {
    address: u64,
    length: usize,
    on: Option<StreamId>,
    /// Tells other streams, when dropped, that the work put on this one reads the tensor.
    _reads: Option<SyncOnDrop<'a>>,
}

/// A tensor on the device, to be written.
#[derive(Debug)]
pub struct TensorMut<'a> {
    address: u64,
    length: usize,
    on: Option<StreamId>,
    /// Tells other streams, when dropped, that the work put on this one writes the tensor.
    _writes: Option<SyncOnDrop<'a>>,
}

impl Kernels {
    /// A slice or a view of one as a tensor to read. Work put on the slice's own stream before is
    /// waited for.
    ///
    /// # Errors
    /// If it is on another GPU.
    pub fn read<'a>(&'a self, slice: &'a impl DevicePtr<f32>) -> Result<Tensor<'a>, Error> {
        self.check_device(slice.stream().context().ordinal())?;
        let length = slice.len();
        let (address, guard) = slice.device_ptr(&self.stream);
        Ok(Tensor { address, length, on: Some(self.stream_id()), _reads: Some(guard) })
    }

    /// A slice or a view of one as a tensor to write.
    ///
    /// # Errors
    /// If it is on another GPU.
    pub fn write<'a>(
        &'a self,
        slice: &'a mut impl DevicePtrMut<f32>,
    ) -> Result<TensorMut<'a>, Error> {
        self.check_device(slice.stream().context().ordinal())?;
        let length = slice.len();
        let (address, guard) = slice.device_ptr_mut(&self.stream);
        Ok(TensorMut { address, length, on: Some(self.stream_id()), _writes: Some(guard) })
    }

    /// Copies a tensor to another of its length.
    pub(super) fn copy(&self, from: &Tensor<'_>, to: &mut TensorMut<'_>) -> Result<(), Error> {
        let bytes = self.bytes(from.length, to)?;
        let [from] = self.addresses(std::slice::from_ref(from))?[..] else { return Ok(()) };
        // SAFETY: Both tensors are on this GPU for the length of their borrows, of so many bytes each.
        let copied =
            unsafe { result::memcpy_dtod_async(to.address, from, bytes, self.stream.cu_stream()) };
        copied.map_err(failed_to("copy a tensor"))
    }

    /// Writes `values` to a tensor of their number. Waits for the GPU.
    pub(super) fn set(&self, values: &[f32], to: &mut TensorMut<'_>) -> Result<(), Error> {
        self.bytes(values.len(), to)?;
        // SAFETY: The tensor is on this GPU, of the values' length; they live until the stream has copied them.
        let copied =
            unsafe { result::memcpy_htod_async(to.address, values, self.stream.cu_stream()) };
        copied.map_err(failed_to("take values"))?;
        self.wait()
    }

    /// The bytes of a tensor of this stream that has `length` values.
    fn bytes(&self, length: usize, to: &TensorMut<'_>) -> Result<usize, Error> {
        check("a tensor", std::slice::from_ref(to), &[length])?;
        self.addresses(std::slice::from_ref(to))?;
        self.stream.context().bind_to_thread().map_err(failed_to("be used by this thread"))?;
        Ok(length * size_of::<f32>())
    }

    fn stream_id(&self) -> StreamId {
        (self.stream.context().ordinal(), self.stream.cu_stream() as usize)
    }

    /// Where the tensors of a network are.
    pub(super) fn addresses(&self, network: &[impl Place]) -> Result<Vec<u64>, Error> {
        let here = self.stream_id();
        let of = |tensor: &_| match Place::on(tensor) {
            Some(other) if other != here => Err(Error::OtherStream),
            _ => Ok(Place::address(tensor)),
        };
        network.iter().map(of).collect()
    }

    fn check_device(&self, found: usize) -> Result<(), Error> {
        let expected = self.stream.context().ordinal();
        if found == expected { Ok(()) } else { Err(Error::OtherDevice { found, expected }) }
    }
}

impl Tensor<'_> {
    /// `length` numbers at an address of the GPU that the kernels run on.
    ///
    /// # Safety
    /// They must be there until the kernels' stream has done what is put on it with this tensor,
    /// and nothing may write them meanwhile. The address must be a multiple of 4.
    #[must_use]
    pub unsafe fn from_address(address: u64, length: usize) -> Self {
        Self { address, length, on: None, _reads: None }
    }
}

impl TensorMut<'_> {
    /// `length` numbers at an address of the GPU that the kernels run on.
    ///
    /// # Safety
    /// They must be there until the kernels' stream has done what is put on it with this tensor,
    /// and nothing else may read or write them meanwhile. The address must be a multiple of 4.
    #[must_use]
    pub unsafe fn from_address(address: u64, length: usize) -> Self {
        Self { address, length, on: None, _writes: None }
    }
}

impl TensorMut<'_> {
    /// The tensor, to be read.
    pub(super) fn view(&self) -> Tensor<'_> {
        Tensor { address: self.address, length: self.length, on: self.on, _reads: None }
    }
}

/// A tensor of either kind.
pub(super) trait Place {
    fn address(&self) -> u64;
    fn length(&self) -> usize;
    fn on(&self) -> Option<StreamId>;
}

impl Place for Tensor<'_> {
    fn address(&self) -> u64 {
        self.address
    }
    fn length(&self) -> usize {
        self.length
    }
    fn on(&self) -> Option<StreamId> {
        self.on
    }
}

impl Place for TensorMut<'_> {
    fn address(&self) -> u64 {
        self.address
    }
    fn length(&self) -> usize {
        self.length
    }
    fn on(&self) -> Option<StreamId> {
        self.on
    }
}

/// The lengths of a network's tensors.
pub(super) fn lengths(network: &[impl Place]) -> Vec<usize> {
    network.iter().map(Place::length).collect()
}

/// That the network named `what` has tensors of `lengths`.
pub(super) fn check(what: &str, network: &[impl Place], lengths: &[usize]) -> Result<(), Invalid> {
    let (found, expected) = (network.len(), lengths.len());
    expect(found == expected, || format!("{what} has {found} tensors, expected {expected}"))?;
    for (t, (tensor, expected)) in network.iter().zip(lengths).enumerate() {
        let found = tensor.length();
        let sentence = || format!("tensor {t} of {what} has {found} values, expected {expected}");
        expect(found == *expected, sentence)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_that_differ_are_a_sentence() {
        // SAFETY: Nothing reads the tensors.
        let network = unsafe { [Tensor::from_address(0, 3), Tensor::from_address(0, 4)] };
        assert!(check("a parent", &network, &[3, 4]).is_ok());
        let error = |lengths: &[usize]| check("a parent", &network, lengths).unwrap_err().0;
        assert_eq!(error(&[3]), "a parent has 2 tensors, expected 1");
        assert_eq!(error(&[3, 5]), "tensor 1 of a parent has 4 values, expected 5");
    }
}
