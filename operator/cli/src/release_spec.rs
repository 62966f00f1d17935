//! From the arguments of `install` and `upgrade` to a HelmRelease.

use std::io::Read;
use std::path::Path;

use belay_api::helm_release::ChartSource;
use belay_api::{Duration, HelmRelease};
use belay_chart::{UserValues, Values, ValuesFile};
use clap::Args;
use kube::ResourceExt;
use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::file_expression;

/// The name under which fields are owned that this command set.
pub(crate) const MANAGER: &str = "belay-cli";
/// The fields that hold what the user set of values.
const VALUE_FIELDS: [&str; 4] = ["values", "set", "setString", "setJson"];

/// What `install` and `upgrade` write into the spec, chart apart.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SpecArguments {
    /// Values from a YAML file, or from standard input with `-`; can be repeated, later ones win
    #[arg(
        short = 'f',
        long = "values",
        value_name = "FILE",
        value_delimiter = ','
    )]
    pub(crate) files: Vec<String>,
    /// Set values: key1=val1,key2=val2
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) set: Vec<String>,
    /// Set values that are text whatever they look like
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) set_string: Vec<String>,
    /// Set values in JSON: key1=json1 or an object
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) set_json: Vec<String>,
    /// Set values to the content of files: key1=path1,key2=path2
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) set_file: Vec<String>,
    /// Set one value to the text as it is: key=text
    #[arg(long, value_name = "EXPRESSION", allow_hyphen_values = true)]
    pub(crate) set_literal: Vec<String>,
    /// Take a failed attempt back to the last good revision (what Belay does anyway)
    #[arg(long, overrides_with = "no_atomic")]
    pub(crate) atomic: bool,
    /// Leave a failed attempt in place
    #[arg(long, overrides_with = "atomic")]
    pub(crate) no_atomic: bool,
    /// The time budget of the attempt, hooks included, such as 90s or 10m [default: 5m]
    #[arg(long)]
    pub(crate) timeout: Option<Duration>,
    /// Put the chart's objects into this namespace instead of the HelmRelease's own
    #[arg(long, value_name = "NAME")]
    pub(crate) target_namespace: Option<String>,
    /// Create the namespace if it does not exist
    #[arg(long)]
    pub(crate) create_namespace: bool,
}

impl SpecArguments {
    /// Whether the user said anything at all.
    pub(crate) fn is_empty(&self) -> bool {
        let flags = [
            self.has_values(),
            self.atomic,
            self.no_atomic,
            self.create_namespace,
            self.timeout.is_some(),
            self.target_namespace.is_some(),
        ];
        flags.iter().all(|said| !said)
    }

    /// Whether the user said anything about values.
    pub(crate) fn has_values(&self) -> bool {
        [
            &self.files,
            &self.set,
            &self.set_string,
            &self.set_json,
            &self.set_file,
            &self.set_literal,
        ]
        .iter()
        .any(|given| !given.is_empty())
    }

    /// The fields of the spec that the arguments ask for; what was not given is not in it.
    pub(crate) fn fields(&self, chart: &ChartSource) -> Result<Map<String, Value>, Error> {
        let mut spec = Map::new();
        let chart = serde_json::to_value(chart).map_err(|source| Error::Print {
            format: "JSON",
            source: source.into(),
        })?;
        spec.insert("chart".to_owned(), chart);
        let values = self.merged_files()?;
        if !values.is_empty() {
            let values = belay_yaml::to_serde(&belay_yaml::Value::Map(values));
            spec.insert("values".to_owned(), values);
        }
        let strings = self.strings()?;
        for (field, given) in [
            ("set", &self.set),
            ("setString", &strings),
            ("setJson", &self.set_json),
        ] {
            if !given.is_empty() {
                spec.insert(field.to_owned(), json!(given));
            }
        }
        if self.atomic || self.no_atomic {
            spec.insert("atomic".to_owned(), json!(self.atomic));
        }
        if let Some(timeout) = self.timeout {
            spec.insert("timeout".to_owned(), json!(timeout));
        }
        if let Some(namespace) = &self.target_namespace {
            spec.insert("targetNamespace".to_owned(), json!(namespace));
            if self.create_namespace {
                spec.insert("createNamespace".to_owned(), json!(true));
            }
        }
        // What cannot be read is told here and not by the operator minutes later.
        self.expressions(strings)
            .merge(Values::new(), &mut |name| {
                Err(format!("{name}: files are not read here"))
            })
            .map_err(Error::Values)?;
        Ok(spec)
    }

    fn merged_files(&self) -> Result<Values, Error> {
        let files = self
            .files
            .iter()
            .map(|name| {
                Ok(ValuesFile {
                    name: name.clone(),
                    data: read(name)?,
                })
            })
            .collect::<Result<_, Error>>()?;
        UserValues {
            files,
            ..UserValues::default()
        }
        .merge(Values::new(), &mut |name| Err(name.to_owned()))
        .map_err(Error::Values)
    }

    /// What is text whatever it looks like: files and literals win over `--set-string`, as in Helm's order.
    fn strings(&self) -> Result<Vec<String>, Error> {
        let mut strings = self.set_string.clone();
        for expression in &self.set_file {
            strings.push(file_expression::of_files(expression)?);
        }
        for expression in &self.set_literal {
            strings.push(file_expression::of_literal(expression)?);
        }
        Ok(strings)
    }

    fn expressions(&self, strings: Vec<String>) -> UserValues {
        UserValues {
            json: self.set_json.clone(),
            set: self.set.clone(),
            strings,
            ..UserValues::default()
        }
    }
}

/// The content of a values file; `-` is standard input.
pub(crate) fn read(name: &str) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read {
        path: name.into(),
        source,
    };
    if name == "-" {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text).map_err(failed)?;
        return Ok(text);
    }
    std::fs::read(Path::new(name)).map_err(failed)
}

/// Adds to `spec` what an earlier command set and this one does not mention, so that it stays. What others own
/// stays by itself. Values stay only if `keep_values`.
pub(crate) fn carry_over(
    spec: &mut Map<String, Value>,
    existing: &HelmRelease,
    keep_values: bool,
) -> Vec<String> {
    let Ok(Value::Object(before)) = serde_json::to_value(&existing.spec) else {
        return Vec::new();
    };
    let mut carried = Vec::new();
    for field in owned_fields(existing) {
        let is_values = VALUE_FIELDS.contains(&field.as_str());
        if spec.contains_key(&field) || (is_values && !keep_values) {
            continue;
        }
        if let Some(value) = before.get(&field) {
            spec.insert(field.clone(), value.clone());
            carried.push(field);
        }
    }
    carried
}

/// The fields of the spec that this command owns, by the API server's account.
fn owned_fields(release: &HelmRelease) -> Vec<String> {
    let mut owned = Vec::new();
    for entry in release.managed_fields() {
        if entry.manager.as_deref() != Some(MANAGER) || entry.operation.as_deref() != Some("Apply")
        {
            continue;
        }
        let spec = entry
            .fields_v1
            .as_ref()
            .and_then(|fields| fields.0.get("f:spec")?.as_object());
        let names = spec.into_iter().flat_map(Map::keys);
        owned.extend(names.filter_map(|name| name.strip_prefix("f:").map(str::to_owned)));
    }
    owned
}

/// The whole object, ready to be applied.
pub(crate) fn release(namespace: &str, name: &str, spec: &Map<String, Value>) -> Value {
    json!({
        "apiVersion": "belay.dev/v1alpha1",
        "kind": "HelmRelease",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    })
}

#[cfg(test)]
mod tests {
    use belay_api::helm_release::RepositoryChart;
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        spec: SpecArguments,
    }

    fn arguments(line: &[&str]) -> SpecArguments {
        Line::parse_from(std::iter::once(&"belay").chain(line)).spec
    }

    fn chart() -> ChartSource {
        ChartSource {
            repository: Some(RepositoryChart {
                url: "https://charts.example.org".to_owned(),
                name: "web".to_owned(),
                ..RepositoryChart::default()
            }),
            ..ChartSource::default()
        }
    }

    fn fields(line: &[&str]) -> Map<String, Value> {
        arguments(line).fields(&chart()).unwrap()
    }

    #[test]
    fn without_flags_only_the_chart_is_said_and_defaults_stay_the_cluster_s() {
        let spec = fields(&[]);

        assert_eq!(spec.keys().collect::<Vec<_>>(), ["chart"]);
        let object = release("shop", "web", &spec);
        let typed: HelmRelease = serde_json::from_value(object).unwrap();
        assert!(typed.spec.atomic);
    }

    #[test]
    fn each_flag_has_its_field() {
        let spec = fields(&[
            "--set",
            "a=1,b=2",
            "--set",
            "c=3",
            "--set-string",
            "d=4",
            "--set-json",
            "e=[1]",
            "--no-atomic",
            "--timeout",
            "90s",
            "--target-namespace",
            "prod",
            "--create-namespace",
        ]);

        assert_eq!(spec["set"], json!(["a=1,b=2", "c=3"]));
        assert_eq!(spec["setString"], json!(["d=4"]));
        assert_eq!(spec["setJson"], json!(["e=[1]"]));
        assert_eq!(spec["atomic"], json!(false));
        assert_eq!(spec["timeout"], json!("1m30s"));
        assert_eq!(spec["targetNamespace"], json!("prod"));
        assert_eq!(spec["createNamespace"], json!(true));
    }

    #[test]
    fn the_last_word_on_atomic_counts() {
        assert_eq!(fields(&["--no-atomic", "--atomic"])["atomic"], json!(true));
    }

    #[test]
    fn later_values_files_win_in_depth() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let (one, two) = (
            file("1.yaml", "a: {b: 1, c: 2}\n"),
            file("2.yaml", "a: {c: 3}\n"),
        );

        let spec = fields(&["-f", &one, "-f", &two]);

        assert_eq!(spec["values"]["a"]["b"].as_f64(), Some(1.0));
        assert_eq!(spec["values"]["a"]["c"].as_f64(), Some(3.0));
    }

    #[test]
    fn an_expression_that_cannot_be_read_is_refused_before_anything_is_sent() {
        let error = arguments(&["--set", "a"])
            .fields(&chart())
            .unwrap_err()
            .to_string();

        assert!(error.contains("--set"), "{error}");
    }

    fn existing() -> HelmRelease {
        serde_json::from_value(json!({
            "apiVersion": "belay.dev/v1alpha1", "kind": "HelmRelease",
            "metadata": {"name": "web", "managedFields": [
                {"manager": MANAGER, "operation": "Apply", "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:spec": {"f:chart": {}, "f:timeout": {}, "f:set": {}}}},
                {"manager": "argocd", "operation": "Apply", "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:spec": {"f:maxHistory": {}}}},
            ]},
            "spec": {"chart": {"repository": {"url": "https://old.example.org", "name": "web"}},
                "timeout": "10m", "set": ["a=1"], "maxHistory": 3},
        }))
        .unwrap()
    }

    #[test]
    fn what_an_earlier_command_set_stays_and_what_others_set_is_not_touched() {
        let mut spec = fields(&[]);

        let carried = carry_over(&mut spec, &existing(), true);

        assert_eq!(carried, ["set", "timeout"]);
        assert_eq!(spec["timeout"], json!("10m"));
        assert_eq!(
            spec["chart"]["repository"]["url"],
            json!("https://charts.example.org")
        );
        assert!(!spec.contains_key("maxHistory"));
    }

    #[test]
    fn new_values_replace_the_old_ones_as_helm_does() {
        let mut spec = fields(&["--set-string", "b=2"]);

        carry_over(&mut spec, &existing(), false);

        assert!(!spec.contains_key("set"));
        assert_eq!(spec["setString"], json!(["b=2"]));
    }
}
