//! Folders that have files of others, and links to them.

use super::*;

/// The whole command's work for a file of `bytes()`, into a folder.
fn get_into(dir: &Path) -> Result<(), Failure> {
    let server = serve(bytes(), good);
    let entry = Entry { name: "one", mirrors: &[], files: &[], then: "" };
    let download = Download { file: described("file", &bytes()), holds: &[] };
    get(&client(), &entry, &download, Some(&server.url), dir)
}

#[test]
fn what_others_have_written_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("file"), b"mine").unwrap();
    let message = get_into(dir.path()).unwrap_err().to_string();
    let expected = "is there and is not the official file (it has 4 bytes, expected 200000), and nothing is \
                    overwritten: move it away";
    assert!(message.contains(expected) && message.contains("/file "), "{message}");
    assert_eq!(fs::read(path("file")).unwrap(), b"mine");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);

    // Other programs call what they have begun so.
    fs::rename(path("file"), path("file.part")).unwrap();
    get_into(dir.path()).unwrap();
    assert_eq!(fs::read(path("file")).unwrap(), bytes());
    assert_eq!(fs::read(path("file.part")).unwrap(), b"mine");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_links() {
    use std::os::unix::fs::symlink;

    let (dir, away) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mine, nothing) = (away.path().join("mine"), away.path().join("nothing"));
    fs::write(&mine, b"mine").unwrap();
    for (name, target, expected) in [
        ("file", &mine, "is not the official file (it has 4 bytes"),
        ("file", &nothing, "is not the official file (it cannot be read"),
        ("file.esgd-part", &mine, "it is a link: expected a regular file"),
        ("file.esgd-part", &nothing, "it is a link: expected a regular file"),
    ] {
        symlink(target, dir.path().join(name)).unwrap();
        let message = get_into(dir.path()).unwrap_err().to_string();
        assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        assert!(dir.path().join(name).is_symlink());
        fs::remove_file(dir.path().join(name)).unwrap();
        assert_eq!(fs::read_dir(away.path()).unwrap().count(), 1);
        assert_eq!(fs::read(&mine).unwrap(), b"mine");
    }
    // Nor through the folder of an archive's files.
    symlink(away.path(), dir.path().join("set")).unwrap();
    let message = check_place(&described("set/a.bin", b"aaa"), dir.path()).unwrap_err();
    assert!(message.to_string().contains("/set is a link or a file where a folder belongs"));
    // A link to the official file is as good as the file.
    fs::write(&mine, bytes()).unwrap();
    symlink(&mine, dir.path().join("file")).unwrap();
    get_into(dir.path()).unwrap();
    assert!(dir.path().join("file").is_symlink());
}

#[test]
fn an_archive_replaces_nothing() {
    let outer = tempfile::tempdir().unwrap();
    let (dir, path) = (outer.path().join("inner"), outer.path().join("x.tar.gz"));
    fs::create_dir_all(dir.join("set")).unwrap();
    fs::write(&path, archive(&[("set/a.bin", F, b"aaa")])).unwrap();
    fs::write(dir.join("set/a.bin"), b"mine").unwrap();
    let wanted = [described("set/a.bin", b"aaa")];
    let message = archive::unpack(&path, &wanted, &dir).unwrap_err().to_string();
    assert!(message.contains("nothing is overwritten"), "{message}");
    assert_eq!(fs::read(dir.join("set/a.bin")).unwrap(), b"mine");
}
