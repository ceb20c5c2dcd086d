//! The kernels of one GPU, compiled for it when the program starts to use it.

use std::sync::{Arc, Mutex};

use cudarc::{
    driver::{CudaContext, CudaFunction, CudaStream, sys::CUdevice_attribute_enum},
    nvrtc::{CompileOptions, Ptx, compile_ptx_with_opts},
};

use super::{
    Error,
    error::{compilation, failed_to},
    launch::DeviceLayout,
    presence::{has_compiler, has_driver},
    source::{NAMES, source},
};

/// The kernels, ready to run on one stream of a GPU.
///
/// Where that is the stream that each thread has for itself (candle's devices use it), work of one
/// thread is not in order with that of another: wait for the stream before another thread uses what
/// came of it.
#[derive(Debug)]
pub struct Kernels {
    pub(super) stream: Arc<CudaStream>,
    /// In the order of `NAMES`.
    functions: Vec<CudaFunction>,
    pub(super) multiprocessors: usize,
    /// The tables of the shapes seen last.
    pub(super) layouts: Mutex<Vec<Arc<DeviceLayout>>>,
}

impl Kernels {
    /// The kernels on the default stream of GPU `ordinal`.
    ///
    /// # Errors
    /// If CUDA's driver or its compiler NVRTC is missing, there is no such GPU, or the kernels do not
    /// compile for it.
    pub fn on_device(ordinal: usize) -> Result<Self, Error> {
        if !has_driver() {
            return Err(Error::NoDriver);
        }
        let context =
            CudaContext::new(ordinal).map_err(|cause| Error::NoDevice { ordinal, cause })?;
        Self::new(context.default_stream())
    }

    /// The kernels on a stream, such as that of a framework's device.
    ///
    /// # Errors
    /// If CUDA's compiler NVRTC is missing, the kernels do not compile for the stream's GPU, or it
    /// rounds square roots so that its numbers would not be the CPU's.
    pub fn new(stream: Arc<CudaStream>) -> Result<Self, Error> {
        if !has_compiler() {
            return Err(Error::NoCompiler);
        }
        let context = stream.context();
        let capability = context.compute_capability().map_err(failed_to("say what it is"))?;
        let ptx = compile(capability)?;
        let module = context.load_module(ptx).map_err(|cause| Error::Load { capability, cause })?;
        let load = |name: &&str| module.load_function(name).map_err(failed_to("load a kernel"));
        let functions = NAMES.iter().map(load).collect::<Result<_, _>>()?;
        let multiprocessors = context
            .attribute(CUdevice_attribute_enum::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)
            .map_err(failed_to("say how large it is"))?;
        let multiprocessors = usize::try_from(multiprocessors).unwrap_or(1);
        let kernels = Self { stream, functions, multiprocessors, layouts: Mutex::new(vec![]) };
        match kernels.wrong_square_roots()? {
            0 => Ok(kernels),
            wrong => Err(Error::SquareRoots { wrong }),
        }
    }

    /// Waits for all that this thread has put on the stream.
    ///
    /// # Errors
    /// If the GPU fails.
    pub fn wait(&self) -> Result<(), Error> {
        self.stream.synchronize().map_err(failed_to("finish"))
    }

    /// The stream that all work is put on.
    #[must_use]
    pub fn stream(&self) -> &Arc<CudaStream> {
        &self.stream
    }

    /// The kernel of that name.
    pub(super) fn function(&self, name: &'static str) -> Option<&CudaFunction> {
        NAMES.iter().position(|known| *known == name).map(|at| &self.functions[at])
    }
}

/// PTX for a GPU of that compute capability, or for any where NVRTC does not know it.
///
/// No multiplication may be fused with an addition that the source keeps apart: that is what
/// `fmad` says. Division and square root are rounded exactly and no number is flushed to zero,
/// which are the defaults.
fn compile((major, minor): (i32, i32)) -> Result<Ptx, Error> {
    let with = |arch: Option<String>| {
        let options = ["--std=c++17".to_owned()].into_iter().chain(arch).collect();
        let options = CompileOptions { fmad: Some(false), options, ..Default::default() };
        compile_ptx_with_opts(source(), options).map_err(compilation)
    };
    let own = with(Some(format!("--gpu-architecture=compute_{major}{minor}")));
    // A GPU newer than NVRTC runs what is compiled for older ones.
    own.or_else(|error| with(None).map_err(|_| error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_gpu_the_kernels_are_an_error_and_no_panic() {
        if let Err(error) = Kernels::on_device(1 << 20) {
            assert!(error.to_string().contains("expected"), "{error}");
        }
    }

    #[test]
    fn the_kernels_compile() {
        if !has_compiler() {
            return;
        }
        for capability in [(9, 0), (7, 5), (99, 0)] {
            let ptx = compile(capability).unwrap().to_src();
            assert!(NAMES.iter().all(|name| ptx.contains(&format!(".entry {name}("))));
        }
    }
}
