//! Networks and optimizer states as bytes: what checkpoints and other processes need of a problem.

use crate::Problem;

/// A problem whose networks and states can be written and read. What is read back must be what was written, to
/// the bit.
pub trait Portable: Problem {
    /// A network as bytes.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn write_genome(&self, theta: &Self::Genome) -> Result<Vec<u8>, Self::Error>;

    /// The network that was written.
    ///
    /// # Errors
    /// If it is none of this problem's.
    fn read_genome(&self, bytes: &[u8]) -> Result<Self::Genome, Self::Error>;

    /// The state of an optimizer of `theta` as bytes.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn write_state(
        &self,
        theta: &Self::Genome,
        state: &Self::State,
    ) -> Result<Vec<u8>, Self::Error>;

    /// The state that was written, of an optimizer of `theta`.
    ///
    /// # Errors
    /// If it is none of an optimizer of this problem's.
    fn read_state(&self, theta: &Self::Genome, bytes: &[u8]) -> Result<Self::State, Self::Error>;
}
