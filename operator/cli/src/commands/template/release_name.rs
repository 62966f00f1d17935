//! The release's name: given, from a template, or Helm's stand-in.

use belay_template::{Options, Render, Set, Template, Value, run_with_stack};

use crate::error::Error;
use crate::host::LocalHost;

/// The longest name of a release.
const MAX_NAME: usize = 53;

/// The release's name and the chart, from what stands on the command line.
pub(super) fn split(names: &[String], template: Option<&str>) -> Result<(String, String), Error> {
    let refused = |text: &str| Err(Error::Template(text.to_owned()));
    match (names, template) {
        ([], _) => refused(
            "\"belay template\" requires at least 1 argument\n\nUsage:  belay template [NAME] [CHART] [flags]",
        ),
        ([chart], None) => Ok(("release-name".to_owned(), chart.clone())),
        ([chart], Some(template)) => Ok((executed(template)?, chart.clone())),
        ([name, chart], None) => Ok((name.clone(), chart.clone())),
        ([_, _], Some(_)) => refused("cannot set --name-template and also specify a name"),
        ([_, _, rest @ ..], _) => {
            let rest = rest.join(", ");
            refused(&format!(
                "expected at most two arguments, unexpected arguments: {rest}"
            ))
        }
    }
}

fn executed(template: &str) -> Result<String, Error> {
    let work = || {
        let parsed = Template::parse("", template).map_err(|error| error.to_string())?;
        let mut set = Set::new();
        set.add(&parsed);
        let mut host = LocalHost;
        let mut render = Render::new(&set, &mut host, Options::default());
        let output = render
            .execute("", &Value::Nil)
            .map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    };
    run_with_stack(work)
        .map_err(|error| Error::Template(error.to_string()))?
        .map_err(Error::Template)
}

/// What is wrong, in Helm's words, with what Kubernetes could not use as a name.
pub(super) fn check(name: &str) -> Result<(), String> {
    if name.len() <= MAX_NAME && name.split('.').all(is_label) {
        return Ok(());
    }
    let problem = if name.is_empty() {
        "no name provided".to_owned()
    } else {
        format!(
            "invalid release name, must match regex {} and the length must not be longer than {MAX_NAME}",
            r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
        )
    };
    Err(format!("release name {name:?}: {problem}"))
}

fn is_label(label: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    label.starts_with(inner)
        && label.ends_with(inner)
        && label.chars().all(|c| inner(c) || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_name_is_optional() {
        let (name, chart) = split(&names(&["./web"]), None).unwrap();
        assert_eq!((name.as_str(), chart.as_str()), ("release-name", "./web"));

        let (name, chart) = split(&names(&["shop", "./web"]), None).unwrap();
        assert_eq!((name.as_str(), chart.as_str()), ("shop", "./web"));
    }

    #[test]
    fn a_template_gives_the_name_but_not_beside_one() {
        let (name, _) = split(&names(&["./web"]), Some(r#"x-{{ "A" | lower }}"#)).unwrap();
        assert_eq!(name, "x-a");

        assert!(split(&names(&["shop", "./web"]), Some("x")).is_err());
    }

    #[test]
    fn names_that_kubernetes_could_not_use_are_refused() {
        for good in ["a", "a-b.c", "0"] {
            assert!(check(good).is_ok(), "{good}");
        }
        let long = "a".repeat(54);
        for bad in ["", "A", "-a", "a-", "a..b", &long] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
