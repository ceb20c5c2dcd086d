//! One file from the web, with progress, from where an earlier download stopped.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
    sync::mpsc::{RecvTimeoutError, sync_channel},
    thread,
    time::Duration,
};

use esgd_models::regular_file::{self, Links};
use ureq::{Agent, Body, http::Response};

use super::{Named, Watcher, checksum};

/// When to give up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retry {
    /// Attempts one after another that bring nothing new; each goes on where the last one broke off.
    pub attempts: u32,
    /// Before the second attempt, twice that before the third, and so on.
    pub pause: Duration,
    /// Without a byte.
    pub silence: Duration,
}

impl Retry {
    pub(super) const DEFAULT: Self =
        Self { attempts: 4, pause: Duration::from_secs(2), silence: Duration::from_secs(30) };
}

/// Downloads files and tells how far it is.
pub(super) struct Client<'a> {
    agent: Agent,
    pub(super) watcher: &'a dyn Watcher,
    patience: Retry,
}

impl<'a> Client<'a> {
    pub(super) fn new(watcher: &'a dyn Watcher, patience: Retry) -> Self {
        let config = Agent::config_builder()
            .timeout_connect(Some(patience.silence))
            .timeout_recv_response(Some(patience.silence))
            .http_status_as_error(false);
        Self { agent: config.build().into(), watcher, patience }
    }

    /// Downloads `url` to `part`, and checks it. What is wrong, if something is, names the URL.
    pub(super) fn fetch(&self, url: &str, file: &Named, part: &Path) -> Result<(), String> {
        let (mut most, mut in_vain) = (size(part), 0);
        loop {
            let why = match self.attempt(url, file, part) {
                Ok(()) => break,
                Err(Interruption::Final(why)) => return Err(why),
                Err(Interruption::Broken(why)) => why,
            };
            in_vain = if size(part) > most { 0 } else { in_vain + 1 };
            most = most.max(size(part));
            if in_vain == self.patience.attempts {
                return Err(format!(
                    "{url}: {why}; the same command goes on from where it stopped"
                ));
            }
            thread::sleep(in_vain * self.patience.pause);
        }
        checksum::fault(file, part).map_or(Ok(()), |fault| {
            // It would be wrong however often it were gone on with.
            let _ = fs::remove_file(part);
            Err(format!(
                "{url} is damaged or not the official file: {fault}; try again, or another place with \
                 --from URL"
            ))
        })
    }

    fn attempt(&self, url: &str, file: &Named, part: &Path) -> Result<(), Interruption> {
        let have = size(part);
        if have == file.size {
            return Ok(());
        }
        let have = if have < file.size { have } else { 0 };
        let mut request = self.agent.get(url);
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
        }
        let response =
            request.call().map_err(|e| Interruption::Broken(format!("cannot be reached: {e}")))?;
        let from = match response.status().as_u16() {
            200 => 0,
            206 if begins_at(&response, have) => have,
            // What is here is nothing that the server can go on with.
            416 if have > 0 => {
                let _ = fs::remove_file(part);
                return Err(Interruption::Broken("answers with status 416".into()));
            }
            // Too busy now.
            status @ (408 | 429 | 500..=599) => {
                return Err(Interruption::Broken(format!("answers with status {status}")));
            }
            status => {
                return Err(Interruption::Final(format!(
                    "{url} answers with status {status}: expected 200; try --from URL with another \
                     place that has the file"
                )));
            }
        };
        let another = |what: String| {
            Interruption::Final(format!(
                "{url} {what}, expected the {} of the official file: try another place with --from URL",
                file.size
            ))
        };
        if let Some(length) = length(&response, from).filter(|&length| length != file.size) {
            return Err(another(format!("has {length} bytes")));
        }
        let cannot =
            |e: io::Error| Interruption::Final(format!("cannot write {}: {e}", part.display()));
        let mut to = open(part, from).map_err(cannot)?;
        let mut have = from;
        self.watcher.begin(file.path, file.size, from);
        let received = receive(response, self.patience.silence, |bytes| {
            have += bytes.len() as u64;
            if have > file.size {
                let _ = fs::remove_file(part);
                return Err(another("sends more bytes".into()));
            }
            to.write_all(bytes).map_err(cannot)?;
            self.watcher.received(have);
            Ok(())
        });
        self.watcher.end();
        received?;
        to.sync_all().map_err(cannot)?;
        if have < file.size {
            return Err(Interruption::Broken(format!("ended after {have} of {} bytes", file.size)));
        }
        Ok(())
    }
}

/// Passes on what arrives, and gives up when nothing does.
fn receive(
    response: Response<Body>,
    silence: Duration,
    mut take: impl FnMut(&[u8]) -> Result<(), Interruption>,
) -> Result<(), Interruption> {
    let mut body = response.into_body().into_reader();
    let (give, arrives) = sync_channel::<io::Result<Vec<u8>>>(4);
    // A read cannot be told to end; this thread waits for it, if need be until the program ends.
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = body.read(&mut buffer).map(|n| buffer[..n].to_vec());
            let last = read.as_ref().map_or(true, Vec::is_empty);
            if give.send(read).is_err() || last {
                break;
            }
        }
    });
    loop {
        match arrives.recv_timeout(silence) {
            Ok(Ok(bytes)) if bytes.is_empty() => return Ok(()),
            Ok(Ok(bytes)) => take(&bytes)?,
            Ok(Err(e)) => return Err(Interruption::Broken(format!("broke off: {e}"))),
            Err(RecvTimeoutError::Timeout) => {
                return Err(Interruption::Broken(format!(
                    "sent nothing for {} s",
                    silence.as_secs()
                )));
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Interruption::Broken("broke off".into()));
            }
        }
    }
}

/// Opens what has been downloaded to go on behind `from` bytes of it. A link leads to what is not ours.
fn open(part: &Path, from: u64) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let to = regular_file::open_with(part, options.append(true).create(true), Links::Refuse)?;
    to.set_len(from)?;
    Ok(to)
}

fn size(part: &Path) -> u64 {
    let found = fs::symlink_metadata(part).ok().filter(|metadata| metadata.is_file());
    found.map_or(0, |metadata| metadata.len())
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok().map(str::trim)
}

/// Whether a partial answer begins where the file so far ends.
fn begins_at(response: &Response<Body>, have: u64) -> bool {
    let range = header(response, "Content-Range");
    range.is_some_and(|range| range.starts_with(&format!("bytes {have}-")))
}

/// The length of the whole file, as the server says, if it does.
fn length(response: &Response<Body>, from: u64) -> Option<u64> {
    match from {
        0 => header(response, "Content-Length")?.parse().ok(),
        _ => header(response, "Content-Range")?.rsplit_once('/')?.1.parse().ok(),
    }
}

enum Interruption {
    /// Worth another attempt.
    Broken(String),
    /// Not worth one.
    Final(String),
}
