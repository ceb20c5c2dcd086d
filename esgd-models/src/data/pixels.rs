//! Images of bytes, and the values that a network sees.

/// What each byte of each channel means: (byte / 255 − mean) / standard deviation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pixels {
    /// The values of the 256 bytes, channel after channel.
    tables: Vec<[f32; 256]>,
}

impl Pixels {
    /// From 0 to 1, in so many channels.
    pub(super) fn plain(channels: usize) -> Self {
        Self::normalised(&vec![0.0; channels], &vec![1.0; channels])
    }

    /// With the mean and the standard deviation of each channel, as shares of 255.
    pub(super) fn normalised(mean: &[f32], deviation: &[f32]) -> Self {
        let table = |(mean, deviation): (&f32, &f32)| {
            std::array::from_fn(|byte| (byte as f32 / 255.0 - mean) / deviation)
        };
        Self { tables: mean.iter().zip(deviation).map(table).collect() }
    }

    /// All values, channel after channel.
    pub(super) fn values(&self) -> impl Iterator<Item = f32> {
        self.tables.iter().flatten().copied()
    }

    /// The values of a channel's bytes.
    pub(super) fn of_channel(&self, channel: usize) -> &[f32; 256] {
        &self.tables[channel]
    }
}
