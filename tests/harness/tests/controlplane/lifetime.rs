//! Nothing is left running, whatever way the owner ends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use belay_harness::Watchdog;

#[test]
fn a_guarded_process_and_its_folder_end_with_their_owner() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("data");
    std::fs::create_dir(&inner).unwrap();
    let mut watchdog = Watchdog::start(Some(&inner)).unwrap();
    let mut sleeper = watchdog
        .spawn("sleep".as_ref(), |command| {
            command.arg("600");
        })
        .unwrap();

    drop(watchdog);

    assert!(!sleeper.wait().unwrap().success());
    assert!(!inner.exists());
}

#[test]
fn a_command_that_is_killed_takes_what_it_started_with_it() {
    // The pipe is inherited by the sleeper: it closes only when both are gone.
    let mut owner = Command::new(env!("CARGO_BIN_EXE_controlplane"))
        .args(["guard", "sh", "-c", "echo started; sleep 600"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(owner.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "started\n");

    owner.kill().unwrap();

    output.read_to_string(&mut line).unwrap();
    owner.wait().unwrap();
}

#[test]
fn a_command_gives_its_own_exit_status() {
    let status = Command::new(env!("CARGO_BIN_EXE_controlplane"))
        .args(["guard", "sh", "-c", "exit 7"])
        .status();
    assert_eq!(status.unwrap().code(), Some(7));
}
