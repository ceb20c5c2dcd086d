//! Compiles the CUDA kernels as C++ and runs them on the CPU: `cuda_on_cpu.h` says how.

use std::{
    ffi::{CString, c_char, c_int, c_void},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, OnceLock},
};

use crate::dynamic::open;

/// `esgd_launch` in `fibers.cpp`.
type Launch = unsafe extern "C" fn(*const c_char, *const c_void, *const u32, u32, u32) -> c_int;

/// The order in which the threads of a block take turns.
pub(crate) const ORDERS: [u32; 4] = [0, 1, 2, 3];

/// Runs a kernel on the CPU.
///
/// # Safety
/// `arguments` must be the kernel's own struct, its addresses those of arrays long enough.
pub(crate) unsafe fn launch<A>(
    kernel: &str,
    arguments: &A,
    blocks: (u32, u32, u32),
    threads: u32,
    order: u32,
) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let launch = compiled().expect("the kernels are compiled");
    let name = CString::new(kernel).expect("a kernel's name has no zero");
    let blocks = [blocks.0, blocks.1, blocks.2];
    let arguments = std::ptr::from_ref(arguments).cast();
    // A test that failed elsewhere has left nothing behind that another could not use.
    let guard = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    // SAFETY: The caller vouches for `arguments`; the rest outlives the call, and the mutex lets
    // one launch at a time use the library's state.
    let status = unsafe { launch(name.as_ptr(), arguments, blocks.as_ptr(), threads, order) };
    drop(guard);
    assert_eq!(status, 0, "there is no kernel {kernel}");
}

/// Whether there is a C++ compiler; says so, once, where there is none.
pub(crate) fn is_there() -> bool {
    compiled().is_some()
}

fn compiled() -> Option<Launch> {
    static LAUNCH: OnceLock<Option<Launch>> = OnceLock::new();
    *LAUNCH.get_or_init(|| {
        let compiler = compiler();
        if compiler.is_none() {
            // Not by a macro, whose output a test that passes would hide.
            let line =
                "SKIPPED: no C++ compiler, set CXX to one to run the CUDA kernels on the CPU";
            writeln!(std::io::stderr(), "{line}").expect("standard error can be written");
        }
        compiler.map(|compiler| load(&compile(&compiler)))
    })
}

fn compiler() -> Option<String> {
    let named = std::env::var("CXX").ok();
    let usual = ["c++", "g++", "clang++"].map(String::from);
    named.into_iter().chain(usual).find(|compiler| {
        Command::new(compiler).arg("--version").output().is_ok_and(|o| o.status.success())
    })
}

fn compile(compiler: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shim = root.join("tests/shim");
    // Another run of the tests may be loading its own at this moment.
    let name = format!("cuda_on_cpu_{}.so", std::process::id());
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let output = Command::new(compiler)
        .args(["-O2", "-ffp-contract=off", "-fno-strict-aliasing", "-std=c++17"])
        .args(["-Wall", "-Wno-unknown-pragmas", "-shared", "-fPIC", "-I"])
        .arg(root.join("src/cuda/kernels"))
        .args([shim.join("fibers.cpp"), shim.join("kernels.cpp")])
        .arg("-o")
        .arg(&library)
        .output()
        .expect("the compiler runs");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the kernels do not compile as C++:\n{log}");
    library
}

fn load(library: &Path) -> Launch {
    // SAFETY: The library has nothing that runs on its own, and `esgd_launch` is of that type.
    let launch = unsafe {
        let library = open(library).unwrap_or_else(|error| panic!("{error}"));
        library.function(c"esgd_launch")
    };
    // It stays mapped; the file is not needed any more.
    let _ = std::fs::remove_file(library);
    launch
}
