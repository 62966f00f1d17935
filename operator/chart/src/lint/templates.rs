//! The rules for templates and what they render to.

use std::collections::BTreeMap;

use belay_template::{Host, Passed};
use belay_yaml::{Numbers, ParseOptions, Value, parse_with};

use super::deprecations::deprecation;
use super::object::Object;
use super::place::Entry;
use super::{LintOptions, Linter, Severity, holds};
use crate::capabilities::Capabilities;
use crate::chart::Chart;
use crate::compiled::HANDLEBARS;
use crate::error::ChartError;
use crate::prepare::Prepared;
use crate::render::{RenderOptions, Renderer};
use crate::scope::Release;
use crate::warning::Warning;

const FOLDER: &str = "templates/";
const EXTENSIONS: [&str; 4] = [".yaml", ".yml", ".tpl", ".txt"];
/// Helm looks for the first line with a reader that takes lines up to this size, in bytes.
const LONGEST_LINE: usize = 64 * 1024;
/// A loop that asks for what is missing would fill the memory with what it lets pass.
const MOST_WARNINGS: usize = 100_000;

/// What the templates printed, by their full names.
type Files = BTreeMap<String, Vec<u8>>;

impl Linter {
    pub(super) fn templates(&mut self, options: &LintOptions, host: &mut (dyn Host + Send)) {
        let entry = self.place.entry("templates");
        let there = holds(entry != Entry::Nothing, || {
            "directory does not exist".to_owned()
        });
        if !self.check(Severity::Warning, FOLDER, there) {
            return;
        }
        let folder = holds(entry == Entry::Folder, || "not a directory".to_owned());
        if !self.check(Severity::Error, FOLDER, folder) {
            return;
        }
        let rendered = self
            .chart()
            .and_then(|chart| render(&chart, options, host, &mut self.warnings));
        match rendered {
            Ok(None) => {}
            Ok(Some((chart, files))) => self.rendered(&chart, &files, options),
            Err(error) => {
                self.check(Severity::Error, FOLDER, Err(error.to_string()));
            }
        }
    }

    fn rendered(&mut self, chart: &Chart, files: &Files, options: &LintOptions) {
        for template in chart.templates() {
            let name = &*template.name;
            let plain = name.strip_suffix(HANDLEBARS).unwrap_or(name);
            let extension = extension(plain);
            self.check(Severity::Error, name, allowed(extension));
            if !extension.eq_ignore_ascii_case(".yaml") && !extension.eq_ignore_ascii_case(".yml") {
                continue;
            }
            let full = format!("{}/{name}", chart.name());
            let output = files.get(&full).map_or(&[][..], Vec::as_slice);
            let text = String::from_utf8_lossy(output);
            if text.trim().is_empty() {
                continue;
            }
            self.check(Severity::Warning, name, indent(&text));
            if !self.objects(name, output, &text, options) {
                return;
            }
        }
    }

    /// Holds each object against the rules, and answers whether all could be read.
    fn objects(&mut self, name: &str, output: &[u8], text: &str, options: &LintOptions) -> bool {
        for object in Object::all(output) {
            let object = object.map_err(|error| format!("unable to parse YAML: {error}"));
            let object = match object {
                Ok(Some(object)) => object,
                Ok(None) => continue,
                Err(text) => return self.check(Severity::Error, name, Err(text)),
            };
            self.check(Severity::Warning, name, object.check_name());
            let found = deprecation(&object, options.kube_version.as_ref());
            self.check(Severity::Warning, name, found.map_or(Ok(()), Err));
            self.check(Severity::Error, name, selector(&object, text));
            self.check(Severity::Error, name, list(&object, text));
        }
        true
    }
}

/// Renders as Helm's linter does; nothing when the dependencies or values already fail, which other rules tell.
fn render(
    chart: &Chart,
    options: &LintOptions,
    host: &mut (dyn Host + Send),
    warnings: &mut Vec<Warning>,
) -> Result<Option<(Chart, Files)>, ChartError> {
    let prepared = Prepared::for_lint(chart, &options.values, options.schema, warnings)?;
    let Some(prepared) = prepared else {
        return Ok(None);
    };
    let mut capabilities = Capabilities::default();
    if let Some(version) = &options.kube_version {
        capabilities.kube_version = version.clone();
    }
    let options = RenderOptions {
        release: Release {
            name: "test-release".to_owned(),
            namespace: options.namespace.clone(),
            revision: 0,
            is_upgrade: false,
        },
        capabilities: capabilities.into(),
        subchart_notes: false,
        limits: options.limits,
    };
    let mut host = Logging { host, warnings };
    let files = Renderer::default().render_for_lint(&prepared, &options, &mut host)?;
    Ok(Some(((**prepared.chart()).clone(), files)))
}

/// The world as it is, and a log for what the linter's render lets pass.
struct Logging<'h> {
    host: &'h mut (dyn Host + Send),
    warnings: &'h mut Vec<Warning>,
}

impl Host for Logging<'_> {
    fn now(&mut self) -> jiff::Timestamp {
        self.host.now()
    }

    fn zone(&mut self) -> jiff::tz::TimeZone {
        self.host.zone()
    }

    fn random(&mut self, buffer: &mut [u8]) {
        self.host.random(buffer);
    }

    fn resolve(&mut self, name: &str) -> String {
        self.host.resolve(name)
    }

    fn lookup(
        &mut self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<belay_template::Value, String> {
        self.host.lookup(api_version, kind, namespace, name)
    }

    fn let_pass(&mut self, what: Passed, message: &str) {
        self.host.let_pass(what, message);
        let warning = match what {
            Passed::Missing => Warning::warn("missing required value"),
            Passed::Empty => Warning::warn("missing required values"),
            Passed::Failure => Warning::info("funcMap fail"),
        };
        if self.warnings.len() < MOST_WARNINGS {
            self.warnings.push(warning.with("message", message));
        }
    }
}

/// The last element's extension with its dot, empty when there is none.
fn extension(name: &str) -> &str {
    let base = name.rfind('/').map_or(0, |at| at + 1);
    name[base..]
        .rfind('.')
        .map_or("", |dot| &name[base + dot..])
}

fn allowed(extension: &str) -> Result<(), String> {
    holds(EXTENSIONS.contains(&extension), || {
        format!(
            "file extension '{extension}' not valid. Valid extensions are .yaml, .yml, .tpl, or .txt"
        )
    })
}

/// The first line that is not empty begins at the margin.
fn indent(text: &str) -> Result<(), String> {
    for line in text.split('\n') {
        holds(line.len() < LONGEST_LINE, || {
            "bufio.Scanner: token too long".to_owned()
        })?;
        let line = line.strip_suffix('\r').unwrap_or(line);
        if !line.trim().is_empty() {
            return holds(!line.starts_with([' ', '\t']), || {
                format!(
                    "document starts with an illegal indent: {}, which may cause parsing problems",
                    belay_template::fmt::quoted(line.as_bytes())
                )
            });
        }
    }
    Ok(())
}

/// Helm looks for the words anywhere in the file.
fn selector(object: &Object, text: &str) -> Result<(), String> {
    let kind = object.kind.as_str();
    let selects = matches!(
        kind,
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet"
    );
    let there = text.contains("matchLabels") || text.contains("matchExpressions");
    holds(!selects || there, || {
        format!(
            "a {kind} must contain matchLabels or matchExpressions, and {:?} does not",
            object.name
        )
    })
}

/// Helm reads the file's first document as the list, whichever object the list is.
fn list(object: &Object, text: &str) -> Result<(), String> {
    const ANNOTATIONS: &str = "map[string]string";
    const METADATA: &str = "struct { Annotations map[string]string }";
    const ITEM: &str = "struct { Metadata struct { Annotations map[string]string } }";
    const ITEMS: &str = "[]struct { Metadata struct { Annotations map[string]string } }";
    if object.kind != "List" {
        return Ok(());
    }
    let options = ParseOptions {
        numbers: Numbers::Exact,
        ..ParseOptions::default()
    };
    let parsed = parse_with(text.as_bytes(), &options)
        .map_err(|error| format!("unable to parse YAML: {error}"))?;
    let mut kept = false;
    for items in folded(&parsed, "items") {
        let items = match items {
            Value::Null => continue,
            Value::Seq(items) => items,
            other => return Err(mismatch(other, ".Items", ITEMS)),
        };
        for item in items {
            mapping(item, ".Items", ITEM)?;
            for metadata in folded(item, "metadata") {
                mapping(metadata, ".Items.Metadata", METADATA)?;
                for annotations in folded(metadata, "annotations") {
                    mapping(annotations, ".Items.Metadata.Annotations", ANNOTATIONS)?;
                    kept |= annotations.get("helm.sh/resource-policy").is_some();
                }
            }
        }
    }
    holds(!kept, || {
        "annotation 'helm.sh/resource-policy' within List objects are ignored".to_owned()
    })
}

/// The values of a key in letters of either case.
fn folded<'v>(value: &'v Value, field: &'v str) -> impl Iterator<Item = &'v Value> {
    let entries = value.as_map().into_iter().flatten();
    entries
        .filter(move |(key, _)| key.eq_ignore_ascii_case(field))
        .map(|(_, value)| value)
}

fn mapping(value: &Value, field: &str, go_type: &str) -> Result<(), String> {
    match value {
        Value::Null | Value::Map(_) => Ok(()),
        other => Err(mismatch(other, field, go_type)),
    }
}

fn mismatch(value: &Value, field: &str, go_type: &str) -> String {
    let found = crate::decode::kind(value);
    format!(
        "unable to parse YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go struct field {field} of type {go_type}"
    )
}
