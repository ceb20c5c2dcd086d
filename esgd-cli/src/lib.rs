//! What the program `esgd` is made of: runs with checkpoints and logs, comparisons, reports.
#![forbid(unsafe_code)]
#![allow(unreachable_pub, missing_docs)]

mod catalogue;
pub mod commands;
mod compare;
mod config;
mod download;
mod draw;
mod failure;
mod files;
mod old_names;
mod report;
mod run;
mod terminal;
mod text;
