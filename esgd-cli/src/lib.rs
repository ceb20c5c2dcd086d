//! What the program `esgd` is made of: runs with checkpoints and logs, comparisons, reports.
//!
//! A problem of your own has these by [`Session`], [`verify`] and [`report::write`].
#![forbid(unsafe_code)]
#![allow(unreachable_pub, missing_docs)]

mod catalogue;
pub mod commands;
mod compare;
mod config;
mod download;
mod draw;
mod error;
mod failure;
mod files;
mod old_names;
pub mod report;
mod run;
mod session;
mod terminal;
mod text;

pub use error::Error;
pub use session::{Check, Session, verify};
