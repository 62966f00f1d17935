//! The Go structs among a template's built-in objects.

use belay_template::{
    FuncError, Function, List, ListType, Map, MapType, Member, Object, Param, Str, Value,
};

use crate::capabilities::{Capabilities, HelmVersion, KubeVersion};

/// `.Capabilities` as a template value.
pub(crate) fn capabilities(from: &Capabilities) -> Value {
    let versions = from.api_versions.iter().map(|version| Value::str(version.as_str())).collect();
    Value::object(CapabilitiesObject {
        kube_version: Value::object(KubeVersionObject(from.kube_version.clone())),
        api_versions: Value::List(List::new(ListType::VersionSet, versions)),
        helm_version: Value::object(HelmVersionObject(from.helm_version.clone())),
    })
}

struct CapabilitiesObject {
    kube_version: Value,
    api_versions: Value,
    helm_version: Value,
}

impl Object for CapabilitiesObject {
    fn type_name(&self) -> &'static str {
        "*common.Capabilities"
    }

    fn member(&self, name: &[u8]) -> Option<Member> {
        field(&self.fields(), name)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("KubeVersion", self.kube_version.clone()),
            ("APIVersions", self.api_versions.clone()),
            ("HelmVersion", self.helm_version.clone()),
        ]
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

struct KubeVersionObject(KubeVersion);

static STRING: Function = Function::new("String", &[Param::Any], |_, args| {
    read_version(args, |version| &version.normalized)
});
static GIT_VERSION: Function = Function::new("GitVersion", &[Param::Any], |_, args| {
    read_version(args, |version| &version.version)
});

fn read_version(args: &[Value], which: fn(&KubeVersion) -> &String) -> Result<Value, FuncError> {
    let receiver = args.first().and_then(Value::downcast::<KubeVersionObject>);
    receiver
        .map(|object| Value::str(which(&object.0).as_str()))
        .ok_or_else(|| FuncError::new("receiver is no KubeVersion"))
}

impl Object for KubeVersionObject {
    fn type_name(&self) -> &'static str {
        "common.KubeVersion"
    }

    fn member(&self, name: &[u8]) -> Option<Member> {
        match name {
            b"Version" => Some(Member::Field(Value::str(self.0.version.as_str()))),
            b"Major" => Some(Member::Field(Value::str(self.0.major.as_str()))),
            b"Minor" => Some(Member::Field(Value::str(self.0.minor.as_str()))),
            b"String" => Some(Member::Method(&STRING)),
            b"GitVersion" => Some(Member::Method(&GIT_VERSION)),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Version", Value::str(self.0.version.as_str())),
            ("Major", Value::str(self.0.major.as_str())),
            ("Minor", Value::str(self.0.minor.as_str())),
        ]
    }

    fn text(&self) -> Option<String> {
        Some(self.0.normalized.clone())
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

struct HelmVersionObject(HelmVersion);

impl Object for HelmVersionObject {
    fn type_name(&self) -> &'static str {
        "version.BuildInfo"
    }

    fn member(&self, name: &[u8]) -> Option<Member> {
        field(&self.fields(), name)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let HelmVersion { version, git_commit, git_tree_state, go_version, kube_client_version } = &self.0;
        vec![
            ("Version", Value::str(version.as_str())),
            ("GitCommit", Value::str(git_commit.as_str())),
            ("GitTreeState", Value::str(git_tree_state.as_str())),
            ("GoVersion", Value::str(go_version.as_str())),
            ("KubeClientVersion", Value::str(kube_client_version.as_str())),
        ]
    }

    fn plain(&self) -> Value {
        let json = Map::new(MapType::Any);
        let names = ["version", "git_commit", "git_tree_state", "go_version", "kube_client_version"];
        for (name, (_, value)) in names.into_iter().zip(self.fields()) {
            if value.truth() || name == "kube_client_version" {
                json.insert(Str::from(name), value);
            }
        }
        Value::Map(json)
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

fn field(fields: &[(&'static str, Value)], name: &[u8]) -> Option<Member> {
    fields.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, value)| Member::Field(value.clone()))
}
