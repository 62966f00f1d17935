//! Starts and stops the test control plane by hand, or for as long as a command runs.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use belay_harness::{Cluster, ControlPlane, Lock, Tools, Watchdog};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep};

type Outcome = Result<ExitCode, Box<dyn std::error::Error>>;

const USAGE: &str =
    "usage: controlplane up | down | with COMMAND [ARGUMENT…] | guard COMMAND [ARGUMENT…]
  up     starts the control plane in the background, once, and prints its kubeconfig
  down   stops it and removes its data
  with   runs a command while it is up; stops it afterwards unless it was up before
  guard  runs a command and leaves nothing of it behind";

/// Building the tools is not part of it.
const UP_LIMIT: Duration = Duration::from_mins(3);
const DOWN_LIMIT: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = tokio::runtime::Runtime::new()
        .map_err(Into::into)
        .and_then(|runtime| {
            let outcome = runtime.block_on(obey(&args));
            // A build that is no longer wanted ends with the process.
            runtime.shutdown_background();
            outcome
        });
    outcome.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

async fn obey(args: &[String]) -> Outcome {
    let folder = Cluster::usual_folder();
    match args
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["up"] => up(&folder).await,
        ["down"] => down(&folder).await,
        ["run"] => run(&folder).await,
        ["with", command, args @ ..] => with(&folder, command, args).await,
        ["guard", command, args @ ..] => guard(&folder, command, args).await,
        _ => Err(USAGE.into()),
    }
}

/// Starts a supervisor in the background and waits for what it says.
async fn up(folder: &Path) -> Outcome {
    // Here and not in the background, because it takes minutes and says so.
    Tools::ensure().await?;
    if Cluster::running(folder).await?.is_none() {
        std::fs::create_dir_all(folder.parent().unwrap_or(folder))?;
        let log = folder.with_extension("log");
        let mut supervisor = Command::new(std::env::current_exe()?)
            .arg("run")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .process_group(0)
            .spawn()?;
        let started = Instant::now();
        while Cluster::running(folder).await?.is_none() {
            let ended = supervisor
                .try_wait()?
                .is_some_and(|status| !status.success());
            if ended || started.elapsed() > UP_LIMIT {
                return Err(format!(
                    "the control plane did not start: {}",
                    std::fs::read_to_string(&log)?
                )
                .into());
            }
            sleep(LOOK_AGAIN).await;
        }
    }
    println!("{}", folder.join("kubeconfig").display());
    Ok(ExitCode::SUCCESS)
}

async fn down(folder: &Path) -> Outcome {
    let started = Instant::now();
    loop {
        if let Some(_free) = Lock::take(folder)? {
            let _ = std::fs::remove_dir_all(folder);
            return Ok(ExitCode::SUCCESS);
        }
        // Only a process that holds the lock is asked: the number may have been given away since.
        if let Some(pid) = Cluster::supervisor(folder) {
            Command::new("kill")
                .arg(pid.to_string())
                .stderr(Stdio::null())
                .status()?;
        }
        if started.elapsed() > DOWN_LIMIT {
            return Err(format!("the control plane in {} does not stop", folder.display()).into());
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// Holds a control plane until it is told to stop or a part of it ends.
async fn run(folder: &Path) -> Outcome {
    let Some(_lock) = Lock::take(folder)? else {
        // Somebody else is just starting it: whoever waits looks at the folder.
        return Ok(ExitCode::SUCCESS);
    };
    let mut stop = Stop::new()?;
    let mut plane = tokio::select! {
        plane = ControlPlane::start(folder) => plane?,
        () = stop.asked() => return Ok(ExitCode::SUCCESS),
    };
    loop {
        tokio::select! {
            () = stop.asked() => return Ok(ExitCode::SUCCESS),
            () = sleep(LOOK_AGAIN) => plane.check()?,
        }
    }
}

async fn with(folder: &Path, command: &str, args: &[&str]) -> Outcome {
    let mut stop = Stop::new()?;
    let mut guard = None;
    if Cluster::running(folder).await?.is_none() {
        let Some(lock) = Lock::take(folder)? else {
            return Err(
                "another process is just starting or stopping the control plane; try again".into(),
            );
        };
        let plane = tokio::select! {
            plane = ControlPlane::start(folder) => plane?,
            () = stop.asked() => return Ok(ExitCode::FAILURE),
        };
        guard = Some((plane, lock));
    }
    let status = guarded(&mut stop, folder, command, args).await?;
    if let Some((plane, _)) = &mut guard {
        plane.check()?;
    }
    drop(guard);
    Ok(status)
}

/// Only the second half of `with`, for a command that needs no cluster.
async fn guard(folder: &Path, command: &str, args: &[&str]) -> Outcome {
    guarded(&mut Stop::new()?, folder, command, args).await
}

/// Runs a command. What it started ends with it, and all of it ends with us.
async fn guarded(stop: &mut Stop, folder: &Path, command: &str, args: &[&str]) -> Outcome {
    let mut watchdog = Watchdog::start(None)?;
    let mut child = watchdog.spawn(command.as_ref(), |command| {
        command
            .args(args)
            .env("KUBECONFIG", folder.join("kubeconfig"))
            .env("BELAY_CLUSTER", folder);
    })?;
    tokio::select! {
        status = tokio::task::spawn_blocking(move || child.wait()) => {
            Ok(ExitCode::from(status??.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
        }
        () = stop.asked() => {
            drop(watchdog);
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The ways in which a process is asked to end.
struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Stop {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
