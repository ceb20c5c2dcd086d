//! What can go wrong with a GPU, each in one sentence.

use cudarc::{driver::DriverError, nvrtc::CompileError};

use super::tables::Invalid;

/// Why a GPU did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no libcuda.
    #[error(
        "the library libcuda is missing, expected NVIDIA's driver 580 or newer; install it or \
         choose the CPU"
    )]
    NoDriver,

    /// There is no libnvrtc.
    #[error(
        "the library libnvrtc is missing, expected that of CUDA 13 to compile the kernels; install \
         it or add its folder to LD_LIBRARY_PATH"
    )]
    NoCompiler,

    /// The driver is there, the device is not.
    #[error("GPU {ordinal} cannot be used ({cause}), expected one that `nvidia-smi` lists")]
    NoDevice {
        /// Which GPU was asked for.
        ordinal: usize,
        /// What the driver says.
        cause: DriverError,
    },

    /// NVRTC refused the kernels.
    #[error("the kernels do not compile with {options}, expected no error: {log}")]
    Compile {
        /// The options that they were compiled with.
        options: String,
        /// What NVRTC says.
        log: String,
    },

    /// The driver does not take the kernels.
    #[error(
        "GPU of compute capability {}.{} does not load the kernels ({cause}), expected 7.5 or newer \
         with NVIDIA's driver 580 or newer; update the driver or choose the CPU", .capability.0, .capability.1
    )]
    Load {
        /// Major and minor number.
        capability: (i32, i32),
        /// What the driver says.
        cause: DriverError,
    },

    /// The GPU's approximate 1/√x is not what the kernels' square root is made for.
    #[error(
        "this GPU rounds {wrong} of the square roots otherwise than the CPU, expected none; choose \
         the CPU, and please report the GPU's name"
    )]
    SquareRoots {
        /// How many of all that noise may need.
        wrong: u32,
    },

    /// A call of the driver failed.
    #[error("the GPU failed to {what} ({cause}), expected no error; free memory or choose the CPU")]
    Driver {
        /// What it was to do.
        what: &'static str,
        /// What the driver says.
        cause: DriverError,
    },

    /// A tensor lies on another GPU than the kernels.
    #[error("a tensor is on GPU {found}, expected GPU {expected}, where the kernels are")]
    OtherDevice {
        /// Where it is.
        found: usize,
        /// Where the kernels are.
        expected: usize,
    },

    /// A tensor was made for other kernels.
    #[error(
        "a tensor was made for another stream than the kernels', expected one that these kernels' \
         own `read` or `write` gave"
    )]
    OtherStream,

    /// An operation that cannot be built of these networks.
    #[error(transparent)]
    Build(#[from] esgd_core::BuildError),

    /// Arguments do not fit together.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

/// For `map_err`: the driver's error with what was to be done.
pub(super) fn failed_to(what: &'static str) -> impl Fn(DriverError) -> Error {
    move |cause| Error::Driver { what, cause }
}

/// NVRTC's error, with its log where it has one.
pub(super) fn compilation(error: CompileError) -> Error {
    match error {
        CompileError::CompileError { options, log, .. } => Error::Compile {
            options: options.join(" "),
            log: log.to_string_lossy().trim().to_owned(),
        },
        other => Error::Compile { options: "NVRTC".into(), log: format!("{other:?}") },
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use cudarc::nvrtc::result::NvrtcError;

    use super::*;

    #[test]
    fn a_failed_compilation_shows_the_log() {
        let error = CompileError::CompileError {
            nvrtc: NvrtcError(cudarc::nvrtc::sys::nvrtcResult::NVRTC_ERROR_COMPILATION),
            options: vec!["--fmad=false".into(), "--std=c++17".into()],
            log: CString::new("line 3: expected a ;\n").unwrap(),
        };
        let sentence = "the kernels do not compile with --fmad=false --std=c++17, expected no error: \
                        line 3: expected a ;";
        assert_eq!(compilation(error).to_string(), sentence);
    }
}
