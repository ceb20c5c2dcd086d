//! Loading a library when a test runs.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    path::Path,
};

unsafe extern "C" {
    fn dlopen(path: *const c_char, mode: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlerror() -> *const c_char;
}

const RTLD_NOW: c_int = 2;

/// A library that stays loaded.
#[derive(Clone, Copy)]
pub(crate) struct Library(*mut c_void);

/// Loads the library at `path`, or by its name where the system looks for it.
///
/// # Safety
/// What it does when it is loaded must be harmless.
pub(crate) unsafe fn open(path: &Path) -> Result<Library, String> {
    let path = path.to_str().and_then(|path| CString::new(path).ok()).ok_or("no such path")?;
    // SAFETY: The path ends in a zero; the caller vouches for the library, and the message of a
    // failure lasts to the next call.
    unsafe {
        let library = dlopen(path.as_ptr(), RTLD_NOW);
        if library.is_null() {
            return Err(CStr::from_ptr(dlerror()).to_string_lossy().into_owned());
        }
        Ok(Library(library))
    }
}

impl Library {
    /// The function of that name.
    ///
    /// # Safety
    /// `F` must be the type of a pointer to it.
    ///
    /// # Panics
    /// If the library has none.
    pub(crate) unsafe fn function<F: Copy>(self, name: &CStr) -> F {
        // SAFETY: The library stays loaded, and the name ends in a zero.
        let symbol = unsafe { dlsym(self.0, name.as_ptr()) };
        assert!(!symbol.is_null(), "the library has no {name:?}");
        assert_eq!(size_of::<F>(), size_of_val(&symbol));
        // SAFETY: Both are pointers, and the caller vouches for the type.
        unsafe { std::mem::transmute_copy(&symbol) }
    }
}
