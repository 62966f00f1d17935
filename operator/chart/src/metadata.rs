//! `Chart.yaml`: what a chart says about itself.

use belay_yaml::Value;
use serde::{Serialize, Serializer};

use crate::decode::{Decode, DecodeError, Path};

/// The content of `Chart.yaml` (and `requirements.yaml` of charts of version 1).
///
/// Serialises as Helm writes it into its release records: keys of `Chart.yaml`, empty fields left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The chart's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Project page.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub home: String,
    /// Where the source code is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// The chart's version (semver).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// One sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Words to find it by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Who keeps it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maintainers: Vec<Maintainer>,
    /// Address of a picture.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon: String,
    /// `v1` or `v2`; what is missing counts as `v1`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// Unused by Helm, kept for `.Chart`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Unused by Helm, kept for `.Chart`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tags: String,
    /// Version of what the chart installs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app_version: String,
    /// Whether its makers advise against it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    /// Free notes; absent and empty are the same to Helm's records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<std::collections::BTreeMap<String, String>>,
    /// Range of Kubernetes versions that the chart is made for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kube_version: String,
    /// Charts that this one depends on; `None` when the field is not there at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<Vec<Dependency>>,
    /// `application` (also when empty) or `library`.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

/// One who keeps a chart.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Maintainer {
    /// Person or organisation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Address for mail.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Page.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// A chart that another chart depends on.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Dependency {
    /// The chart's name; after aliases are applied, the alias.
    pub name: String,
    /// Range of versions.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Where it can be fetched.
    pub repository: String,
    /// Comma-separated paths in the values; the first that holds a boolean decides.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Names below `tags` in the values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Set while dependencies are processed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub enabled: bool,
    /// Names below the child's `exports`, or maps with `child` and `parent`.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_json")]
    pub import_values: Vec<Value>,
    /// Another name for it, so that one chart can be used twice.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alias: String,
}

fn as_json<S: Serializer>(values: &[Value], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(belay_yaml::to_serde))
}

impl Metadata {
    /// Reads the fields of a parsed `Chart.yaml` over what is already there, as Go's decoder does: keys are found
    /// whatever their case, unknown ones skipped, and the first field of a wrong type is the error.
    pub(crate) fn read(&mut self, from: &Value) -> Result<(), DecodeError> {
        let mut first = None;
        let root = Path::root("Metadata", "v2.Metadata");
        let Some(fields) = root.object(from, &mut first) else {
            return first.map_or(Ok(()), Err);
        };
        for (key, value) in fields {
            let mut d = Decode {
                path: &root,
                value,
                first: &mut first,
            };
            match key.to_lowercase().as_str() {
                "name" => d.text("name", &mut self.name),
                "home" => d.text("home", &mut self.home),
                "sources" => d.texts("sources", &mut self.sources),
                "version" => d.text("version", &mut self.version),
                "description" => d.text("description", &mut self.description),
                "keywords" => d.texts("keywords", &mut self.keywords),
                "maintainers" => {
                    if let Some(list) = d.list("maintainers", "[]*v2.Maintainer", Maintainer::read)
                    {
                        self.maintainers = list;
                    }
                }
                "icon" => d.text("icon", &mut self.icon),
                "apiversion" => d.text("apiVersion", &mut self.api_version),
                "condition" => d.text("condition", &mut self.condition),
                "tags" => d.text("tags", &mut self.tags),
                "appversion" => d.text("appVersion", &mut self.app_version),
                "deprecated" => d.flag("deprecated", &mut self.deprecated),
                "annotations" => d.strings("annotations", &mut self.annotations),
                "kubeversion" => d.text("kubeVersion", &mut self.kube_version),
                "dependencies" => {
                    self.dependencies =
                        d.list("dependencies", "[]*v2.Dependency", Dependency::read);
                }
                "type" => d.text("type", &mut self.kind),
                _ => {}
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// The dependencies, none when the field is not there.
    pub fn dependencies(&self) -> &[Dependency] {
        self.dependencies.as_deref().unwrap_or_default()
    }

    /// Whether this is a library chart, which only holds definitions.
    pub fn is_library(&self) -> bool {
        self.kind.eq_ignore_ascii_case("library")
    }
}

/// A list element that is `null` in the file.
fn is_hole(value: &Value) -> bool {
    value.is_null()
}

impl Maintainer {
    fn read(path: &Path<'_>, from: &Value, first: &mut Option<DecodeError>) -> Self {
        let mut maintainer = Self::default();
        if is_hole(from) {
            DecodeError::rule(first, "maintainers must not contain empty or null nodes");
            return maintainer;
        }
        let path = path.of("Maintainer", "v2.Maintainer");
        for (key, value) in path.object(from, first).into_iter().flatten() {
            let mut d = Decode {
                path: &path,
                value,
                first,
            };
            match key.to_lowercase().as_str() {
                "name" => d.text("name", &mut maintainer.name),
                "email" => d.text("email", &mut maintainer.email),
                "url" => d.text("url", &mut maintainer.url),
                _ => {}
            }
        }
        maintainer
    }
}

impl Dependency {
    pub(crate) fn read(path: &Path<'_>, from: &Value, first: &mut Option<DecodeError>) -> Self {
        let mut dependency = Self::default();
        if is_hole(from) {
            DecodeError::rule(first, "dependencies must not contain empty or null nodes");
            return dependency;
        }
        let path = path.of("Dependency", "v2.Dependency");
        for (key, value) in path.object(from, first).into_iter().flatten() {
            let mut d = Decode {
                path: &path,
                value,
                first,
            };
            match key.to_lowercase().as_str() {
                "name" => d.text("name", &mut dependency.name),
                "version" => d.text("version", &mut dependency.version),
                "repository" => d.text("repository", &mut dependency.repository),
                "condition" => d.text("condition", &mut dependency.condition),
                "tags" => d.texts("tags", &mut dependency.tags),
                "enabled" => d.flag("enabled", &mut dependency.enabled),
                "import-values" => d.anything("import-values", &mut dependency.import_values),
                "alias" => d.text("alias", &mut dependency.alias),
                _ => {}
            }
        }
        dependency
    }
}
