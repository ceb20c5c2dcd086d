//! Timing programs against each other.
//!
//! Every contestant is a process of its own that answers lines ([`contestant`]): the scripts in
//! `peers/`, and the asking program itself, called with `serve`. So their runs alternate in
//! `rounds`, and ratios are of runs made one after the other; a machine that is busy slows both.
//! Nothing is asserted about time.

pub mod contestant;
pub(crate) mod rounds;
pub(crate) mod table;
