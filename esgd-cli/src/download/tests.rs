//! Downloads from a server of our own, with good, broken and wicked answers.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use tar::{Builder, Header};
use tempfile::TempDir;

use super::*;

mod others;

/// What the server does with the n-th request for a file of these bytes.
type Answer = fn(&[u8], n: usize, from: Option<usize>, &mut TcpStream);

/// A server on this machine, and what it was asked.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

fn serve(bytes: Vec<u8>, answer: Answer) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let (log, count) = (asked.clone(), AtomicUsize::new(0));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let request: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let range = request.iter().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                let value = value.strip_prefix("bytes=")?.strip_suffix('-')?;
                name.eq_ignore_ascii_case("range").then(|| value.parse().ok()).flatten()
            });
            log.lock().unwrap().push(format!("{} from {range:?}", request[0]));
            answer(&bytes, count.fetch_add(1, Ordering::Relaxed), range, &mut stream);
        }
    });
    Server { url, asked }
}

fn head(stream: &mut TcpStream, status: &str, length: usize, more: &str) {
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
}

/// A well-behaved server's.
fn good(bytes: &[u8], _: usize, from: Option<usize>, stream: &mut TcpStream) {
    match from {
        Some(from) => {
            let range =
                format!("Content-Range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len());
            head(stream, "206 Partial Content", bytes.len() - from, &range);
            stream.write_all(&bytes[from..]).unwrap();
        }
        None => {
            head(stream, "200 OK", bytes.len(), "");
            stream.write_all(bytes).unwrap();
        }
    }
}

fn bytes() -> Vec<u8> {
    (0..200_000u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect()
}

/// Text that lives as long as the program, as a catalogue's does.
fn forever(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn described(path: &'static str, bytes: &[u8]) -> Named {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("x"), bytes).unwrap();
    let sha256 = forever(checksum::sha256(&dir.path().join("x")).unwrap());
    Named { path, size: bytes.len() as u64, sha256 }
}

fn client() -> Client<'static> {
    let (pause, silence) = (Duration::from_millis(1), Duration::from_millis(500));
    Client::new(&(), Retry { attempts: 3, pause, silence })
}

/// Fetches `bytes()` from a server that answers so, into a folder that holds `before` of it.
fn fetch(answer: Answer, before: Option<Vec<u8>>) -> (TempDir, Result<(), String>, Server) {
    let (bytes, dir) = (bytes(), tempfile::tempdir().unwrap());
    let server = serve(bytes.clone(), answer);
    let part = dir.path().join("file.part");
    if let Some(before) = before {
        fs::write(&part, before).unwrap();
    }
    let url = format!("{}file", server.url);
    let result = client().fetch(&url, &described("file", &bytes), &part);
    (dir, result, server)
}

fn part(dir: &TempDir) -> PathBuf {
    dir.path().join("file.part")
}

#[test]
fn a_whole_file_arrives() {
    let (dir, result, _) = fetch(good, None);
    result.unwrap();
    assert_eq!(fs::read(part(&dir)).unwrap(), bytes());
}

#[test]
fn a_download_goes_on_where_it_broke_off() {
    let breaks: Answer = |bytes, n, from, stream| {
        if n == 0 {
            head(stream, "200 OK", bytes.len(), "");
            stream.write_all(&bytes[..70_000]).unwrap();
        } else {
            good(bytes, n, from, stream);
        }
    };
    let (dir, result, server) = fetch(breaks, None);
    result.unwrap();
    assert_eq!(fs::read(part(&dir)).unwrap(), bytes());
    let asked = server.asked.lock().unwrap();
    assert_eq!(asked.len(), 2);
    assert!(asked[0].ends_with("None") && asked[1].contains("Some("), "{asked:?}");
    // Also where another process has begun, and on a server that always sends everything.
    let (dir, result, _) = fetch(good, Some(bytes()[..123].to_vec()));
    result.unwrap();
    assert_eq!(fs::read(part(&dir)).unwrap(), bytes());
    let all: Answer = |bytes, n, _, stream| good(bytes, n, None, stream);
    let (dir, result, _) = fetch(all, Some(bytes()[..123].to_vec()));
    result.unwrap();
    assert_eq!(fs::read(part(&dir)).unwrap(), bytes());
}

/// Sends 30 kB of what is left of the file, and no more.
fn some(bytes: &[u8], from: Option<usize>, stream: &mut TcpStream) {
    let from = from.unwrap_or(0);
    let range = format!("Content-Range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len());
    let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
    head(stream, status, bytes.len() - from, &range);
    stream.write_all(&bytes[from..bytes.len().min(from + 30_000)]).unwrap();
}

#[test]
fn it_goes_on_as_long_as_each_attempt_brings_more() {
    let (dir, result, server) = fetch(|bytes, _, from, stream| some(bytes, from, stream), None);
    result.unwrap();
    assert_eq!(fs::read(part(&dir)).unwrap(), bytes());
    assert_eq!(server.asked.lock().unwrap().len(), 7);
}

#[test]
fn what_stays_cut_off_is_an_error_and_can_be_gone_on_with() {
    let cut: Answer = |bytes, n, from, stream| match n {
        0..3 => some(bytes, from, stream),
        _ => head(stream, "503 Service Unavailable", 0, ""),
    };
    let (dir, result, server) = fetch(cut, None);
    let message = result.unwrap_err();
    assert!(message.contains("status 503; the same command goes on"), "{message}");
    assert_eq!(fs::read(part(&dir)).unwrap(), &bytes()[..90_000]);
    assert_eq!(server.asked.lock().unwrap().len(), 6, "three brought more and three did not");
}

#[test]
fn a_server_that_falls_silent_is_asked_again() {
    let silent: Answer = |bytes, n, from, stream| {
        if n > 0 {
            return good(bytes, n, from, stream);
        }
        head(stream, "200 OK", bytes.len(), "");
        stream.write_all(&bytes[..50_000]).unwrap();
        // The connection stays open, and nothing comes.
        std::mem::forget(stream.try_clone().unwrap());
    };
    let (dir, result, server) = fetch(silent, None);
    result.unwrap();
    assert_eq!(fs::read(part(&dir)).unwrap(), bytes());
    assert!(server.asked.lock().unwrap()[1].ends_with("Some(50000)"));
}

#[test]
fn what_cannot_be_gone_on_with_is_begun_anew() {
    let unsatisfiable: Answer = |bytes, n, from, stream| match from {
        Some(_) => head(stream, "416 Range Not Satisfiable", 0, ""),
        None => good(bytes, n, None, stream),
    };
    let (dir, result, _) = fetch(unsatisfiable, Some(bytes()[..123].to_vec()));
    result.unwrap();
    assert_eq!(fs::read(part(&dir)).unwrap(), bytes());
}

#[test]
fn what_is_not_the_official_file_is_refused_and_removed() {
    let corrupt: Answer = |bytes, n, from, stream| {
        let mut bytes = bytes.to_vec();
        bytes[100_000] ^= 1;
        good(&bytes, n, from, stream);
    };
    let endless: Answer = |bytes, _, _, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").unwrap();
        while stream.write_all(bytes).is_ok() {}
    };
    let elsewhere: Answer = |bytes, _, _, stream| {
        head(stream, "206 Partial Content", 10, "Content-Range: bytes 0-9/10\r\n");
        stream.write_all(&bytes[..10]).unwrap();
    };
    let missing: Answer = |_, _, _, stream| head(stream, "404 Not Found", 0, "");
    for (answer, expected) in [
        (corrupt, "SHA-256"),
        (endless, "sends more bytes, expected the 200000"),
        (missing, "status 404"),
    ] {
        let (dir, result, _) = fetch(answer, None);
        let message = result.unwrap_err();
        assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        assert!(!part(&dir).exists(), "{expected}");
    }
    // What was there is neither lost nor continued with bytes from elsewhere.
    let (dir, result, _) = fetch(elsewhere, Some(bytes()[..123].to_vec()));
    assert!(result.unwrap_err().contains("status 206"));
    assert_eq!(fs::read(part(&dir)).unwrap().len(), 123);
    // Nor for a page that is another file.
    let page: Answer = |_, n, _, stream| good(b"<html>sign in</html>", n, None, stream);
    let longer: Answer = |bytes, n, from, stream| good(&[bytes, b"x"].concat(), n, from, stream);
    for answer in [page, longer] {
        let (dir, result, _) = fetch(answer, Some(bytes()[..123].to_vec()));
        assert!(result.unwrap_err().contains("expected the 200000 of the official file"));
        assert_eq!(fs::read(part(&dir)).unwrap().len(), 123);
    }
    // A damaged beginning ends in an error, and the next attempt is whole.
    let (dir, result, _) = fetch(good, Some(vec![9; 123]));
    assert!(result.unwrap_err().contains("SHA-256") && !part(&dir).exists());
}

#[test]
fn a_server_that_is_not_there_is_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let file = described("file", b"x");
    let url = "http://127.0.0.1:9/file";
    let message = client().fetch(url, &file, &part(&dir)).unwrap_err();
    assert!(message.contains("cannot be reached") && !message.contains('\n'), "{message}");
}

/// A .tar.gz with these entries: path, type, contents.
fn archive(entries: &[(&str, EntryKind, &[u8])]) -> Vec<u8> {
    let mut tar = Builder::new(GzEncoder::new(vec![], Compression::fast()));
    for (path, kind, contents) in entries {
        let mut header = Header::new_gnu();
        // `set_path` refuses what an attacker would write.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        match kind {
            EntryKind::File => header.set_entry_type(tar::EntryType::Regular),
            EntryKind::Folder => header.set_entry_type(tar::EntryType::Directory),
            EntryKind::Link => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_link_name("/etc").unwrap();
            }
        }
        header.set_cksum();
        tar.append(&header, *contents).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

#[derive(Clone, Copy)]
enum EntryKind {
    File,
    Folder,
    Link,
}
use EntryKind::{File as F, Folder, Link};

fn unpack(archive: &[u8]) -> (TempDir, Result<(), Failure>) {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("inner");
    fs::create_dir(&dir).unwrap();
    let path = outer.path().join("x.tar.gz");
    fs::write(&path, archive).unwrap();
    let wanted = [described("set/a.bin", b"aaa"), described("set/b.bin", b"bbbb")];
    let result = archive::unpack(&path, &wanted, &dir);
    (outer, result)
}

#[test]
fn an_archive_gives_what_is_wanted_of_it() {
    let all = archive(&[
        ("set/", Folder, b""),
        ("set/a.bin", F, b"aaa"),
        ("set/readme", F, b"hello"),
        ("./set/b.bin", F, b"bbbb"),
    ]);
    let (outer, result) = unpack(&all);
    result.unwrap();
    let set = outer.path().join("inner/set");
    assert_eq!(fs::read(set.join("a.bin")).unwrap(), b"aaa");
    assert_eq!(fs::read_dir(&set).unwrap().count(), 2);
    assert_eq!(
        fs::read_dir(outer.path().join("inner")).unwrap().count(),
        1,
        "nothing is left over"
    );
}

#[test]
fn a_wicked_or_damaged_archive_leaves_nothing() {
    let good: [(&str, EntryKind, &[u8]); 2] = [("set/a.bin", F, b"aaa"), ("set/b.bin", F, b"bbbb")];
    let with = |entry| archive(&[good[0], good[1], entry]);
    let whole = archive(&good);
    for (bytes, expected) in [
        (with(("../escaped", F, b"x")), "outside its folder"),
        (with(("set/../../escaped", F, b"x")), "outside its folder"),
        (with(("/tmp/escaped", F, b"x")), "outside its folder"),
        (with(("set/link", Link, b"")), "has a link"),
        (archive(&[good[0]]), "has no set/b.bin"),
        (archive(&[good[0], ("set/b.bin", F, b"bbbc")]), "SHA-256"),
        (archive(&[good[0], ("set/b.bin", F, b"bbbbb")]), "it has 5 bytes, expected 4"),
        (whole[..whole.len() / 2].to_vec(), "damaged"),
        (b"no archive at all".to_vec(), "damaged"),
    ] {
        let (outer, result) = unpack(&bytes);
        let message = result.unwrap_err().to_string();
        assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        assert_eq!(fs::read_dir(outer.path().join("inner")).unwrap().count(), 0);
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 2, "something escaped");
    }
}

#[test]
fn the_catalogue_is_well_formed() {
    for entry in CATALOGUE {
        let held = |file: &Download| [&[file.file], file.holds].concat();
        for file in entry.files.iter().flat_map(held) {
            assert!(file.sha256.len() == 64 && file.size > 0, "{}", file.path);
            assert!(file.sha256.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)));
        }
    }
}

/// Against the real files, through the whole command, where they are.
#[test]
fn official_files_are_known() {
    let Some(data) = std::env::var_os("ESGD_DATA") else {
        eprintln!(
            "SKIPPED official_files_are_known: ESGD_DATA names no folder with the real files"
        );
        return;
    };
    let from = Path::new(&data).join("fashion-mnist");
    let entry = CATALOGUE.iter().find(|entry| entry.name == "fashion-mnist").unwrap();
    for file in entry.files {
        assert_eq!(checksum::fault(&file.file, &from.join(file.file.path)), None);
    }
    let labels = entry.files[3].file;
    let dir = tempfile::tempdir().unwrap();
    let server = serve(fs::read(from.join(labels.path)).unwrap(), good);
    let client = client();
    let get = || get(&client, entry, &entry.files[3], Some(&server.url), dir.path());
    get().unwrap();
    get().unwrap();
    assert_eq!(server.asked.lock().unwrap().len(), 1, "what is there is not downloaded again");
    assert!(is_there(&labels, dir.path()));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}
