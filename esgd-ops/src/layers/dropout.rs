//! Dropout (Srivastava et al., JMLR 15, 2014): values are dropped with probability p, and those kept
//! are divided by 1 − p. The mask is drawn from a key, so it is not kept but drawn again.

use esgd_core::rng::Key;

use crate::{
    group,
    isa::{Isa, vectorized},
};

/// Drops values of x, or their gradients, in place: value i where uniform number i of `key` is less
/// than `p`, which must be in [0, 1).
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use esgd_ops::layers::dropout;
///
/// let key = Key::new(1, Purpose::Train);
/// let (mut x, mut g) = ([1.0; 1000], [1.0; 1000]);
/// dropout::apply(&mut x, 0.25, key);
/// dropout::apply(&mut g, 0.25, key);
/// assert_eq!(x, g);
/// assert!((200..300).contains(&x.iter().filter(|x| **x == 0.0).count()));
/// ```
pub fn apply(x: &mut [f32], p: f32, key: Key) {
    if p > 0.0 {
        drop_values(Isa::best(), x, p, &key);
    }
}

vectorized! {
    fn drop_values(x: &mut [f32], p: f32, key: &Key) {
        let scale = 1.0 / (1.0 - p);
        for piece in group::pieces(0, x.len()) {
            let draws = group::uniforms(key, piece.block);
            for (x, draw) in x[piece.here.clone()].iter_mut().zip(piece.of(&draws)) {
                *x = if *draw < p { 0.0 } else { *x * scale };
            }
        }
    }
}
