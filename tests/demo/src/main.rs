//! Tells Belay's story on a real control plane, live: install, upgrade, a bad upgrade that takes itself back, and a
//! rollback by request. Each step is looked for in the cluster; the exit status is 0 only if all was seen there.

mod describe;
mod error;
mod ground;
mod programs;
mod seen;
mod serving;
mod story;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::Error;
use crate::ground::Ground;
use crate::terminal::Terminal;

const USAGE: &str = "usage: belay-demo [--kubeconfig FILE | --describe PAGE]
  Without a kubeconfig a control plane of the demo's own is started, and ended with it.
  With a page: lets five changes end badly, and writes what `kubectl describe` says of them.";
/// What is left of a story in a cluster of the user's is taken away within this.
const TIDY_LIMIT: Duration = Duration::from_mins(2);

#[tokio::main]
async fn main() -> ExitCode {
    // Fails only when somebody chose a provider already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let terminal = Terminal::new();
    match run(&terminal).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal.failed(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(terminal: &Terminal) -> Result<(), Error> {
    let (kubeconfig, page) = arguments()?;
    let mut interrupted = Interrupted::new()?;
    let mut ground = tokio::select! {
        ground = Ground::lay(kubeconfig, terminal) => ground?,
        () = interrupted.asked() => return Err(Error::Interrupted),
    };
    let telling = async {
        match &page {
            Some(page) => describe::write(&ground, terminal, page).await,
            None => story::tell(&ground, terminal).await,
        }
    };
    let told = tokio::select! {
        told = telling => told,
        () = interrupted.asked() => Err(Error::Interrupted),
    };
    if let Err(error) = &told
        && !matches!(error, Error::Interrupted)
    {
        terminal.aside(&format!(
            "the end of the operator's log:\n{}",
            ground.log_tail()
        ));
        ground.check_operator()?;
    }
    let tidied = tokio::time::timeout(TIDY_LIMIT, ground.leave(terminal)).await;
    told?;
    tidied.map_err(|_| Error::NotTidied)?
}

/// The user's kubeconfig, or the page to write.
fn arguments() -> Result<(Option<PathBuf>, Option<PathBuf>), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => Ok((None, None)),
        ["--kubeconfig", file] => Ok((Some(file.into()), None)),
        ["--describe", page] => Ok((None, Some(page.into()))),
        _ => Err(Error::Usage(USAGE)),
    }
}

/// The ways in which a process is asked to end.
struct Interrupted {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Interrupted {
    fn new() -> Result<Self, Error> {
        let listen = |kind| signal(kind).map_err(Error::Signals);
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
