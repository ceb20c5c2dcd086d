//! Ctrl-C, SIGTERM and SIGHUP: the first one asks the run to stop and save, the second ends the program at
//! once, which loses nothing that was saved.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

use crate::failure::Failure;

/// Whether the program was asked to stop, and by what.
/// By itself it hears of no signal.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    stop: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Listens from here on; `told` is called once, when a signal has asked to stop.
    ///
    /// # Errors
    /// That the system lets nobody listen.
    pub fn listen(told: impl FnOnce() + Send + 'static) -> Result<Self, Failure> {
        let this = Self::default();
        let cannot = |e: io::Error| Failure::Failed(format!("cannot listen for Ctrl-C: {e}"));
        this.register().map_err(cannot)?;
        let watched = this.clone();
        // A signal's handler may do next to nothing.
        let tell = move || {
            while !watched.stop.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(100));
            }
            if watched.signal.load(Ordering::Relaxed) > 0 {
                told();
            }
        };
        thread::Builder::new().spawn(tell).map_err(cannot)?;
        Ok(this)
    }

    fn register(&self) -> io::Result<()> {
        for signal in signals() {
            // In this order: the first signal finds the flag that the second acts on still lowered.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&self.stop))?;
            flag::register_usize(signal, Arc::clone(&self.signal), signal as usize)?;
            flag::register(signal, Arc::clone(&self.stop))?;
        }
        // What may not grow any more (`ulimit -f`) is an error of whoever writes, as a full disk is.
        #[cfg(unix)]
        flag::register(signal_hook::consts::SIGXFSZ, Arc::default())?;
        Ok(())
    }

    /// Asks to stop as a signal would; the first one then ends the program at once.
    pub fn raise(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// What becomes true.
    pub fn flag(&self) -> &AtomicBool {
        &self.stop
    }

    /// The failure that a program ends with that a signal has interrupted.
    pub(crate) fn failure(&self, what: impl FnOnce() -> String) -> Option<Failure> {
        let signal = self.signal.load(Ordering::Relaxed);
        (signal > 0).then(|| Failure::Interrupted { signal: signal as u8, message: what() })
    }
}

/// The signals to listen for.
#[cfg(unix)]
fn signals() -> Vec<i32> {
    use signal_hook::consts::SIGHUP;
    let mut signals = vec![SIGINT, SIGTERM];
    if !hangups_are_ignored() {
        signals.push(SIGHUP);
    }
    signals
}

#[cfg(not(unix))]
fn signals() -> Vec<i32> {
    vec![SIGINT, SIGTERM]
}

/// Whether the program was started by `nohup`, and is to go on when its terminal closes.
#[cfg(unix)]
fn hangups_are_ignored() -> bool {
    use std::{fs, io::IsTerminal};
    match fs::read_to_string("/proc/self/status") {
        Ok(status) => ignores(&status, signal_hook::consts::SIGHUP),
        // Elsewhere it cannot be asked for; `nohup` leaves no terminal to write to.
        Err(_) => !io::stderr().is_terminal(),
    }
}

/// Whether a process of this status, as Linux has it, ignores a signal.
#[cfg(unix)]
fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_nohup_ignores_is_ignored() {
        assert!(ignores("Name:\tesgd\nSigIgn:\t0000000000001001\nSigCgt:\t0", 1));
        assert!(!ignores("Name:\tesgd\nSigIgn:\t0000000000001000\n", 1));
        assert!(!ignores("Name:\tesgd\nSigIgn:\tnonsense\n", 1) && !ignores("", 1));
    }
}
