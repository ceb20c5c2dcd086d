//! Files that may be anything: only regular ones are opened, and no more is read of them than is expected.
//! A pipe would be waited for for ever, a device has no end, and a link leads elsewhere.

use std::{
    fs::{self, File, FileType, OpenOptions},
    io::{self, Read},
    path::Path,
};

/// What to do where a path ends in a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Follow it: somebody named this path.
    Follow,
    /// Refuse it: the path was put together from a folder and a name.
    Refuse,
}

/// Opens a regular file.
///
/// # Errors
/// What the system says; or, of kind `InvalidInput`, that it is something else.
///
/// ```
/// use esgd_models::regular_file::{self, Links};
///
/// let error = regular_file::open(&std::env::temp_dir(), Links::Follow).unwrap_err();
/// assert_eq!(error.to_string(), "it is a folder: expected a regular file");
/// ```
pub fn open(path: &Path, links: Links) -> io::Result<File> {
    open_with(path, File::options().read(true), links)
}

/// The same with `options`, which may create the file and may not truncate it.
///
/// # Errors
/// As [`open`]'s.
pub fn open_with(path: &Path, options: &mut OpenOptions, links: Links) -> io::Result<File> {
    let metadata = match links {
        Links::Follow => fs::metadata(path),
        Links::Refuse => fs::symlink_metadata(path),
    };
    match metadata {
        Ok(metadata) => check(metadata.file_type())?,
        // It may be there to be created.
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    // What was looked at may be another when it is opened.
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let link = if links == Links::Refuse { libc::O_NOFOLLOW } else { 0 };
        options.custom_flags(libc::O_NONBLOCK | link);
    }
    let file = options.open(path)?;
    check(file.metadata()?.file_type())?;
    Ok(file)
}

/// Reads a whole regular file of at most so many bytes.
///
/// # Errors
/// As [`open`]'s; or, of kind `InvalidInput`, that it is larger.
pub fn read(path: &Path, most: u64, links: Links) -> io::Result<Vec<u8>> {
    let file = open(path, links)?;
    let length = file.metadata()?.len();
    let too_large = |n: String| odd(format!("it has {n} bytes: expected at most {most}"));
    if length > most {
        return Err(too_large(length.to_string()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(too_large(format!("more than {most}"))),
        false => Ok(bytes),
    }
}

/// The same as text.
///
/// # Errors
/// As [`read`]'s; or, of kind `InvalidData`, that it is no UTF-8.
pub fn read_text(path: &Path, most: u64, links: Links) -> io::Result<String> {
    let no_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text");
    String::from_utf8(read(path, most, links)?).map_err(no_text)
}

/// Whether there is a regular file, and no link to one.
#[must_use]
pub fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
}

/// Whether there is a folder, and no link to one.
#[must_use]
pub fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Refuses whatever is no regular file.
///
/// # Errors
/// Of kind `InvalidInput`, what it is.
pub fn check(of: FileType) -> io::Result<()> {
    if of.is_file() {
        Ok(())
    } else {
        Err(odd(format!("it is {}: expected a regular file", kind(of))))
    }
}

fn odd(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

fn kind(of: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if of.is_fifo() {
            return "a pipe";
        }
        if of.is_socket() {
            return "a socket";
        }
        if of.is_char_device() || of.is_block_device() {
            return "a device";
        }
    }
    match (of.is_dir(), of.is_symlink()) {
        (true, _) => "a folder",
        (_, true) => "a link",
        _ => "something else",
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{os::unix::fs::symlink, process::Command};

    use super::*;

    #[test]
    fn only_regular_files_are_read_and_not_too_much_of_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("file"), b"12345").unwrap();
        symlink(path("file"), path("link")).unwrap();
        symlink("/dev/zero", path("zero")).unwrap();
        assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());

        assert_eq!(read(&path("file"), 5, Links::Refuse).unwrap(), b"12345");
        assert_eq!(read(&path("link"), 5, Links::Follow).unwrap(), b"12345");
        for (name, links, expected) in [
            ("file", Links::Refuse, "it has 5 bytes: expected at most 4"),
            ("link", Links::Refuse, "it is a link: expected a regular file"),
            ("zero", Links::Follow, "it is a device: expected a regular file"),
            ("zero", Links::Refuse, "it is a link: expected a regular file"),
            ("pipe", Links::Refuse, "it is a pipe: expected a regular file"),
            (".", Links::Follow, "it is a folder: expected a regular file"),
        ] {
            assert_eq!(read(&path(name), 4, links).unwrap_err().to_string(), expected, "{name}");
        }
        let missing = read(&path("missing"), 4, Links::Refuse).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let mut new = File::options();
        open_with(&path("new"), new.write(true).create(true), Links::Refuse).unwrap();
        open_with(&path("link"), new.write(true).create(true), Links::Refuse).unwrap_err();
        assert!(is_there(&path("file")) && !is_there(&path("link")) && !is_there(&path(".")));
        assert!(is_folder(dir.path()) && !is_folder(&path("link")));
    }
}
