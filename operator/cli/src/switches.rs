//! Switches that are given a value, as Go's flags may be: `--strict=true`, `--include-crds=false`.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Command};

/// Reads a command line, and once more without the value of each switch that has one.
pub(crate) fn matches(
    command: &Command,
    mut line: Vec<OsString>,
) -> Result<ArgMatches, clap::Error> {
    loop {
        let refusal = match command.clone().try_get_matches_from(&line) {
            Ok(matches) => return Ok(matches),
            Err(refusal) => refusal,
        };
        let Some((switch, value)) = switched(&refusal) else {
            return Err(refusal);
        };
        let given = OsString::from(format!("{switch}={value}"));
        let Some(at) = line.iter().position(|argument| *argument == given) else {
            return Err(refusal);
        };
        match truth(&value) {
            Some(true) => line[at] = switch.into(),
            // The last one decides.
            Some(false) => {
                let behind = line.split_off(at + 1);
                line.retain(|argument| *argument != *switch && *argument != given);
                line.extend(behind);
            }
            None => {
                let text = format!(
                    "invalid argument {value:?} for {switch:?} flag: strconv.ParseBool: parsing {value:?}: invalid syntax"
                );
                return Err(clap::Error::raw(ErrorKind::InvalidValue, text));
            }
        }
    }
}

/// The switch that was refused because it takes no value, and its value.
fn switched(refusal: &clap::Error) -> Option<(String, String)> {
    if refusal.kind() != ErrorKind::TooManyValues {
        return None;
    }
    let told = |kind| match refusal.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    };
    Some((
        told(ContextKind::InvalidArg)?,
        told(ContextKind::InvalidValue)?,
    ))
}

/// The words that `strconv.ParseBool` knows.
fn truth(word: &str) -> Option<bool> {
    match word {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction};

    use super::*;

    fn read(line: &str) -> Result<(bool, bool, Option<String>), String> {
        let switch = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
        let command = Command::new("a").subcommand(
            Command::new("b")
                .args([switch("strict"), switch("quiet")])
                .arg(Arg::new("chart")),
        );
        let line = line.split(' ').map(OsString::from).collect();
        let matches = matches(&command, line).map_err(|error| error.to_string())?;
        let (_, of) = matches.subcommand().unwrap();
        let chart = of.get_one::<String>("chart").cloned();
        Ok((of.get_flag("strict"), of.get_flag("quiet"), chart))
    }

    #[test]
    fn a_switch_may_be_told_whether_it_is_on() {
        let chart = || Some("c".to_owned());
        assert_eq!(read("a b --strict=true c"), Ok((true, false, chart())));
        assert_eq!(
            read("a b --strict=0 --quiet=T c"),
            Ok((false, true, chart()))
        );
        assert_eq!(
            read("a b c --strict --strict=false"),
            Ok((false, false, chart()))
        );
        assert_eq!(
            read("a b --strict=false --strict c"),
            Ok((true, false, chart()))
        );
        assert_eq!(
            read("a b -- --strict=true"),
            Ok((false, false, Some("--strict=true".to_owned())))
        );
        let refusal = read("a b --strict=maybe c").unwrap_err();
        assert!(
            refusal.contains("invalid argument \"maybe\" for \"--strict\" flag"),
            "{refusal}"
        );
    }
}
