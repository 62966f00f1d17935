//! The structs that Helm hands to templates: `.Capabilities` and what is in it.

use std::any::Any;
use std::cell::LazyCell;

use crate::call::Function;
use crate::value::{Map, MapType, Member, Object, Str, Value};

fn field(fields: &[(&'static str, Value)], name: &[u8]) -> Option<Member> {
    fields
        .iter()
        .find(|(field, _)| field.as_bytes() == name)
        .map(|(_, value)| Member::Field(value.clone()))
}

/// `.Capabilities`: what the cluster can do.
pub struct Capabilities {
    fields: LazyCell<CapabilityFields, Box<dyn FnOnce() -> CapabilityFields>>,
}

/// The fields of [`Capabilities`].
pub struct CapabilityFields([(&'static str, Value); 3]);

impl CapabilityFields {
    /// Of this cluster version, with these API versions (`apps/v1`, `apps/v1/Deployment`), rendered by this Helm.
    pub fn new<'v>(
        kube: KubeVersion,
        api_versions: impl IntoIterator<Item = &'v str>,
        helm: HelmVersion,
    ) -> Self {
        let versions = api_versions.into_iter().map(Value::str).collect();
        let versions = crate::List::new(crate::ListType::VersionSet, versions);
        Self([
            ("KubeVersion", Value::object(kube)),
            ("APIVersions", Value::List(versions)),
            ("HelmVersion", Value::object(helm)),
        ])
    }
}

impl Capabilities {
    /// With fields that are made when a template first looks at one: most charts never do.
    pub fn new(fields: impl FnOnce() -> CapabilityFields + 'static) -> Self {
        Self {
            fields: LazyCell::new(Box::new(fields)),
        }
    }
}

impl Object for Capabilities {
    fn type_name(&self) -> &'static str {
        "*common.Capabilities"
    }
    fn member(&self, name: &[u8]) -> Option<Member> {
        field(&self.fields.0, name)
    }
    fn fields(&self) -> Vec<(&'static str, Value)> {
        self.fields.0.to_vec()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `.Capabilities.KubeVersion`
pub struct KubeVersion {
    version: String,
    normalized: String,
    major: String,
    minor: String,
    /// Whether it went through a function that takes anything: it has no methods then, and prints its fields.
    copied: bool,
}

impl KubeVersion {
    /// From the version with its leading `v`, e.g. `v1.33.4-gke.1245000`, and its parts.
    pub fn new(version: &str, normalized: &str, major: &str, minor: &str) -> Self {
        Self {
            version: version.to_owned(),
            normalized: normalized.to_owned(),
            major: major.to_owned(),
            minor: minor.to_owned(),
            copied: false,
        }
    }

    fn shown(&self) -> &str {
        if self.normalized.is_empty() {
            &self.version
        } else {
            &self.normalized
        }
    }
}

const GIT_VERSION: Function = Function::new("GitVersion", &[], |_, args| {
    Ok(args[0]
        .downcast::<KubeVersion>()
        .map_or(Value::Nil, |kube| Value::str(kube.version.as_str())))
});
const STRING: Function = Function::new("String", &[], |_, args| {
    Ok(args[0]
        .downcast::<KubeVersion>()
        .map_or(Value::Nil, |kube| Value::str(kube.shown())))
});

impl Object for KubeVersion {
    fn type_name(&self) -> &'static str {
        "common.KubeVersion"
    }
    fn member(&self, name: &[u8]) -> Option<Member> {
        const GIT: &Function = &GIT_VERSION;
        const SHOWN: &Function = &STRING;
        Some(match name {
            b"Version" => Member::Field(Value::str(self.version.as_str())),
            b"Major" => Member::Field(Value::str(self.major.as_str())),
            b"Minor" => Member::Field(Value::str(self.minor.as_str())),
            b"GitVersion" if !self.copied => Member::Method(GIT),
            b"String" if !self.copied => Member::Method(SHOWN),
            _ => return None,
        })
    }
    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Version", Value::str(self.version.as_str())),
            ("normalizedVersion", Value::str(self.normalized.as_str())),
            ("Major", Value::str(self.major.as_str())),
            ("Minor", Value::str(self.minor.as_str())),
        ]
    }
    fn printed(&self) -> Option<String> {
        (!self.copied).then(|| self.shown().to_owned())
    }
    fn copied(&self) -> Option<Value> {
        (!self.copied).then(|| {
            let copy = Self::new(&self.version, &self.normalized, &self.major, &self.minor);
            Value::object(Self {
                copied: true,
                ..copy
            })
        })
    }
    fn plain(&self) -> Value {
        Value::map(
            self.fields()
                .into_iter()
                .filter(|(name, _)| *name != "normalizedVersion"),
        )
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `.Capabilities.HelmVersion`
pub struct HelmVersion {
    fields: [(&'static str, Value); 5],
}

impl HelmVersion {
    /// Of the Helm whose output is matched.
    pub fn new(
        version: &str,
        git_commit: &str,
        git_tree_state: &str,
        go_version: &str,
        kube_client: &str,
    ) -> Self {
        Self {
            fields: [
                ("Version", Value::str(version)),
                ("GitCommit", Value::str(git_commit)),
                ("GitTreeState", Value::str(git_tree_state)),
                ("GoVersion", Value::str(go_version)),
                ("KubeClientVersion", Value::str(kube_client)),
            ],
        }
    }
}

impl Object for HelmVersion {
    fn type_name(&self) -> &'static str {
        "version.BuildInfo"
    }
    fn member(&self, name: &[u8]) -> Option<Member> {
        field(&self.fields, name)
    }
    fn fields(&self) -> Vec<(&'static str, Value)> {
        self.fields.to_vec()
    }
    fn plain(&self) -> Value {
        const NAMES: [&str; 5] = [
            "version",
            "git_commit",
            "git_tree_state",
            "go_version",
            "kube_client_version",
        ];
        let map = Map::new(MapType::Any);
        for (name, (_, value)) in NAMES.iter().zip(&self.fields) {
            if value.truth() || *name == "kube_client_version" {
                map.insert(Str::from(*name), value.clone());
            }
        }
        Value::Map(map)
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
