//! The rules for `crds/`.

use super::object::Object;
use super::place::Entry;
use super::{Linter, Severity, holds};

const FOLDER: &str = "crds/";

impl Linter {
    pub(super) fn crds(&mut self) {
        let entry = self.place.entry("crds");
        if entry == Entry::Nothing {
            return;
        }
        let folder = holds(entry == Entry::Folder, || "not a directory".to_owned());
        if !self.check(Severity::Error, FOLDER, folder) {
            return;
        }
        let chart = match self.chart() {
            Ok(chart) => chart,
            Err(error) => {
                self.check(Severity::Error, FOLDER, Err(error.to_string()));
                return;
            }
        };
        for crd in chart.crds() {
            let name = &crd.file.name;
            for object in Object::all(&crd.file.data) {
                match object {
                    Ok(None) => {}
                    Ok(Some(object)) => self.definition(name, &object),
                    Err(error) => {
                        let text = format!("unable to parse YAML: {error}");
                        self.check(Severity::Error, name, Err(text));
                        return;
                    }
                }
            }
        }
    }

    fn definition(&mut self, name: &str, object: &Object) {
        let group = object.api_version.starts_with("apiextensions.k8s.io");
        self.check(
            Severity::Error,
            name,
            holds(group, || {
                "apiVersion is not in 'apiextensions.k8s.io'".to_owned()
            }),
        );
        let kind = object.kind == "CustomResourceDefinition";
        self.check(
            Severity::Error,
            name,
            holds(kind, || {
                "object kind is not 'CustomResourceDefinition'".to_owned()
            }),
        );
    }
}
