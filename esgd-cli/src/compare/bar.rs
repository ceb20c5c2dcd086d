//! The bar of a comparison, in forward passes of a sample.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar without a length yet.
pub(crate) fn bar(silent: bool) -> ProgressBar {
    let bar = ProgressBar::new(0);
    if silent || !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    } else {
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    if let Ok(style) =
        ProgressStyle::with_template("[{bar:24}] {percent:>3}%  {msg}  {eta_precise} left")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}
