//! CUDA's run-time compiler NVRTC, where it is: it needs no GPU.

use std::{
    ffi::{CString, c_char, c_int},
    path::{Path, PathBuf},
    process::Command,
};

use crate::dynamic::{Library, open};

/// A program of NVRTC's.
type Program = *mut u8;

type Create = unsafe extern "C" fn(
    *mut Program,
    *const c_char,
    *const c_char,
    c_int,
    *const *const c_char,
    *const *const c_char,
) -> c_int;
type Compile = unsafe extern "C" fn(Program, c_int, *const *const c_char) -> c_int;
type Size = unsafe extern "C" fn(Program, *mut usize) -> c_int;
type Text = unsafe extern "C" fn(Program, *mut c_char) -> c_int;
type Destroy = unsafe extern "C" fn(*mut Program) -> c_int;

const LIBRARY: &str = "libnvrtc.so.13";

/// NVRTC, from the first place that has it.
pub(crate) fn find() -> Option<Library> {
    places().into_iter().find_map(|place| {
        // Its other half it would look for only where the system does.
        let beside = place.parent().and_then(|folder| std::fs::read_dir(folder).ok());
        let others = beside.into_iter().flatten().flatten().map(|entry| entry.path());
        for other in others.filter(|path| is_builtins(path)) {
            // SAFETY: Loading NVIDIA's compiler has no effect of its own.
            let _ = unsafe { open(&other) };
        }
        // SAFETY: as above.
        unsafe { open(&place) }.ok()
    })
}

/// Whether this is what NVRTC 13 of any minor version loads.
fn is_builtins(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.is_some_and(|name| name.starts_with("libnvrtc-builtins.so.13."))
}

fn places() -> Vec<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let root = variable("ESGD_CUDA_DIR")
        .or_else(|| variable("HOME").map(|home| home.join(".cache/esgd-cuda")));
    let root = root.into_iter().flat_map(|root| {
        ["site/nvidia/cu13/lib", "nvidia/cu13/lib", "lib"].map(|folder| root.join(folder))
    });
    let home = variable("CUDA_HOME").into_iter();
    let home = home.flat_map(|home| ["lib", "lib64"].map(|folder| home.join(folder)));
    let folders = root.chain(home).chain(wheel());
    let mut places: Vec<_> = folders.map(|folder| folder.join(LIBRARY)).collect();
    places.push(LIBRARY.into());
    places
}

/// The folder of the Python package nvidia-cuda-nvrtc, if that is installed.
fn wheel() -> Option<PathBuf> {
    let script = "import nvidia.cu13 as n; print(list(n.__path__)[0] + '/lib', end='')";
    let output = Command::new("python3").args(["-c", script]).output().ok()?;
    let folder = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(folder.into())
}

/// The PTX of a CUDA source.
///
/// # Panics
/// If it does not compile, with the compiler's log.
pub(crate) fn ptx(library: Library, source: &str, options: &[&str]) -> String {
    let source = CString::new(source).expect("the source has no zero");
    let options: Vec<_> =
        options.iter().map(|&o| CString::new(o).expect("an option has no zero")).collect();
    let options: Vec<_> = options.iter().map(|o| o.as_ptr()).collect();
    // SAFETY: The types are those of nvrtc.h; the program is one that NVRTC made, destroyed once,
    // and the texts outlive the calls.
    unsafe {
        let create: Create = library.function(c"nvrtcCreateProgram");
        let compile: Compile = library.function(c"nvrtcCompileProgram");
        let destroy: Destroy = library.function(c"nvrtcDestroyProgram");
        let mut program: Program = std::ptr::null_mut();
        let (none, name) = (std::ptr::null(), c"kernels.cu".as_ptr());
        let status = create(&mut program, source.as_ptr(), name, 0, none, none);
        assert_eq!(status, 0, "NVRTC takes no program");
        let status = compile(program, options.len() as c_int, options.as_ptr());
        let size = library.function(c"nvrtcGetProgramLogSize");
        let log = text(program, size, library.function(c"nvrtcGetProgramLog"));
        assert_eq!(status, 0, "the kernels do not compile as CUDA:\n{log}");
        let size = library.function(c"nvrtcGetPTXSize");
        let ptx = text(program, size, library.function(c"nvrtcGetPTX"));
        destroy(&mut program);
        ptx
    }
}

/// A text that NVRTC has for a program.
///
/// # Safety
/// The functions must be of that program's NVRTC, the first for the size of the second's text.
unsafe fn text(program: Program, size: Size, get: Text) -> String {
    let mut length = 0;
    // SAFETY: The caller vouches for the functions; the buffer has the size asked for.
    let bytes = unsafe {
        assert_eq!(size(program, &mut length), 0, "NVRTC has no size");
        let mut bytes = vec![0u8; length];
        assert_eq!(get(program, bytes.as_mut_ptr().cast()), 0, "NVRTC has no text");
        bytes
    };
    String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned()
}
