//! What each chart's templates see: the root object, one for the chart and one for each subchart.

use std::collections::BTreeMap;
use std::sync::Arc;

use belay_template::convert::{from_data, map_from_data};
use belay_template::{Map, MapType, Str, Value};

use crate::capabilities::Capabilities;
use crate::chart::Chart;
use crate::file::File;
use crate::metadata::{Dependency, Maintainer, Metadata};
use crate::render::Purpose;

/// The release that a chart is rendered for: `.Release`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its revision, from 1.
    pub revision: i64,
    /// Whether an older revision is replaced; otherwise it is an installation.
    pub is_upgrade: bool,
}

/// A template file and the object that it is executed with.
pub(crate) struct Scoped {
    pub(crate) file: File,
    pub(crate) root: Map,
    pub(crate) base_path: String,
}

/// The templates of a chart and its subcharts by full name.
pub(crate) fn templates(chart: &Chart) -> BTreeMap<String, File> {
    let mut found = BTreeMap::new();
    collect_templates(chart, chart.name(), &mut found);
    found
}

fn collect_templates(chart: &Chart, path: &str, found: &mut BTreeMap<String, File>) {
    for child in chart.dependencies() {
        collect_templates(child, &format!("{path}/charts/{}", child.name()), found);
    }
    for file in own_templates(chart) {
        found.insert(format!("{path}/{}", file.name), file.clone());
    }
}

/// Library charts contribute their partials only.
fn own_templates(chart: &Chart) -> impl Iterator<Item = &File> {
    let library = chart.metadata().is_library();
    chart
        .templates()
        .iter()
        .filter(move |file| !library || file.base_name().starts_with('_'))
}

/// Every template with its root object, by full name. Maps are shared as Helm shares them: what one template sets,
/// later ones see.
pub(crate) fn scope(
    chart: &Chart,
    values: &belay_yaml::Map,
    release: Value,
    capabilities: &Capabilities,
) -> BTreeMap<String, Scoped> {
    let shared = Shared {
        release,
        capabilities: capabilities_object(capabilities),
    };
    let mut scoped = BTreeMap::new();
    let root = map_from_data(values, MapType::Values);
    shared.chart(chart, chart.name(), true, &root, &mut scoped);
    scoped
}

struct Shared {
    release: Value,
    capabilities: Value,
}

impl Shared {
    fn chart(
        &self,
        chart: &Chart,
        path: &str,
        is_root: bool,
        values: &Map,
        scoped: &mut BTreeMap<String, Scoped>,
    ) -> Value {
        let subcharts = Map::new(MapType::Any);
        let root = Map::new(MapType::Values);
        root.insert(Str::from("Chart"), metadata(chart.metadata(), is_root));
        root.insert(Str::from("Files"), files(chart.files()));
        root.insert(Str::from("Release"), self.release.clone());
        root.insert(Str::from("Capabilities"), self.capabilities.clone());
        root.insert(Str::from("Values"), Value::Map(values.clone()));
        root.insert(Str::from("Subcharts"), Value::Map(subcharts.clone()));
        for child in chart.dependencies() {
            let own = match values.get(child.name().as_bytes()) {
                Some(Value::Map(own)) => own,
                _ => Map::new(MapType::Values),
            };
            let path = format!("{path}/charts/{}", child.name());
            let inner = self.chart(child, &path, false, &own, scoped);
            subcharts.insert(Str::from(child.name()), inner);
        }
        for file in own_templates(chart) {
            let template = Scoped {
                file: file.clone(),
                root: root.clone(),
                base_path: format!("{path}/templates"),
            };
            scoped.insert(format!("{path}/{}", file.name), template);
        }
        Value::Map(root)
    }
}

impl Scoped {
    /// The root object, told which template it is for now.
    pub(crate) fn data(&self, full_name: &str) -> Value {
        let template = Map::new(MapType::Values);
        template.insert(Str::from("Name"), Value::str(full_name));
        template.insert(Str::from("BasePath"), Value::str(self.base_path.as_str()));
        self.root
            .insert(Str::from("Template"), Value::Map(template));
        Value::Map(self.root.clone())
    }
}

fn capabilities_object(from: &Capabilities) -> Value {
    let (kube, helm) = (&from.kube_version, &from.helm_version);
    Value::object(belay_template::Capabilities::new(
        belay_template::KubeVersion::new(&kube.version, &kube.normalized, &kube.major, &kube.minor),
        from.api_versions.iter().cloned(),
        belay_template::HelmVersion::new(
            &helm.version,
            &helm.git_commit,
            &helm.git_tree_state,
            &helm.go_version,
            &helm.kube_client_version,
        ),
    ))
}

/// `.Release`; linting is neither an installation nor an upgrade.
pub(crate) fn release(release: &Release, purpose: Purpose) -> Value {
    Value::map([
        ("Name", Value::str(release.name.as_str())),
        ("Namespace", Value::str(release.namespace.as_str())),
        ("IsUpgrade", Value::Bool(release.is_upgrade)),
        (
            "IsInstall",
            Value::Bool(!release.is_upgrade && purpose == Purpose::Release),
        ),
        ("Revision", Value::int(release.revision)),
        ("Service", Value::str("Helm")),
    ])
}

/// `.Chart`: the fields under their Go names, so that an unknown one is simply empty.
fn metadata(from: &Metadata, is_root: bool) -> Value {
    let text = |text: &String| Value::str(text.as_str());
    let texts = |texts: &[String]| {
        Value::list(texts.iter().map(|text| Value::str(text.as_str())).collect())
    };
    let annotations = match &from.annotations {
        None => Map::nil(MapType::Strings),
        Some(notes) => {
            let notes = notes
                .iter()
                .map(|(key, value)| (Str::from(key.as_str()), Value::str(value.as_str())));
            Map::with(MapType::Strings, notes.collect())
        }
    };
    Value::map([
        ("Name", text(&from.name)),
        ("Home", text(&from.home)),
        ("Sources", texts(&from.sources)),
        ("Version", text(&from.version)),
        ("Description", text(&from.description)),
        ("Keywords", texts(&from.keywords)),
        (
            "Maintainers",
            Value::list(from.maintainers.iter().map(maintainer).collect()),
        ),
        ("Icon", text(&from.icon)),
        ("APIVersion", text(&from.api_version)),
        ("Condition", text(&from.condition)),
        ("Tags", text(&from.tags)),
        ("AppVersion", text(&from.app_version)),
        ("Deprecated", Value::Bool(from.deprecated)),
        ("Annotations", Value::Map(annotations)),
        ("KubeVersion", text(&from.kube_version)),
        (
            "Dependencies",
            Value::list(from.dependencies().iter().map(dependency).collect()),
        ),
        ("Type", text(&from.kind)),
        ("IsRoot", Value::Bool(is_root)),
    ])
}

fn maintainer(from: &Maintainer) -> Value {
    Value::map([
        ("Name", Value::str(from.name.as_str())),
        ("Email", Value::str(from.email.as_str())),
        ("URL", Value::str(from.url.as_str())),
    ])
}

fn dependency(from: &Dependency) -> Value {
    Value::map([
        ("Name", Value::str(from.name.as_str())),
        ("Version", Value::str(from.version.as_str())),
        ("Repository", Value::str(from.repository.as_str())),
        ("Condition", Value::str(from.condition.as_str())),
        (
            "Tags",
            Value::list(
                from.tags
                    .iter()
                    .map(|tag| Value::str(tag.as_str()))
                    .collect(),
            ),
        ),
        ("Enabled", Value::Bool(from.enabled)),
        (
            "ImportValues",
            Value::list(from.import_values.iter().map(from_data).collect()),
        ),
        ("Alias", Value::str(from.alias.as_str())),
    ])
}

fn files(from: &[File]) -> Value {
    let files = from.iter().map(|file| {
        (
            Str::from(&*file.name),
            Value::Bytes(Str::from(Arc::clone(&file.data))),
        )
    });
    Value::Map(Map::with(MapType::Files, files.collect()))
}
