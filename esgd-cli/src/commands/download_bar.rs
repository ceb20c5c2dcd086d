//! How far a download is, as a bar; as lines where there is no terminal.

use std::{
    cell::RefCell,
    io::{IsTerminal, stderr},
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{commands::terminal, download::Watcher};

/// Shows downloads on the terminal.
pub(super) struct DownloadBar {
    bar: RefCell<ProgressBar>,
    quiet: bool,
}

impl DownloadBar {
    pub(super) fn new(quiet: bool) -> Self {
        Self { bar: ProgressBar::hidden().into(), quiet }
    }
}

impl Watcher for DownloadBar {
    fn begin(&self, file: &str, bytes: u64, here: u64) {
        if self.quiet || !stderr().is_terminal() {
            return self.notice(&format!("{file}: {:.1} MB", bytes as f64 / 1e6));
        }
        let bar = ProgressBar::new(bytes).with_position(here);
        let template = "{prefix} [{bar:24}] {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(file.to_owned());
        self.bar.replace(bar);
    }

    fn received(&self, bytes: u64) {
        self.bar.borrow().set_position(bytes);
    }

    fn end(&self) {
        self.bar.borrow().finish_and_clear();
    }

    fn notice(&self, text: &str) {
        if !self.quiet {
            terminal::say(text);
        }
    }
}
