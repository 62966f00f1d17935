//! `belay values`: what the values of a release come to, and where each of them is from.

use std::process::ExitCode;

use belay_api::helm_release::{ValuesKind, ValuesReference};
use belay_chart::{Layers, Values};
use belay_controller::{
    Keys, Origin, asked_chart, keys_of_config_map, keys_of_secret, merge_values, with_defaults,
};
use belay_yaml::Value;
use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};

use crate::commands::Session;
use crate::connect::asking;
use crate::error::Error;
use crate::stdout;

/// What stands for a value out of a Secret.
const MASK: &str = "***";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The HelmRelease
    name: String,
    /// How to print them
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    /// Print values out of Secrets, too
    #[arg(long)]
    show_secrets: bool,
    /// Show the chart's own values, too: all that its templates see. The chart is fetched from here
    #[arg(short, long)]
    all: bool,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// One line a key, with its origin
    #[default]
    Table,
    /// The merged values alone
    Json,
    /// The merged values alone
    Yaml,
}

pub(crate) async fn run(arguments: Arguments, session: Session) -> Result<ExitCode, Error> {
    let release = session.release(&arguments.name).await?;
    let mut found = Vec::new();
    for reference in &release.spec.values_from {
        found.push(read(&session, reference).await?);
    }
    let mut layers = merge_values(&release.spec, &found).map_err(Error::WrongValues)?;
    if arguments.all {
        let chart = asked_chart(&session.access.connection, &release).await?;
        layers = with_defaults(&chart, layers).map_err(Error::Values)?;
    }
    let shown = shown(&layers, arguments.show_secrets);
    let unprintable = |format| {
        move |source: Box<dyn std::error::Error + Send + Sync>| Error::Print { format, source }
    };
    match arguments.output {
        Format::Table => stdout::print(format!("{}\n", table(&layers, arguments.show_secrets)))?,
        Format::Json => {
            let text =
                serde_json::to_string(&shown).map_err(|error| unprintable("JSON")(error.into()))?;
            stdout::print(format!("{text}\n"))?;
        }
        Format::Yaml => {
            let text =
                serde_yaml::to_string(&shown).map_err(|error| unprintable("YAML")(error.into()))?;
            stdout::print(text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The keys of an object, under the rights of whoever asks; `None` when it does not exist.
async fn read(session: &Session, reference: &ValuesReference) -> Result<Option<Keys>, Error> {
    let name = reference.name.as_str();
    let doing = format!("reading the {:?} {name}", reference.kind);
    Ok(match reference.kind {
        ValuesKind::ConfigMap => {
            let api = session.access.api::<ConfigMap>();
            let map = asking(&doing, api.get_opt(name)).await?;
            map.map(keys_of_config_map)
        }
        ValuesKind::Secret => {
            let api = session.access.api::<Secret>();
            let secret = asking(&doing, api.get_opt(name)).await?;
            secret.map(keys_of_secret)
        }
    })
}

fn is_hidden(origins: &[&Origin], show_secrets: bool) -> bool {
    !show_secrets && origins.iter().any(|origin| origin.is_secret)
}

/// The merged values, those out of Secrets masked.
fn shown(layers: &Layers<Origin>, show_secrets: bool) -> serde_json::Value {
    let mut values = layers.values().clone();
    for leaf in layers.leaves() {
        if is_hidden(&leaf.origins, show_secrets) {
            mask(&mut values, leaf.path);
        }
    }
    belay_yaml::to_serde(&Value::Map(values))
}

fn mask(values: &mut Values, path: &[String]) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    let Some(value) = values.get_mut(first.as_str()) else {
        return;
    };
    match value {
        Value::Map(inner) if !rest.is_empty() => mask(inner, rest),
        value => *value = Value::Str(MASK.into()),
    }
}

fn table(layers: &Layers<Origin>, show_secrets: bool) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["KEY", "VALUE", "FROM"]);
    for leaf in layers.leaves() {
        let value = if is_hidden(&leaf.origins, show_secrets) {
            MASK.to_owned()
        } else {
            belay_yaml::to_serde(leaf.value).to_string()
        };
        let origins: Vec<_> = leaf.origins.iter().map(ToString::to_string).collect();
        table.add_row([key(leaf.path), value, origins.join(", ")]);
    }
    table
}

/// The path as `--set` takes it.
fn key(path: &[String]) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.replace('.', "\\.")).collect();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use belay_api::HelmRelease;
    use serde_json::json;

    use super::*;

    fn layers() -> Layers<Origin> {
        let release: HelmRelease = serde_json::from_value(json!({
            "apiVersion": "belay.dev/v1alpha1", "kind": "HelmRelease", "metadata": {"name": "web"},
            "spec": {
                "chart": {"inline": {"files": {}}},
                "valuesFrom": [
                    {"kind": "ConfigMap", "name": "base"},
                    {"kind": "Secret", "name": "login"},
                ],
                "values": {"image": {"tag": "2"}, "a.b": true},
                "set": ["replicas=3"],
            },
        }))
        .unwrap();
        let object = |text: &str| {
            let key = ("values.yaml".to_owned(), text.as_bytes().to_vec());
            Some(Keys::from([key, ("other".to_owned(), b"{".to_vec())]))
        };
        let base = object("image: {name: web, tag: 1}\n");
        let login = object("login: {user: jane, password: hunter2}\n");
        merge_values(&release.spec, &[base, login]).unwrap()
    }

    #[test]
    fn each_key_is_shown_with_its_origin_and_secrets_are_not() {
        let table = table(&layers(), false).to_string();

        let row = |key: &str| {
            let mut lines = table.lines().map(str::trim);
            let line = lines.find(|line| line.starts_with(key)).unwrap();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            row("image.name"),
            "image.name \"web\" valuesFrom[0]: ConfigMap base, key values.yaml"
        );
        assert_eq!(row("image.tag"), "image.tag \"2\" values");
        assert_eq!(row("replicas"), "replicas 3 set[0]");
        assert_eq!(row("a\\.b"), "a\\.b true values");
        assert_eq!(
            row("login.password"),
            "login.password *** valuesFrom[1]: Secret login, key values.yaml"
        );
    }

    #[test]
    fn all_keys_of_an_object_are_merged_in_the_order_of_their_names() {
        let release: HelmRelease = serde_json::from_value(json!({
            "apiVersion": "belay.dev/v1alpha1", "kind": "HelmRelease", "metadata": {"name": "web"},
            "spec": {
                "chart": {"inline": {"files": {}}},
                "valuesFrom": [
                    {"kind": "ConfigMap", "name": "parts", "valuesKey": "*"},
                    {"kind": "ConfigMap", "name": "empty", "valuesKey": "*"},
                ],
            },
        }))
        .unwrap();
        let parts = [
            ("20-team", "b: team\nc: team\n"),
            ("10-base", "a: base\nb: base\n"),
        ];
        let parts = parts.map(|(key, text)| (key.to_owned(), text.as_bytes().to_vec()));
        let found = [Some(Keys::from(parts)), Some(Keys::new())];

        let layers = merge_values(&release.spec, &found).unwrap();

        assert_eq!(
            shown(&layers, false),
            json!({"a": "base", "b": "team", "c": "team"})
        );
        let table = table(&layers, false).to_string();
        assert!(
            table.contains("valuesFrom[0]: ConfigMap parts, key 20-team"),
            "{table}"
        );
    }

    #[test]
    fn secrets_are_shown_when_asked_for() {
        let hidden = shown(&layers(), false);
        let open = shown(&layers(), true);

        assert_eq!(hidden["login"], json!({"user": MASK, "password": MASK}));
        assert_eq!(hidden["image"], json!({"name": "web", "tag": "2"}));
        assert_eq!(open["login"]["password"], "hunter2");
    }
}
