//! Networks that come with the crate, each a [`Task`](crate::Task).

mod mlp;

pub use mlp::{Activation, Mlp};
