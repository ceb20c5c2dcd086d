//! Processes that exchange results over TCP: one leads, the others join it; what each gives goes to the leader,
//! and all of it from there to all.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream, ToSocketAddrs},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use esgd_core::{Exchange, ExchangeError};

/// What a process says when it joins, before its rank and the number of processes.
const GREETING: &[u8; 8] = b"esgd/2\0\0";

/// More bytes than a message has.
const MOST: u64 = 1 << 40;

/// Bytes of the leader's answer: why there is no place, in so many at most, or nothing.
const ANSWER: usize = 128;

/// How long a leader listens to one that says nothing.
const GREETED: Duration = Duration::from_secs(2);

/// More time than anybody waits; a later one may be no time of this system.
const FOREVER: Duration = Duration::from_secs(1 << 30);

/// How long a process that joins waits between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// The connections of one process.
#[derive(Debug)]
pub struct Sockets {
    rank: usize,
    size: usize,
    /// To all others in order of their ranks, of the leader; else to the leader alone.
    peers: Mutex<Vec<TcpStream>>,
}

impl Sockets {
    /// Leads `size` processes, as rank 0, and waits until all others have joined at `listener`, for `patience` at most.
    /// Who says something else than they do is sent away; whose rank or size is wrong is told so.
    ///
    /// # Errors
    /// If one of them has not joined in time; if the listener fails.
    pub fn lead(listener: &TcpListener, size: usize, patience: Duration) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let peers = gather(listener, size, deadline(patience));
        listener.set_nonblocking(false)?;
        Ok(Self { rank: 0, size, peers: Mutex::new(peers?) })
    }

    /// Joins the leader at `address` as `rank`, from 1 to `size` − 1; tries again until it is there, for `patience` at
    /// most.
    ///
    /// # Errors
    /// If it is not there in time, or has no place for such a process.
    pub fn join(
        address: impl ToSocketAddrs,
        rank: usize,
        size: usize,
        patience: Duration,
    ) -> io::Result<Self> {
        let deadline = deadline(patience);
        let mut leader = loop {
            match TcpStream::connect(&address) {
                Ok(leader) => break leader,
                Err(e) if Instant::now() >= deadline => return Err(e),
                Err(_) => thread::sleep(PAUSE),
            }
        };
        leader.set_nodelay(true)?;
        leader.write_all(GREETING)?;
        for number in [rank, size] {
            leader.write_all(&(number as u64).to_le_bytes())?;
        }
        let mut answer = [0; ANSWER];
        read_by(&mut leader, &mut answer, deadline)
            .map_err(|e| io::Error::new(e.kind(), format!("no leader of a run answers: {e}")))?;
        let answer = String::from_utf8_lossy(&answer);
        match answer.trim_end_matches('\0') {
            "" => Ok(Self { rank, size, peers: Mutex::new(vec![leader]) }),
            why => Err(io::Error::new(io::ErrorKind::ConnectionRefused, why)),
        }
    }
}

/// When patience is over.
fn deadline(patience: Duration) -> Instant {
    Instant::now() + patience.min(FOREVER)
}

/// All other processes, in order of their ranks.
fn gather(listener: &TcpListener, size: usize, deadline: Instant) -> io::Result<Vec<TcpStream>> {
    let mut peers: Vec<Option<TcpStream>> = (1..size).map(|_| None).collect();
    while let Some(missing) = peers.iter().position(Option::is_none) {
        let mut peer = match listener.accept() {
            Ok((peer, _)) => peer,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock && Instant::now() < deadline => {
                thread::sleep(PAUSE);
                continue;
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                let why = format!("process {} of {size} has not joined in time", missing + 1);
                return Err(io::Error::new(io::ErrorKind::TimedOut, why));
            }
            Err(e) => return Err(e),
        };
        peer.set_nonblocking(false)?;
        peer.set_nodelay(true)?;
        // Who says nothing does not keep the others waiting.
        let Ok(joins) = greeted(&mut peer, deadline.min(Instant::now() + GREETED)) else {
            continue;
        };
        let refused = joins.refused(size, &peers);
        let mut answer = refused.clone().unwrap_or_default().into_bytes();
        answer.resize(ANSWER, 0);
        if peer.write_all(&answer).is_ok() && refused.is_none() {
            peers[joins.rank as usize - 1] = Some(peer);
        }
    }
    Ok(peers.into_iter().flatten().collect())
}

/// Fills `buffer` until a time.
fn read_by(peer: &mut TcpStream, buffer: &mut [u8], deadline: Instant) -> io::Result<()> {
    let mut read = 0;
    while read < buffer.len() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        peer.set_read_timeout(Some(left))?;
        match peer.read(&mut buffer[read..]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => read += n,
            // Of the time, above.
            Err(e)
                if matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
            Err(e) => return Err(e),
        }
    }
    peer.set_read_timeout(None)
}

/// Whether a process that had joined is there no more.
fn has_gone(peer: &TcpStream) -> bool {
    let looked = peer.set_nonblocking(true).and_then(|()| peer.peek(&mut [0]));
    let there = match looked {
        Ok(bytes) => bytes > 0,
        Err(e) => e.kind() == io::ErrorKind::WouldBlock,
    };
    peer.set_nonblocking(false).is_err() || !there
}

/// As what a process joins.
struct Joins {
    rank: u64,
    size: u64,
}

impl Joins {
    /// Why there is no place for it, if there is none.
    fn refused(&self, size: usize, peers: &[Option<TcpStream>]) -> Option<String> {
        let Self { rank, size: theirs } = *self;
        if theirs != size as u64 {
            return Some(format!("the run has {size} processes, not {theirs}"));
        }
        let place = usize::try_from(rank).ok().and_then(|rank| peers.get(rank.checked_sub(1)?));
        match place {
            None => Some(format!("there is no process {rank}: expected one of 1 to {}", size - 1)),
            Some(Some(peer)) if !has_gone(peer) => {
                Some(format!("process {rank} has joined already"))
            }
            Some(_) => None,
        }
    }
}

impl Exchange for Sockets {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn all_gather(&self, mine: Vec<u8>) -> Result<Vec<Vec<u8>>, ExchangeError> {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = |rank: usize, e: io::Error| format!("process {rank} has gone: {e}");
        let mut all = vec![];
        if self.rank == 0 {
            all.push(mine);
            for (peer, rank) in peers.iter_mut().zip(1..) {
                all.push(receive(peer).map_err(|e| gone(rank, e))?);
            }
            for (peer, rank) in peers.iter_mut().zip(1..) {
                all.iter().try_for_each(|one| send(peer, one)).map_err(|e| gone(rank, e))?;
            }
        } else if let Some(leader) = peers.first_mut() {
            send(leader, &mine).map_err(|e| gone(0, e))?;
            for _ in 0..self.size {
                all.push(receive(leader).map_err(|e| gone(0, e))?);
            }
        }
        Ok(all)
    }
}

/// As what a process joins that says so until a time.
fn greeted(peer: &mut TcpStream, deadline: Instant) -> io::Result<Joins> {
    let mut said = [0; GREETING.len() + 16];
    read_by(peer, &mut said, deadline)?;
    let number = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&said[at..at + 8]);
        u64::from_le_bytes(bytes)
    };
    match said.starts_with(GREETING) {
        true => Ok(Joins { rank: number(8), size: number(16) }),
        false => Err(io::Error::other("it is no process of a run")),
    }
}

fn send(peer: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    peer.write_all(&(bytes.len() as u64).to_le_bytes())?;
    peer.write_all(bytes)
}

fn receive(peer: &mut TcpStream) -> io::Result<Vec<u8>> {
    let length = number(peer)?;
    if length > MOST {
        return Err(io::Error::other(format!("it announces {length} bytes")));
    }
    // What was announced and never comes takes no memory.
    let mut bytes = vec![];
    peer.take(length).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == length {
        true => Ok(bytes),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn number(peer: &mut TcpStream) -> io::Result<u64> {
    let mut bytes = [0; 8];
    peer.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    /// Runs `f` as each of three processes.
    fn together<R: Send>(f: impl Fn(Sockets) -> R + Sync) -> Vec<R> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::scope(|scope| {
            let join = |rank| Sockets::join(address, rank, 3, PATIENCE).unwrap();
            // One that is none of them.
            scope.spawn(move || {
                TcpStream::connect(address).unwrap().write_all(b"GET / HTTP/1.1\r\n\r\n")
            });
            let f = &f;
            let others: Vec<_> = [1, 2].map(|rank| scope.spawn(move || f(join(rank)))).into();
            let first = f(Sockets::lead(&listener, 3, PATIENCE).unwrap());
            let others = others.into_iter().map(|one| one.join().unwrap());
            [first].into_iter().chain(others).collect()
        })
    }

    #[test]
    fn all_have_what_each_gave_in_order() {
        let all = together(|sockets| {
            let mine = |round: usize| vec![sockets.rank() as u8; 100_000 * round + sockets.rank()];
            (0..3).map(|round| sockets.all_gather(mine(round)).unwrap()).collect::<Vec<_>>()
        });
        for one in &all {
            for (round, given) in one.iter().enumerate() {
                let expected = (0..3).map(|rank| vec![rank as u8; 100_000 * round + rank]);
                assert!(given.iter().eq(&expected.collect::<Vec<_>>()));
            }
        }
    }

    #[test]
    fn patience_may_be_without_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let all = thread::scope(|scope| {
            let other = scope.spawn(|| Sockets::join(address, 1, 2, Duration::MAX).is_ok());
            [Sockets::lead(&listener, 2, Duration::MAX).is_ok(), other.join().unwrap()]
        });
        assert_eq!(all, [true; 2]);
    }

    #[test]
    fn who_has_gone_is_named() {
        let messages = together(|sockets| {
            if sockets.rank() == 2 {
                return String::new();
            }
            let all = (0..2).map(|_| sockets.all_gather(vec![1])).find_map(Result::err);
            all.unwrap().to_string()
        });
        assert!(messages[0].contains("process 2 has gone"), "{messages:?}");
        assert!(messages[1].contains("process 0 has gone"), "{messages:?}");
    }

    #[test]
    fn who_has_no_place_is_told_at_once_and_the_others_are_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::scope(|scope| {
            let leader = scope.spawn(|| Sockets::lead(&listener, 3, PATIENCE).unwrap());
            let join = |rank, size| Sockets::join(address, rank, size, PATIENCE);
            let first = join(1, 3).unwrap();
            for (rank, size, why) in [
                (1, 3, "process 1 has joined already"),
                (0, 3, "there is no process 0: expected one of 1 to 2"),
                (3, 3, "there is no process 3: expected one of 1 to 2"),
                (2, 4, "the run has 3 processes, not 4"),
            ] {
                let refused = join(rank, size).unwrap_err();
                assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
                assert_eq!(refused.to_string(), why);
            }
            let second = join(2, 3).unwrap();
            let leader = leader.join().unwrap();
            assert_eq!([leader.rank(), first.rank(), second.rank()], [0, 1, 2]);
        });
    }

    #[test]
    fn a_leader_does_not_wait_for_ever() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let late = Sockets::lead(&listener, 2, Duration::ZERO).unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
        assert_eq!(late.to_string(), "process 1 of 2 has not joined in time");
    }

    #[test]
    fn who_says_nothing_keeps_nobody_waiting_longer_than_was_asked() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mute: Vec<_> = (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
        let short = Duration::from_millis(200);
        let kind = |result: io::Result<Sockets>| result.unwrap_err().kind();
        assert_eq!(kind(Sockets::lead(&listener, 2, short)), io::ErrorKind::TimedOut);
        // Nobody accepts it.
        let alone = Sockets::join(address, 1, 2, short).unwrap_err();
        assert!(alone.to_string().contains("no leader of a run answers"), "{alone}");
        drop(mute);
    }

    #[test]
    fn one_that_has_gone_may_join_again() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::scope(|scope| {
            let leader = scope.spawn(|| Sockets::lead(&listener, 3, PATIENCE).unwrap());
            drop(Sockets::join(address, 1, 3, PATIENCE).unwrap());
            let again = scope.spawn(|| Sockets::join(address, 1, 3, PATIENCE).unwrap());
            let first = again.join().unwrap();
            let second = Sockets::join(address, 2, 3, PATIENCE).unwrap();
            let leads = scope.spawn(|| leader.join().unwrap().all_gather(vec![0]).unwrap());
            let others = [first, second]
                .map(|one| scope.spawn(move || one.all_gather(vec![one.rank() as u8]).unwrap()));
            for one in others {
                assert_eq!(one.join().unwrap(), [[0], [1], [2]]);
            }
            assert_eq!(leads.join().unwrap(), [[0], [1], [2]]);
        });
    }
}
