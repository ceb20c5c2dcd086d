//! What becomes of a data set's numbers before a network sees them.

use super::Dataset;

/// A channel's value x becomes (x / `divisor` − mean) / deviation.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalisation {
    /// The largest number that there is: 255 of bytes.
    pub divisor: f64,
    /// The mean that is taken off each channel.
    pub mean: Vec<f64>,
    /// What each channel is divided by then.
    pub deviation: Vec<f64>,
}

impl Normalisation {
    /// Division alone.
    #[must_use]
    pub fn plain(divisor: f64, channels: usize) -> Self {
        Self { divisor, mean: vec![0.0; channels], deviation: vec![1.0; channels] }
    }
}

impl Dataset {
    /// How its bytes are normalised; `None` where it holds values instead.
    #[must_use]
    pub fn normalisation(&self) -> Option<Normalisation> {
        let pixels = self.pixels.as_ref()?;
        let mut of = Normalisation { divisor: 255.0, mean: vec![], deviation: vec![] };
        for channel in 0..self.size().channels {
            // What 0 and 255 become says it all.
            let [first, .., last] = pixels.of_channel(channel).map(f64::from);
            let deviation = 1.0 / (last - first);
            of.mean.push(rounded(-first * deviation));
            of.deviation.push(rounded(deviation));
        }
        Some(of)
    }
}

/// Five significant digits: the table is of f32.
fn rounded(value: f64) -> f64 {
    let rounded = format!("{value:.4e}").parse().unwrap_or(value);
    if rounded == 0.0 { 0.0 } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{data::pixels::Pixels, networks::Size};

    #[test]
    fn it_is_what_the_pixels_were_made_with() {
        let of = |pixels, channels| {
            let set =
                Dataset::images("x", vec![0; channels], Size::image(channels, 1, 1), &[0], pixels);
            set.unwrap().normalisation().unwrap()
        };
        assert_eq!(of(Pixels::plain(1), 1), Normalisation::plain(255.0, 1));
        let (mean, deviation) = ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]);
        let found = of(Pixels::normalised(&mean, &deviation), 3);
        assert_eq!(found.mean, [0.4914, 0.4822, 0.4465]);
        assert_eq!(found.deviation, [0.2470, 0.2435, 0.2616]);
    }
}
