//! Files that a report or a comparison replaces: only those that the program wrote. Each kind has a mark
//! that others do not have, and that of earlier versions is known as well.

mod png;

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use esgd_models::regular_file::{self, Links};

pub(crate) use self::png::marked;
use crate::{failure::Failure, files::atomic_file};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `report.html`.
    Page,
    /// A figure as SVG and as PNG.
    Svg,
    Png,
    /// A log for a spreadsheet.
    Log,
    /// A comparison as a table and as JSON.
    Markdown,
    Csv,
    Json,
    /// TensorBoard's.
    Events,
}

/// What the page says that it was made by.
pub(crate) const GENERATOR: &str = concat!("esgd ", env!("CARGO_PKG_VERSION"));

/// How a log for a spreadsheet begins: with columns that earlier versions have as well.
pub(crate) const LOG_HEADS: &str = "phase,generation,seconds,epochs,backed_off,offspring,best,elite_mean,diversity,rank,individual,parents,fitness,optimizer,hyper";

/// How TensorBoard's files begin here: the record of the format's version without a time, which
/// TensorBoard's own writers put in.
pub(crate) const EVENTS_HEAD: &[u8] = b"\x0f\0\0\0\0\0\0\0";

/// The most of a file that its mark is looked for in.
const HEAD: u64 = 1 << 16;

impl Kind {
    /// Whether a file that begins so was written by this program.
    fn is_ours(self, head: &[u8]) -> bool {
        let text = String::from_utf8_lossy(head);
        let has = |all: &[&str]| all.iter().all(|part| text.contains(part));
        match self {
            Self::Page => {
                text.starts_with("<!DOCTYPE html>\n<html lang=\"en\">")
                    && (has(&["<meta name=\"generator\" content=\"esgd "])
                        || has(&["<style>\n:root { color-scheme: light dark; --paper: #"]))
            }
            Self::Svg => {
                text.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ")
                    && has(&[" role=\"img\" aria-label=\"", "<style>.t { font: 12px system-ui"])
            }
            Self::Png => png::is_ours(head),
            Self::Log => text.starts_with(LOG_HEADS),
            Self::Markdown => has(&["\n| method | loss to choose by | test loss | "]),
            Self::Csv => text.starts_with("method,part,apart,seed,fitness,test_loss,test_error,"),
            Self::Json => {
                text.starts_with("{\n  \"network\": ")
                    && has(&["\n  \"macs\": ", "\n  \"fitness\": "])
            }
            Self::Events => head.starts_with(EVENTS_HEAD),
        }
    }
}

/// Refuses a place where something lies that the program did not write.
pub(crate) fn check(path: &Path, kind: Kind) -> Result<(), Failure> {
    let shown = path.display();
    let file = match regular_file::open(path, Links::Refuse) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => {
            return Err(Failure::Failed(format!(
                "cannot write {shown}: {e}; move it away, or name another folder with --out"
            )));
        }
    };
    let mut head = vec![];
    file.take(HEAD)
        .read_to_end(&mut head)
        .map_err(|e| Failure::Failed(format!("cannot read {shown}: {e}")))?;
    match kind.is_ours(&head) {
        true => Ok(()),
        false => Err(Failure::Usage(format!(
            "{shown} was not written by this program, which replaces only what it wrote: move it away, or name another folder with --out"
        ))),
    }
}

/// Writes a file whole or not at all, over nothing but an earlier one of the program's.
pub(crate) fn write(path: &Path, contents: &[u8], kind: Kind) -> Result<(), Failure> {
    check(path, kind)?;
    atomic_file::write(path, contents)
}

/// A folder in one of the program's: made, or there already and no link.
pub(crate) fn folder(path: &Path) -> Result<(), Failure> {
    let cannot = |e: &dyn std::fmt::Display| {
        let shown = path.display();
        Failure::Failed(format!(
            "cannot make the folder {shown}: {e}; move it away, or name another folder with --out"
        ))
    };
    match fs::create_dir(path) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(cannot(&e)),
        Err(_) if !regular_file::is_folder(path) => {
            Err(cannot(&"there is a file or a link of that name"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How files of each kind begin, of this version and of earlier ones.
    fn ours() -> Vec<(Kind, Vec<u8>)> {
        let page = |more: &str| {
            let head = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n";
            format!("{head}{more}").into_bytes()
        };
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 680 374\" role=\"img\" aria-label=\"Fitness\"><style>.t { font: 12px system-ui, sans-serif; }";
        let size = [
            b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec(),
            1360u32.to_be_bytes().to_vec(),
            b"\0\0\x02\x08\x08\x06\0\0\0CRC!".to_vec(),
        ];
        let png = [&size.concat()[..], b"\0\0\0\x04IDATdata"].concat();
        vec![
            (Kind::Page, page("<meta name=\"generator\" content=\"esgd 9.1\">\n<title>a</title>")),
            (Kind::Page, page("<title>a</title>\n<style>\n:root { color-scheme: light dark; --paper: #ffffff;")),
            (Kind::Svg, svg.into()),
            (Kind::Png, marked(&png)),
            (Kind::Png, png),
            (Kind::Log, format!("{LOG_HEADS}\n").into()),
            (Kind::Log, format!("{LOG_HEADS},numbers\n").into()),
            (Kind::Markdown, b"mlp on digits: 3.\n\n| method | loss to choose by | test loss | test error % |".to_vec()),
            (Kind::Csv, b"method,part,apart,seed,fitness,test_loss,test_error,networks\n".to_vec()),
            (Kind::Json, b"{\n  \"network\": \"mlp\",\n  \"macs\": 1,\n  \"data\": \"d\",\n  \"train\": 1,\n  \"fitness\": 1".to_vec()),
            (Kind::Events, [EVENTS_HEAD, b"rest"].concat()),
        ]
    }

    #[test]
    fn what_the_program_wrote_is_replaced_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let all = ours();
        for (kind, contents) in &all {
            fs::write(&path, contents).unwrap();
            write(&path, b"new", *kind).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"new", "{kind:?}");
            let others = all.iter().filter(|(other, _)| other != kind).map(|(_, bytes)| &bytes[..]);
            let foreign: [&[u8]; 4] =
                [b"", b"mine", b"<!DOCTYPE html>\n<html lang=\"en\">", b"a,b\n1,2\n"];
            for bytes in others.chain(foreign) {
                fs::write(&path, bytes).unwrap();
                let refused = write(&path, b"new", *kind).unwrap_err().to_string();
                assert!(refused.contains("was not written by this program"), "{refused}");
                assert!(refused.contains("--out") && fs::read(&path).unwrap() == bytes);
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (theirs, link) = (dir.path().join("theirs"), dir.path().join("link"));
        fs::write(&theirs, LOG_HEADS).unwrap();
        std::os::unix::fs::symlink(&theirs, &link).unwrap();
        let refused = write(&link, b"new", Kind::Log).unwrap_err().to_string();
        assert!(refused.contains("it is a link"), "{refused}");
        assert_eq!(fs::read_to_string(&theirs).unwrap(), LOG_HEADS);

        let elsewhere = dir.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        let figures = dir.path().join("figures");
        std::os::unix::fs::symlink(&elsewhere, &figures).unwrap();
        assert!(folder(&figures).unwrap_err().to_string().contains("a link of that name"));
        folder(&dir.path().join("new")).unwrap();
        folder(&dir.path().join("new")).unwrap();
    }
}
