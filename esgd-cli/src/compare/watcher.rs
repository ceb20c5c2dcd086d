//! Who is told of a comparison while it goes on.

/// Somebody who watches comparisons. Budgets are in forward passes of a sample.
pub trait Watcher: Sync {
    /// There is so much more to do.
    fn more(&self, _passes: u64) {}

    /// So much more was done.
    fn spent(&self, _passes: u64) {}

    /// A run begins, or goes on.
    fn begin(&self, _run: &str) {}

    /// What a run has come to.
    fn end(&self, _result: &str) {}

    /// Is told something in a sentence.
    fn notice(&self, _text: &str) {}
}

/// Nobody.
impl Watcher for () {}
