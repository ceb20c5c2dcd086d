//! Whether the machine can hold one network, which anything that is done with networks needs.

use esgd_models::{Network, Supervised};

use super::{
    available::available,
    units::{count, size},
};
use crate::failure::Failure;

/// Refuses a network that the machine cannot hold once, with what evaluates it.
pub(crate) fn check(problem: &Supervised<Network>) -> Result<(), Failure> {
    let network = problem.task();
    // The network as it is born, as it is read, and the bytes that are read.
    let bytes = network.bytes().saturating_mul(3).saturating_add(problem.engine_bytes(1, false)?);
    let left = available();
    if bytes <= left {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "one network, {} with {} weights, takes {} of memory and the machine has {} left: ask for a smaller \
         network, or smaller images",
        network.name(),
        count(network.parameters() as f64),
        size(bytes),
        size(left)
    )))
}
