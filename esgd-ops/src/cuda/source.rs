//! The kernels' source as one text: NVRTC has no folder to include headers from.

const FILES: [&str; 10] = [
    include_str!("kernels/device.cuh"),
    include_str!("kernels/philox.cuh"),
    include_str!("kernels/box_muller.cuh"),
    include_str!("kernels/exp.cuh"),
    include_str!("kernels/groups.cuh"),
    include_str!("kernels/recombine.cu"),
    include_str!("kernels/noise.cu"),
    include_str!("kernels/evolution.cu"),
    include_str!("kernels/norm.cu"),
    include_str!("kernels/square_roots.cu"),
];

/// Every kernel.
pub(super) const NAMES: [&str; 17] = [
    "recombine_staged",
    "recombine_direct",
    "normals",
    "uniforms",
    "mutate",
    "mutate_diagonal",
    "weighted_noise",
    "squared_noise",
    "trial",
    "velocity",
    "product",
    "exponential",
    "adaptive_step",
    "squares_of_tiles",
    "distances_of_tiles",
    "sums_of_tiles",
    "wrong_square_roots",
];

/// All files, headers first, without their includes.
pub(super) fn source() -> String {
    let lines = FILES.iter().flat_map(|file| file.lines());
    let kept = lines.filter(|line| !line.starts_with("#include") && *line != "#pragma once");
    kept.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_has_every_kernel_and_needs_no_file() {
        let source = source();
        assert!(!source.contains("#include"));
        for name in NAMES {
            let found = source.lines().any(|line| {
                line.starts_with("extern \"C\" __global__ void")
                    && line.contains(&format!(" {name}("))
            });
            assert!(found, "{name}");
        }
        assert_eq!(source.matches("extern \"C\" __global__").count(), NAMES.len());
    }
}
