//! Which vector instructions the kernels use, chosen when the program runs.
//!
//! A kernel is written once, in plain Rust over arrays, and compiled several times: for the
//! processor that the build is for, for AVX2 with FMA, and for AVX-512. The compiler vectorises
//! each; on 64-bit ARM the first is NEON already. As every operation is rounded exactly, all of
//! them give the same bits.

use std::{fmt, sync::OnceLock};

use pulp::{Simd, WithSimd};

/// The vectors of [`Isa::PORTABLE`].
#[cfg(target_arch = "aarch64")]
type Plain = pulp::aarch64::Neon;
#[cfg(not(target_arch = "aarch64"))]
type Plain = pulp::Scalar128b;

#[cfg(target_arch = "aarch64")]
fn plain() -> Plain {
    // SAFETY: every 64-bit ARM processor that Rust builds for has NEON.
    unsafe { Plain::new_unchecked() }
}
#[cfg(not(target_arch = "aarch64"))]
fn plain() -> Plain {
    pulp::Scalar128b
}

/// A set of vector instructions that this processor has.
///
/// ```
/// use esgd_ops::Isa;
///
/// println!("kernels run on {}", Isa::best());
/// assert!(Isa::available().contains(&Isa::best()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Isa(Kind);

/// In private, so that an [`Isa`] that the processor lacks cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// What every processor of this build has: NEON on 64-bit ARM, SSE2 on x86-64.
    pub const PORTABLE: Self = Self(Kind::Portable);

    /// All that this processor has, the widest last.
    #[must_use]
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut all = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        {
            // What pulp asks for includes all that `vectorized!` enables.
            if pulp::x86::V3::try_new().is_some() {
                all.push(Self(Kind::Avx2));
                if pulp::x86::V4::try_new().is_some() {
                    all.push(Self(Kind::Avx512));
                }
            }
        }
        all
    }

    /// What the kernels use: the widest that this processor has.
    ///
    /// The environment variable `ESGD_ISA`, read once, holds them to a narrower one by its name
    /// (`portable`, `avx2`), to compare speeds; the results are the same. A name that is not
    /// available changes nothing, nor does it hold the crate `gemm`, which multiplies the matrices of
    /// [`layers::linear`](crate::layers::linear).
    #[must_use]
    pub fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let all = Self::available();
            let wanted = std::env::var("ESGD_ISA").unwrap_or_default();
            let named = all.iter().find(|isa| isa.name() == wanted);
            *named.or(all.last()).unwrap_or(&Self::PORTABLE)
        })
    }

    /// Its name: `portable`, `avx2` or `avx512`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }

    pub(crate) const fn kind(self) -> Kind {
        self.0
    }

    /// Values of `f32` in a vector of [`Self::dispatch`].
    pub(crate) const fn lanes(self) -> usize {
        match self.0 {
            Kind::Portable => Plain::F32_LANES,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => pulp::x86::V3::F32_LANES,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => pulp::x86::V4::F32_LANES,
        }
    }

    /// The same, or one with vectors of so many values: 4, 8 or 16, and no more than this one has.
    pub(crate) const fn narrowed_to(self, lanes: usize) -> Self {
        match (self.0, lanes) {
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx2 | Kind::Avx512, 4) => Self::PORTABLE,
            // A processor with AVX-512 has AVX2.
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx512, 8) => Self(Kind::Avx2),
            _ => self,
        }
    }

    /// Vector registers of [`Self::dispatch`].
    pub(crate) const fn registers(self) -> usize {
        match self.0 {
            Kind::Portable => Plain::REGISTER_COUNT,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => pulp::x86::V3::REGISTER_COUNT,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => pulp::x86::V4::REGISTER_COUNT,
        }
    }

    /// Runs an operation that is written in vectors, where arrays would not stay in registers.
    #[inline]
    pub(crate) fn dispatch<Op: WithSimd>(self, op: Op) -> Op::Output {
        match self.0 {
            Kind::Portable => plain().vectorize(op),
            // SAFETY: an `Isa` of this kind is made only where pulp has found the instructions.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => Simd::vectorize(unsafe { pulp::x86::V3::new_unchecked() }, op),
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => Simd::vectorize(unsafe { pulp::x86::V4::new_unchecked() }, op),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Compiles a function for each [`Isa`] and adds a first argument that chooses among them.
macro_rules! vectorized {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name(isa: $crate::isa::Isa, $($arg: $type),*) $(-> $result)? {
            #[inline(always)]
            fn portable($($arg: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $type),*) $(-> $result)? {
                portable($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            fn avx512($($arg: $type),*) $(-> $result)? {
                portable($($arg),*)
            }

            match isa.kind() {
                $crate::isa::Kind::Portable => portable($($arg),*),
                // SAFETY: an `Isa` of this kind is made only where the processor has AVX2 and FMA.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Kind::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: an `Isa` of this kind is made only where it has these of AVX-512 as well.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Kind::Avx512 => unsafe { avx512($($arg),*) },
            }
        }
    };
}
pub(crate) use vectorized;

/// Asks for the memory of `out` before it is written, so that it arrives while the numbers to write
/// are computed. Without it a kernel that writes to memory far away waits for every line.
#[inline(always)]
pub(crate) fn prefetch(out: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in out.chunks(16) {
        use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        // SAFETY: A prefetch reads and writes nothing, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_ET0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = out;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_comes_last_and_is_the_best() {
        let all = Isa::available();
        assert_eq!(all[0], Isa::PORTABLE);
        assert!(all.is_sorted());
        if std::env::var_os("ESGD_ISA").is_none() {
            assert_eq!(all.last(), Some(&Isa::best()));
        }
    }
}
