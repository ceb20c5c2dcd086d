//! Whether CUDA's libraries are there: a call into a missing one would panic.
//!
//! cudarc answers that only where it loads them at run time. In a build that links them, a program
//! does not start without them, and cudarc has no such function. Which build this is only cudarc
//! knows, so the question is asked through a glob: its function hides the one of the same name here.

/// What holds where cudarc has no answer: the libraries are linked.
///
/// # Safety
/// None is needed; cudarc's twin is unsafe.
#[allow(dead_code)]
unsafe fn is_culib_present() -> bool {
    true
}

/// Whether libcuda can be loaded.
pub(super) fn has_driver() -> bool {
    #[allow(unused_imports)]
    use cudarc::driver::sys::*;
    // SAFETY: It tries to load the system's own library, which has no other effect.
    unsafe { is_culib_present() }
}

/// Whether libnvrtc can be loaded.
pub(super) fn has_compiler() -> bool {
    #[allow(unused_imports)]
    use cudarc::nvrtc::sys::*;
    // SAFETY: As above.
    unsafe { is_culib_present() }
}
