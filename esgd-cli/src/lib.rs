//! What the program `esgd` is made of, for programs that train populations themselves: configs, runs with
//! checkpoints and logs that go on after a kill, comparisons at equal compute, pages of figures, downloads.
//!
//! | module | what it is for |
//! |---|---|
//! | [`config`] | the settings of a run, laid together from presets, files and single ones |
//! | [`run`] | a run from its start or a checkpoint to what it leaves in its folder |
//! | [`compare`] | ESGD and other methods at the same budget |
//! | [`report`] | a page of runs and comparisons; feature `report` |
//! | [`download`] | the official files of data sets; feature `download` |
//!
//! A problem of your own has checkpoints, a log, resume, a comparison and a page by [`Session`], [`verify`],
//! [`Compare`](compare::Compare) and [`report::write`].
//!
//! Nothing is printed, and no signal is listened to but by an [`Interrupt`](run::Interrupt) that is asked to: who watches
//! a run is told of it. Results are values; an error is one sentence.
#![forbid(unsafe_code)]
// A library without the program has parts that only its commands ask for.
#![cfg_attr(not(feature = "program"), allow(dead_code, unused_imports))]

mod catalogue;
#[cfg(feature = "program")]
pub mod commands;
pub mod compare;
pub mod config;
#[cfg(feature = "download")]
pub mod download;
#[cfg(feature = "report")]
mod draw;
mod error;
mod failure;
mod files;
mod old_names;
#[cfg(feature = "report")]
pub mod report;
pub mod run;
mod session;
mod text;

pub use error::Error;
pub use failure::Failure;
pub use session::{Check, Session, verify};
