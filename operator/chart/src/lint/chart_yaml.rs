//! The rules for `Chart.yaml`.

use belay_template::semver::{Constraints, Version};
use belay_yaml::{Map, Numbers, ParseOptions, Value, parse_with};

use super::address::{is_email, is_request_url, is_url};
use super::place::Entry;
use super::{Linter, Severity, holds};
use crate::coalesce::go_type;
use crate::decode::DecodeError;
use crate::metadata::Metadata;

const FILE: &str = "Chart.yaml";

/// The fields of each structure, in lower case: Go finds them whatever their case.
const FIELDS: [&str; 17] = [
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "maintainers",
    "icon",
    "apiversion",
    "condition",
    "tags",
    "appversion",
    "deprecated",
    "annotations",
    "kubeversion",
    "dependencies",
    "type",
];
const MAINTAINER_FIELDS: [&str; 3] = ["name", "email", "url"];
const DEPENDENCY_FIELDS: [&str; 8] = [
    "name",
    "version",
    "repository",
    "condition",
    "tags",
    "enabled",
    "import-values",
    "alias",
];

impl Linter {
    pub(super) fn chart_yaml(&mut self) {
        let folder = self.place.entry(FILE) == Entry::Folder;
        self.check(
            Severity::Error,
            FILE,
            holds(!folder, || "should be a file, not a directory".to_owned()),
        );
        let read = self.place.read(FILE).and_then(|data| {
            let (parsed, metadata) = read(&data)?;
            Ok((data, parsed, metadata))
        });
        let (data, parsed, metadata) = match read {
            Ok(read) => read,
            Err(text) => {
                let text = format!("unable to parse YAML\n\t{text}");
                self.check(Severity::Error, FILE, Err(text));
                return;
            }
        };
        self.check(Severity::Warning, FILE, strict(&data, &parsed));
        for verdict in [
            name(&metadata),
            api_version(&metadata),
            text("version", &parsed),
            version(&metadata),
            text("appVersion", &parsed),
            maintainers(&metadata, &parsed),
            sources(&metadata),
        ] {
            self.check(Severity::Error, FILE, verdict);
        }
        self.check(
            Severity::Info,
            FILE,
            holds(!metadata.icon.is_empty(), || {
                "icon is recommended".to_owned()
            }),
        );
        for verdict in [icon(&metadata), kind(&metadata), dependencies(&metadata)] {
            self.check(Severity::Error, FILE, verdict);
        }
        let strict = Version::parse_strict(&metadata.version).is_ok();
        self.check(
            Severity::Warning,
            FILE,
            holds(strict, || {
                format!("version '{}' is not a valid SemVerV2", metadata.version)
            }),
        );
    }
}

fn read(data: &[u8]) -> Result<(Value, Metadata), String> {
    let options = ParseOptions {
        numbers: Numbers::Exact,
        ..ParseOptions::default()
    };
    let parsed = parse_with(data, &options).map_err(|error| error.to_string())?;
    let mut metadata = Metadata::default();
    match metadata.read(&parsed) {
        Err(DecodeError::Type(text)) => Err(format!(
            "error unmarshaling JSON: while decoding JSON: {text}"
        )),
        // What Helm asks of a loaded chart is told where it is loaded.
        Ok(()) | Err(DecodeError::Rule(_)) => Ok((parsed, metadata)),
    }
}

/// No key twice, and none that Helm does not know.
fn strict(data: &[u8], parsed: &Value) -> Result<(), String> {
    let options = ParseOptions {
        numbers: Numbers::Exact,
        strict: true,
        ..ParseOptions::default()
    };
    let failed = |text: String| format!("failed to strictly parse chart metadata file\n\t{text}");
    parse_with(data, &options).map_err(|error| failed(error.to_string()))?;
    match parsed.as_map().and_then(unknown) {
        None => Ok(()),
        Some(key) => Err(failed(format!(
            "error unmarshaling JSON: while decoding JSON: json: unknown field {key:?}"
        ))),
    }
}

/// The first key that is no field, in the order of Go's decoder.
fn unknown(fields: &Map) -> Option<&str> {
    fields.iter().find_map(|(key, value)| {
        let known = key.to_lowercase();
        if !FIELDS.contains(&known.as_str()) {
            return Some(key.as_str());
        }
        let inner: &[&str] = match known.as_str() {
            "maintainers" => &MAINTAINER_FIELDS,
            "dependencies" => &DEPENDENCY_FIELDS,
            _ => return None,
        };
        let items = value.as_seq().into_iter().flatten();
        items
            .filter_map(Value::as_map)
            .flat_map(Map::keys)
            .map(String::as_str)
            .find(|key| !inner.contains(&key.to_lowercase().as_str()))
    })
}

/// The field must be text in the file, though numbers are read as text, too.
fn text(field: &str, parsed: &Value) -> Result<(), String> {
    let found = match parsed.get(field) {
        None | Some(Value::Str(_)) => return Ok(()),
        Some(Value::Null) => "<nil>",
        // Whatever is read without a wish for a type is a float.
        Some(Value::Int(_) | Value::Uint(_)) => "float64",
        Some(other) => go_type(other),
    };
    Err(format!(
        "{field} should be of type string but it's of type {found}"
    ))
}

fn name(metadata: &Metadata) -> Result<(), String> {
    let name = &metadata.name;
    holds(!name.is_empty(), || "name is required".to_owned())?;
    let base = name.trim_end_matches('/').rsplit('/').next();
    holds(base == Some(name), || {
        format!("chart name {name:?} is invalid")
    })
}

fn api_version(metadata: &Metadata) -> Result<(), String> {
    const WANTED: &str = "The value must be either \"v1\" or \"v2\"";
    match metadata.api_version.as_str() {
        "" => Err(format!("apiVersion is required. {WANTED}")),
        "v1" | "v2" => Ok(()),
        other => Err(format!("apiVersion '{other}' is not valid. {WANTED}")),
    }
}

fn version(metadata: &Metadata) -> Result<(), String> {
    let text = &metadata.version;
    holds(!text.is_empty(), || "version is required".to_owned())?;
    let version =
        Version::parse(text).map_err(|_| format!("version '{text}' is not a valid SemVer"))?;
    let above = Constraints::parse(">0.0.0-0").is_ok_and(|range| range.check(&version));
    holds(above, || {
        format!("version \"{version}\" is less than or equal to \"0.0.0-0\"")
    })
}

fn maintainers(metadata: &Metadata, parsed: &Value) -> Result<(), String> {
    let listed = parsed.get("maintainers").and_then(Value::as_seq);
    for (index, maintainer) in metadata.maintainers.iter().enumerate() {
        let hole = listed
            .and_then(|items| items.get(index))
            .is_some_and(Value::is_null);
        let (name, email, url) = (&maintainer.name, &maintainer.email, &maintainer.url);
        holds(!hole, || "a maintainer entry is empty".to_owned())?;
        holds(!name.is_empty(), || {
            "each maintainer requires a name".to_owned()
        })?;
        holds(email.is_empty() || is_email(email), || {
            format!("invalid email '{email}' for maintainer '{name}'")
        })?;
        holds(url.is_empty() || is_url(url), || {
            format!("invalid url '{url}' for maintainer '{name}'")
        })?;
    }
    Ok(())
}

fn sources(metadata: &Metadata) -> Result<(), String> {
    match metadata.sources.iter().find(|url| !is_request_url(url)) {
        None => Ok(()),
        Some(url) => Err(format!("invalid source URL '{url}'")),
    }
}

fn icon(metadata: &Metadata) -> Result<(), String> {
    let icon = &metadata.icon;
    holds(icon.is_empty() || is_request_url(icon), || {
        format!("invalid icon URL '{icon}'")
    })
}

fn kind(metadata: &Metadata) -> Result<(), String> {
    let version = &metadata.api_version;
    holds(metadata.kind.is_empty() || version == "v2", || {
        format!("chart type is not valid in apiVersion '{version}'. It is valid in apiVersion 'v2'")
    })
}

fn dependencies(metadata: &Metadata) -> Result<(), String> {
    let version = &metadata.api_version;
    holds(
        metadata.dependencies().is_empty() || version == "v2",
        || {
            format!(
                "dependencies are not valid in the Chart file with apiVersion '{version}'. They are valid in apiVersion 'v2'"
            )
        },
    )
}
