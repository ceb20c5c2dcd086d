//! Nobody outside gives permission to get worse.

use esgd_core::guarantee::MayWorsen;

fn main() {}
