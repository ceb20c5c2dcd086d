//! What the terminal shows of a comparison: a bar in forward passes of a sample, and a line for each run.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{commands::terminal, compare::Watcher, text::safe::one_line};

/// Shows a comparison on the terminal.
pub(super) struct ComparisonBar {
    bar: ProgressBar,
    silent: bool,
}

impl ComparisonBar {
    pub(super) fn new(silent: bool) -> Self {
        Self { bar: bar(silent), silent }
    }
}

impl Watcher for ComparisonBar {
    fn more(&self, passes: u64) {
        self.bar.inc_length(passes);
    }

    fn spent(&self, passes: u64) {
        self.bar.inc(passes);
    }

    fn begin(&self, run: &str) {
        self.bar.set_message(run.to_owned());
    }

    fn end(&self, result: &str) {
        match self.bar.is_hidden() {
            true if self.silent => {}
            true => terminal::say(result),
            false => self.bar.println(one_line(result)),
        }
    }

    fn notice(&self, text: &str) {
        self.bar.suspend(|| terminal::notice(text));
    }
}

impl Drop for ComparisonBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A bar without a length yet.
pub(super) fn bar(silent: bool) -> ProgressBar {
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
