//! Images that look a little different in each epoch: a random part of the image with a border
//! around it, and its mirror image (He et al., *Deep Residual Learning*, arXiv:1512.03385,
//! section 4.2).

use std::ops::Range;

use esgd_core::rng::Key;

/// What a batch's key gives the key of its augmentation for; its dropout counts from 0.
pub(crate) const AUGMENTATION: u64 = u64::MAX;

/// How training images are changed. The default changes nothing.
///
/// ```
/// use esgd_models::data::{Augmentation, Sizes, digits};
///
/// let splits = digits(Sizes::default())?;
/// let train = splits.train.augmented(Augmentation { crop: 1, flip: false })?;
/// # Ok::<(), esgd_models::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Augmentation {
    /// Pixels of border, black, around an image of which a part of the image's own size is taken.
    pub crop: usize,
    /// Whether half of the images are mirrored.
    pub flip: bool,
}

impl Augmentation {
    /// Whether it does anything.
    pub(super) fn changes(self) -> bool {
        self.crop > 0 || self.flip
    }

    /// How sample `i` of a batch is changed, from the block of `key` with its number: each shift
    /// is as likely as any other but for 2⁻³² of bias, as is the mirror image.
    pub(super) fn draw(self, key: Key, i: usize) -> View {
        let [down, right, mirror, _] = key.block(i as u32);
        let shifts = 2 * self.crop as u64 + 1;
        let shift = |word: u32| ((u64::from(word) * shifts) >> 32) as isize - self.crop as isize;
        View { down: shift(down), right: shift(right), mirrored: self.flip && mirror >> 31 == 1 }
    }
}

/// Which part of an image is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    /// Rows, and columns, from the image's corner to the part's; negative in the border.
    down: isize,
    right: isize,
    mirrored: bool,
}

impl View {
    /// Writes the view of a channel of `width` columns, given what a pixel's value is.
    pub(super) fn of<T: Copy>(
        self,
        channel: &[T],
        width: usize,
        black: f32,
        value: impl Fn(T) -> f32,
        out: &mut [f32],
    ) {
        let seen = |shift: isize, length: usize| -> Range<usize> {
            let at = |end: isize| end.clamp(0, length as isize) as usize;
            at(-shift)..at(length as isize - shift)
        };
        let columns = seen(self.right, width);
        let rows = seen(self.down, channel.len() / width);
        for (r, row) in out.chunks_exact_mut(width).enumerate() {
            if !rows.contains(&r) || columns.is_empty() {
                row.fill(black);
                continue;
            }
            row[..columns.start].fill(black);
            row[columns.end..].fill(black);
            let from = (r as isize + self.down) as usize * width;
            let from = from + (columns.start as isize + self.right) as usize;
            let from = &channel[from..][..columns.len()];
            row[columns.clone()].iter_mut().zip(from).for_each(|(to, x)| *to = value(*x));
            if self.mirrored {
                row.reverse();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use esgd_core::rng::Purpose;

    use super::*;

    const IMAGE: [u8; 6] = [1, 2, 3, 4, 5, 6];

    fn view(down: isize, right: isize, mirrored: bool) -> [f32; 6] {
        let mut out = [f32::NAN; 6];
        View { down, right, mirrored }.of(&IMAGE, 3, 0.0, f32::from, &mut out);
        out
    }

    #[test]
    fn a_view_is_a_part_of_the_image_in_a_black_border() {
        assert_eq!(view(0, 0, false), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(view(0, 0, true), [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]);
        assert_eq!(view(1, 1, false), [5.0, 6.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(view(-1, -2, false), [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(view(-1, -2, true), [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(view(2, 0, false), [0.0; 6]);
        assert_eq!(view(0, -7, true), [0.0; 6]);
    }

    #[test]
    fn all_views_are_equally_likely() {
        let augmentation = Augmentation { crop: 1, flip: true };
        let mut counts = [0; 18];
        for i in 0..18_000 {
            let View { down, right, mirrored } = augmentation.draw(Key::new(1, Purpose::Train), i);
            counts[((down + 1) * 6 + (right + 1) * 2) as usize + usize::from(mirrored)] += 1;
        }
        // Five standard deviations of a count of mean 1000.
        assert!(counts.iter().all(|n| (840..1160).contains(n)), "{counts:?}");
        let nothing = Augmentation::default().draw(Key::new(1, Purpose::Train), 3);
        assert_eq!(nothing, View { down: 0, right: 0, mirrored: false });
    }
}
