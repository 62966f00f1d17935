//! What each chart's templates see: the root object, one for the chart and one for each subchart.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use belay_template::convert::{from_data, map_from_data};
use belay_template::{CapabilityFields, Map, MapType, Str, Value};

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

/// A template of a chart or of one of its subcharts.
pub(crate) struct Placed {
    pub(crate) file: File,
    /// The number of its chart, parents before their children; [`roots`] are in this order.
    pub(crate) chart: usize,
    /// `.Template.BasePath`.
    pub(crate) base_path: Str,
}

/// The templates of a chart and its subcharts by full name.
pub(crate) fn templates(chart: &Chart) -> BTreeMap<String, Placed> {
    let mut found = BTreeMap::new();
    collect_templates(chart, chart.name(), &mut 0, &mut found);
    found
}

fn collect_templates(
    chart: &Chart,
    path: &str,
    charts: &mut usize,
    found: &mut BTreeMap<String, Placed>,
) {
    let number = *charts;
    *charts += 1;
    for child in chart.dependencies() {
        let path = format!("{path}/charts/{}", child.name());
        collect_templates(child, &path, charts, found);
    }
    let base_path = Str::from(format!("{path}/templates"));
    for file in own_templates(chart) {
        let placed = Placed {
            file: file.clone(),
            chart: number,
            base_path: base_path.clone(),
        };
        found.insert(format!("{path}/{}", file.name), placed);
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

/// The root object of each chart, parents before their children. Maps are shared as Helm shares them: what one template
/// sets, later ones see.
pub(crate) fn roots(
    chart: &Chart,
    values: &belay_yaml::Map,
    release: Value,
    capabilities: &Arc<Capabilities>,
) -> Vec<Map> {
    let mut shared = Shared {
        release,
        capabilities: capabilities_object(capabilities),
        roots: Vec::new(),
    };
    shared.chart(chart, true, &map_from_data(values, MapType::Values));
    shared.roots
}

struct Shared {
    release: Value,
    capabilities: Value,
    roots: Vec<Map>,
}

/// Names of fields, made once for all renders.
type Names<const COUNT: usize> = LazyLock<[Str; COUNT]>;

static ROOT: Names<6> = LazyLock::new(|| {
    [
        "Capabilities",
        "Chart",
        "Files",
        "Release",
        "Subcharts",
        "Values",
    ]
    .map(Str::from)
});
static TEMPLATE: LazyLock<Str> = LazyLock::new(|| Str::from("Template"));
static ABOUT_TEMPLATE: Names<2> = LazyLock::new(|| ["BasePath", "Name"].map(Str::from));
static ABOUT_CHART: Names<18> = LazyLock::new(|| {
    [
        "APIVersion",
        "Annotations",
        "AppVersion",
        "Condition",
        "Dependencies",
        "Deprecated",
        "Description",
        "Home",
        "Icon",
        "IsRoot",
        "Keywords",
        "KubeVersion",
        "Maintainers",
        "Name",
        "Sources",
        "Tags",
        "Type",
        "Version",
    ]
    .map(Str::from)
});

/// A map of these fields, each under the name in its place.
fn named<const COUNT: usize>(kind: MapType, names: &[Str; COUNT], fields: [Value; COUNT]) -> Map {
    Map::with(kind, names.iter().cloned().zip(fields).collect())
}

impl Shared {
    fn chart(&mut self, chart: &Chart, is_root: bool, values: &Map) -> Value {
        let subcharts = Map::new(MapType::Any);
        let fields = [
            self.capabilities.clone(),
            metadata(chart.metadata(), is_root),
            files(chart.files()),
            self.release.clone(),
            Value::Map(subcharts.clone()),
            Value::Map(values.clone()),
        ];
        let root = named(MapType::Values, &ROOT, fields);
        self.roots.push(root.clone());
        for child in chart.dependencies() {
            let own = table(values, child.name()).unwrap_or_else(|| Map::new(MapType::Values));
            let inner = self.chart(child, false, &own);
            subcharts.insert(Str::from(child.name()), inner);
        }
        // Templates see it as their root under another type than through `.Subcharts`.
        Value::Map(root.retyped(MapType::Any))
    }
}

/// The values of a subchart among its parent's. Helm takes the name for a path: a chart with a dot in its name has
/// values only where some lie by accident.
fn table(values: &Map, name: &str) -> Option<Map> {
    let mut table = values.clone();
    for key in name.split('.') {
        let Some(Value::Map(inner)) = table.get(key.as_bytes()) else {
            return None;
        };
        table = inner;
    }
    Some(table.retyped(MapType::Values))
}

/// The root object of a chart, told which template it is for now.
pub(crate) fn for_template(root: &Map, name: &Str, base_path: &Str) -> Value {
    let fields = [Value::Str(base_path.clone()), Value::Str(name.clone())];
    let template = named(MapType::Values, &ABOUT_TEMPLATE, fields);
    root.insert(TEMPLATE.clone(), Value::Map(template));
    Value::Map(root.clone())
}

fn capabilities_object(from: &Arc<Capabilities>) -> Value {
    let from = Arc::clone(from);
    Value::object(belay_template::Capabilities::new(move || {
        let (kube, helm) = (&from.kube_version, &from.helm_version);
        CapabilityFields::new(
            belay_template::KubeVersion::new(
                &kube.version,
                &kube.normalized,
                &kube.major,
                &kube.minor,
            ),
            from.api_versions.iter().map(String::as_str),
            belay_template::HelmVersion::new(
                &helm.version,
                &helm.git_commit,
                &helm.git_tree_state,
                &helm.go_version,
                &helm.kube_client_version,
            ),
        )
    }))
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
    let fields = [
        text(&from.api_version),
        Value::Map(annotations),
        text(&from.app_version),
        text(&from.condition),
        Value::list(from.dependencies().iter().map(dependency).collect()),
        Value::Bool(from.deprecated),
        text(&from.description),
        text(&from.home),
        text(&from.icon),
        Value::Bool(is_root),
        texts(&from.keywords),
        text(&from.kube_version),
        Value::list(from.maintainers.iter().map(maintainer).collect()),
        text(&from.name),
        texts(&from.sources),
        text(&from.tags),
        text(&from.kind),
        text(&from.version),
    ];
    Value::Map(named(MapType::Any, &ABOUT_CHART, fields))
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
