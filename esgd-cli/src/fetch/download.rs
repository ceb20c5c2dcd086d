//! One file from the web, with progress, from where an earlier download stopped.

use std::{
    fs::{self, File, OpenOptions},
    io::{IsTerminal, Read, Write, stderr},
    path::Path,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use ureq::{Agent, Body, http::Response};

use super::{Named, checksum};

/// Attempts before a mirror is given up; each goes on where the last one broke off.
const ATTEMPTS: usize = 3;

/// Downloads files and shows how far it is.
pub struct Web {
    agent: Agent,
    quiet: bool,
}

impl Web {
    pub fn new(quiet: bool) -> Self {
        let config = Agent::config_builder()
            .timeout_connect(Some(Duration::from_secs(20)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .http_status_as_error(false);
        Self { agent: config.build().into(), quiet }
    }

    /// A line for the reader.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            eprintln!("{line}");
        }
    }

    /// Downloads `url` to `part`, and checks it. What is wrong, if something is, names the URL.
    pub fn fetch(&self, url: &str, file: &Named, part: &Path) -> Result<(), String> {
        let mut broken = String::new();
        for _ in 0..ATTEMPTS {
            match self.attempt(url, file, part) {
                Ok(()) => {
                    return checksum::fault(file, part).map_or(Ok(()), |fault| {
                        // It would be wrong however often it were gone on with.
                        let _ = fs::remove_file(part);
                        Err(format!(
                            "{url} is damaged or not the official file: {fault}; try again, or \
                             another place with --from URL"
                        ))
                    });
                }
                Err(Problem::Final(why)) => return Err(why),
                Err(Problem::Broken(why)) => broken = why,
            }
        }
        Err(format!("{url}: {broken}; the same command goes on from where it stopped"))
    }

    fn attempt(&self, url: &str, file: &Named, part: &Path) -> Result<(), Problem> {
        let have = part.metadata().map_or(0, |metadata| metadata.len());
        if have == file.size {
            return Ok(());
        }
        let have = if have < file.size { have } else { 0 };
        let mut request = self.agent.get(url);
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
        }
        let response =
            request.call().map_err(|e| Problem::Broken(format!("cannot be reached: {e}")))?;
        let from = match response.status().as_u16() {
            200 => 0,
            206 if begins_at(&response, have) => have,
            status => {
                return Err(Problem::Final(format!(
                    "{url} answers with status {status}: expected 200; try --from URL with another \
                     place that has the file"
                )));
            }
        };
        let cannot =
            |e: std::io::Error| Problem::Final(format!("cannot write {}: {e}", part.display()));
        let mut to = if from > 0 {
            OpenOptions::new().append(true).open(part).map_err(cannot)?
        } else {
            File::create(part).map_err(cannot)?
        };
        let bar = self.bar(file, from);
        let mut body = response.into_body().into_reader();
        let (mut buffer, mut have) = (vec![0; 1 << 16], from);
        loop {
            let n =
                body.read(&mut buffer).map_err(|e| Problem::Broken(format!("broke off: {e}")))?;
            if n == 0 {
                break;
            }
            have += n as u64;
            if have > file.size {
                drop(to);
                let _ = fs::remove_file(part);
                return Err(Problem::Final(format!(
                    "{url} sends more than the {} bytes of the official file: try another place with \
                     --from URL",
                    file.size
                )));
            }
            to.write_all(&buffer[..n]).map_err(cannot)?;
            bar.set_position(have);
        }
        to.sync_all().map_err(cannot)?;
        bar.finish_and_clear();
        if have < file.size {
            return Err(Problem::Broken(format!("ended after {have} of {} bytes", file.size)));
        }
        Ok(())
    }

    fn bar(&self, file: &Named, from: u64) -> ProgressBar {
        if self.quiet || !stderr().is_terminal() {
            self.say(&format!("{}: {:.1} MB", file.path, file.size as f64 / 1e6));
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(file.size).with_position(from);
        let template = "{prefix} [{bar:24}] {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(file.path);
        bar
    }
}

/// Whether a partial answer begins where the file so far ends.
fn begins_at(response: &Response<Body>, have: u64) -> bool {
    let range = response.headers().get("Content-Range").and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.trim().starts_with(&format!("bytes {have}-")))
}

enum Problem {
    /// Worth another attempt.
    Broken(String),
    /// Not worth one.
    Final(String),
}
