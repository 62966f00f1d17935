//! The `belay` command: the operator itself, and what people do with releases by hand.
//!
//! Works as a kubectl plugin too: put it on the path as `kubectl-belay`.

mod args;
mod chart_argument;
mod commands;
mod connect;
mod error;
mod file_expression;
mod follow;
mod host;
mod locate;
mod package;
mod page;
mod proof;
mod release_spec;
mod runtime;
mod stdout;
mod style;
mod switches;
mod value_flags;
mod when;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::args::Arguments;

/// What a shell reports of a program whose reader is gone: 128 and the signal's number.
const OF_A_CLOSED_PIPE: u8 = 141;

fn main() -> ExitCode {
    let arguments = match parse() {
        Ok(arguments) => arguments,
        Err(refusal) => return refused(&refusal),
    };
    commands::run(arguments).unwrap_or_else(|error| {
        if error.is_closed_pipe() {
            return ExitCode::from(OF_A_CLOSED_PIPE);
        }
        eprintln!("Error: {}", error::told_once(&error));
        ExitCode::FAILURE
    })
}

/// Prints help where it was asked for, and else what is wrong as every other error.
fn refused(refusal: &clap::Error) -> ExitCode {
    if !refusal.use_stderr() {
        // Nobody reads it any more, then.
        let _ = refusal.print();
        return ExitCode::SUCCESS;
    }
    let text = refusal.render().to_string();
    eprint!("Error: {}", text.strip_prefix("error: ").unwrap_or(&text));
    ExitCode::FAILURE
}

/// Help shows the name that the user called: `belay`, or `kubectl belay` as a plugin.
fn parse() -> Result<Arguments, clap::Error> {
    let plugin = std::env::args_os()
        .next()
        .map(std::path::PathBuf::from)
        .and_then(|path| Some(path.file_name()?.to_str()?.starts_with("kubectl-")))
        .unwrap_or(false);
    let command = Arguments::command();
    let command = if plugin {
        command.bin_name("kubectl belay")
    } else {
        command
    };
    let line = std::env::args_os().collect();
    Arguments::from_arg_matches(&switches::matches(&command, line)?)
}
