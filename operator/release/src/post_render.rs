//! What becomes of a chart's documents after they were rendered: patches, and metadata that all objects get.
//!
//! As Helm 4 does it with a post-renderer (`annotateAndMerge` in its `pkg/action/action.go`), hooks are among the
//! documents, and what is a hook is told afterwards.

use std::collections::BTreeMap;

use belay_patch::{Outcome, Patch, Target};
use belay_yaml::{from_serde, to_yaml};
use serde_json::{Map, Value};

use crate::document::Document;
use crate::error::Error;

/// What is done to rendered documents.
#[derive(Debug, Clone, Default)]
pub struct PostRender {
    patches: Vec<(Patch, String)>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

/// A document, its objects, and whether they are still what its text says.
struct Piece {
    document: Document,
    objects: Vec<Value>,
    changed: bool,
}

impl PostRender {
    /// What is done, in the order in which it is done: the patches, then labels and annotations on every object.
    pub fn new(
        patches: Vec<(Patch, Option<Target>)>,
        labels: BTreeMap<String, String>,
        annotations: BTreeMap<String, String>,
    ) -> Self {
        let named = |target: Option<Target>| {
            target.map_or_else(|| "the object that it names".to_owned(), |t| t.to_string())
        };
        Self {
            patches: patches
                .into_iter()
                .map(|(patch, target)| (patch, named(target)))
                .collect(),
            labels,
            annotations,
        }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.patches.is_empty() && self.labels.is_empty() && self.annotations.is_empty()
    }

    /// Does it. `namespace` is that of objects that name none. A document of which nothing changes keeps its text; the
    /// others are printed anew, as `toYaml` prints, each object of a list by itself.
    ///
    /// # Errors
    /// [`Error::PatchUnmatched`] and [`Error::Patch`], which name the patch; [`Error::Yaml`] and
    /// [`Error::NotAnObject`] for documents that cannot be read.
    pub fn run(&self, documents: Vec<Document>, namespace: &str) -> Result<Vec<Document>, Error> {
        if self.is_empty() {
            return Ok(documents);
        }
        let mut pieces = Vec::with_capacity(documents.len());
        for document in documents {
            pieces.push(Piece {
                objects: document.objects()?,
                document,
                changed: false,
            });
        }
        for (index, (patch, target)) in self.patches.iter().enumerate() {
            apply(&mut pieces, index, patch, target, namespace)?;
        }
        for piece in &mut pieces {
            for object in &mut piece.objects {
                piece.changed |= put(object, "labels", &self.labels);
                piece.changed |= put(object, "annotations", &self.annotations);
            }
        }
        let mut out = Vec::with_capacity(pieces.len());
        for piece in pieces {
            if !piece.changed {
                out.push(piece.document);
                continue;
            }
            for object in &piece.objects {
                out.push(printed(&piece.document, object)?);
            }
        }
        Ok(out)
    }
}

fn apply(
    pieces: &mut [Piece],
    index: usize,
    patch: &Patch,
    target: &str,
    namespace: &str,
) -> Result<(), Error> {
    let mut met = false;
    for piece in pieces {
        for object in std::mem::take(&mut piece.objects) {
            if !patch.is_meant_for(&object, namespace) {
                piece.objects.push(object);
                continue;
            }
            met = true;
            let before = object.clone();
            match patch.apply(object) {
                Ok(Outcome::Changed(after)) => {
                    piece.changed |= after != before;
                    piece.objects.push(after);
                }
                Ok(Outcome::Deleted) => piece.changed = true,
                Err(source) => {
                    return Err(Error::Patch {
                        index,
                        target: target.to_owned(),
                        object: named(&before),
                        source: Box::new(source),
                    });
                }
            }
        }
    }
    if met {
        return Ok(());
    }
    Err(Error::PatchUnmatched {
        index,
        target: target.to_owned(),
    })
}

/// Sets labels or annotations; whether that changes anything.
fn put(object: &mut Value, map: &str, entries: &BTreeMap<String, String>) -> bool {
    if entries.is_empty() {
        return false;
    }
    let Some(metadata) = object
        .as_object_mut()
        .and_then(|object| child(object, "metadata"))
    else {
        return false;
    };
    let Some(found) = child(metadata, map) else {
        return false;
    };
    let mut changed = false;
    for (key, value) in entries {
        let value = Value::from(value.as_str());
        changed |= found.get(key) != Some(&value);
        found.insert(key.clone(), value);
    }
    changed
}

/// The object under a key, made where there is none.
fn child<'a>(parent: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Map<String, Value>> {
    let entry = parent.entry(key).or_insert(Value::Null);
    if entry.is_null() {
        *entry = Value::Object(Map::new());
    }
    entry.as_object_mut()
}

fn printed(from: &Document, object: &Value) -> Result<Document, Error> {
    let text = to_yaml(&from_serde(object)).map_err(|source| Error::Yaml {
        path: from.path.clone(),
        line: from.line,
        source,
    })?;
    Document::new(
        &from.path,
        from.line,
        text.strip_suffix('\n').unwrap_or(&text),
    )
}

fn named(object: &Value) -> String {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    format!("{} {}", text("/kind"), text("/metadata/name"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HookEvent, Manifest, Rendered};
    use serde_json::json;

    const WEB: &str =
        "# kept as it is\napiVersion: v1\nkind: Service\nmetadata:\n  name: web   # odd\n";
    const LIST: &str = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n\
                        - apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: b}\n";
    const HOOK: &str = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: migrate\n  annotations:\n    helm.sh/hook: pre-upgrade\n";

    fn files(texts: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = texts
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        pairs.collect()
    }

    fn all() -> BTreeMap<String, String> {
        files(&[("w/a.yaml", WEB), ("w/b.yaml", LIST), ("w/c.yaml", HOOK)])
    }

    fn patch(target: Target, change: &Value) -> (Patch, Option<Target>) {
        let patch = Patch::new(Some(&target), change).unwrap();
        (patch, Some(target))
    }

    fn of_kind(kind: &str) -> Target {
        Target {
            kind: Some(kind.to_owned()),
            ..Target::default()
        }
    }

    fn rendered(patches: Vec<(Patch, Option<Target>)>) -> Result<Rendered, Error> {
        let post = PostRender::new(patches, BTreeMap::new(), BTreeMap::new());
        let documents = post.run(Rendered::documents(&all())?, "shop")?;
        Ok(Rendered::from_documents(documents))
    }

    #[test]
    fn what_no_patch_changes_keeps_its_text() {
        let change = json!({"data": {"k": "v"}});
        let name_a = Target {
            name: Some("a".into()),
            ..of_kind("ConfigMap")
        };
        let rendered = rendered(vec![patch(name_a, &change)]).unwrap();
        let texts: Vec<_> = rendered
            .manifest
            .documents
            .iter()
            .map(|document| document.text.as_str())
            .collect();
        assert_eq!(
            texts,
            [
                "apiVersion: v1\ndata:\n  k: v\nkind: ConfigMap\nmetadata:\n  name: a",
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b",
                WEB
            ]
        );
        // What is stored is read back as the same objects.
        let stored = rendered.manifest.to_text();
        assert_eq!(
            Manifest::parse(&stored).unwrap().objects().unwrap(),
            rendered.manifest.objects().unwrap()
        );
    }

    #[test]
    fn hooks_are_patched_too_and_a_patch_can_make_one() {
        let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "m", "image": "m:2"}]}}}});
        let hook = json!({"metadata": {"annotations": {"helm.sh/hook": "post-install"}}});
        let rendered = rendered(vec![
            patch(of_kind("Job"), &image),
            patch(of_kind("Service"), &hook),
        ])
        .unwrap();
        let hooks: Vec<_> = rendered
            .hooks
            .iter()
            .map(|hook| (hook.name.as_str(), hook.events.clone()))
            .collect();
        assert_eq!(
            hooks,
            [
                ("web", vec![HookEvent::PostInstall]),
                ("migrate", vec![HookEvent::PreUpgrade])
            ]
        );
        assert!(rendered.hooks[1].manifest.contains("image: m:2"));
    }

    #[test]
    fn a_patch_can_take_an_object_out() {
        let gone = json!({"$patch": "delete"});
        let rendered = rendered(vec![patch(of_kind("ConfigMap"), &gone)]).unwrap();
        assert_eq!(rendered.manifest.documents.len(), 1);
    }

    #[test]
    fn metadata_is_on_every_object_and_nowhere_inside() {
        let labels = BTreeMap::from([("team".to_owned(), "shop".to_owned())]);
        let annotations = BTreeMap::from([("note".to_owned(), "yes".to_owned())]);
        let post = PostRender::new(Vec::new(), labels, annotations);
        let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {team: other}}\n\
                          spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}}}\n";
        let mut files = all();
        files.insert("w/d.yaml".to_owned(), deployment.to_owned());
        let documents = post
            .run(Rendered::documents(&files).unwrap(), "shop")
            .unwrap();
        let rendered = Rendered::from_documents(documents);
        let mut objects = rendered.manifest.objects().unwrap();
        for hook in &rendered.hooks {
            objects.extend(Manifest::parse(&hook.manifest).unwrap().objects().unwrap());
        }
        assert_eq!(objects.len(), 5);
        for object in &objects {
            assert_eq!(object["metadata"]["labels"]["team"], "shop", "{object}");
            assert_eq!(object["metadata"]["annotations"]["note"], "yes", "{object}");
        }
        let deployment = objects
            .iter()
            .find(|object| object["kind"] == "Deployment")
            .unwrap();
        assert_eq!(
            deployment["spec"],
            json!({"selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}}})
        );
    }

    #[test]
    fn a_patch_that_meets_nothing_or_does_not_apply_is_named() {
        let change = json!([{"op": "remove", "path": "/spec/absent"}]);
        let error = rendered(vec![
            patch(of_kind("Service"), &json!({"spec": {}})),
            patch(of_kind("Ingress"), &change),
        ]);
        let error = error.unwrap_err().to_string();
        for part in ["postRender[1]", "kind Ingress", "correct"] {
            assert!(error.contains(part), "{error}");
        }
        let error = rendered(vec![patch(of_kind("Service"), &change)])
            .unwrap_err()
            .to_string();
        for part in ["postRender[0]", "Service web", "/spec/absent"] {
            assert!(error.contains(part), "{error}");
        }
    }
}
