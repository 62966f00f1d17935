use std::collections::BTreeMap;

use crate::annotation::{HOOK, HOOK_DELETE_POLICY, HOOK_OUTPUT_LOG_POLICY, HOOK_WEIGHT, items};
use crate::document::Document;
use crate::error::Error;
use crate::hook::Hook;
use crate::hook_event::HookEvent;
use crate::manifest::Manifest;
use crate::order::install_order;
use crate::split::split_manifests;

/// What a chart renders to: the objects of the release and its hooks, each in kind order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rendered {
    /// The hooks, in the order of kinds; see [`execution_order`](crate::execution_order) for that of execution.
    pub hooks: Vec<Hook>,
    /// Everything else, in the order of installation.
    pub manifest: Manifest,
    /// Documents that are in neither, because they name an event that does not exist. Helm drops them too, in
    /// silence; here they are told, so that they can be told on.
    pub skipped: Vec<SkippedHook>,
}

/// A document dropped because of its `helm.sh/hook` annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedHook {
    /// The template that it came from.
    pub path: String,
    /// `metadata.name`.
    pub name: String,
    /// The annotation's value.
    pub events: String,
}

impl Rendered {
    /// Sorts rendered files, template path to text, as Helm 4.2.3 does: partials (names that begin with `_`) and
    /// empty files are left out, files are taken by path, documents in their order in the file, and the whole sorted
    /// by kind. `NOTES.txt` has to be taken out before.
    ///
    /// # Errors
    /// [`Error::Yaml`] or [`Error::NotAnObject`] for the first document that cannot be read.
    pub fn from_files(files: &BTreeMap<String, String>) -> Result<Self, Error> {
        Ok(Self::from_documents(Self::documents(files)?))
    }

    /// The documents of rendered files: by path, then in their order in the file, hooks among them.
    ///
    /// # Errors
    /// As [`Rendered::from_files`].
    pub fn documents(files: &BTreeMap<String, String>) -> Result<Vec<Document>, Error> {
        match Self::readable(files) {
            (documents, None) => Ok(documents),
            (_, Some(error)) => Err(error),
        }
    }

    /// The documents up to the first that cannot be read, and why it cannot.
    pub fn readable(files: &BTreeMap<String, String>) -> (Vec<Document>, Option<Error>) {
        let mut documents = Vec::new();
        for (path, content) in files {
            let base = path.rsplit('/').next().unwrap_or(path);
            if base.starts_with('_') {
                continue;
            }
            for (line, text) in split_manifests(content) {
                match Document::new(path, line, text) {
                    Ok(document) => documents.push(document),
                    Err(error) => return (documents, Some(error)),
                }
            }
        }
        (documents, None)
    }

    /// Tells hooks from what is part of the release, and sorts both by kind.
    pub fn from_documents(documents: Vec<Document>) -> Self {
        let mut rendered = Self::default();
        for document in documents {
            rendered.add(document);
        }
        rendered
            .hooks
            .sort_by(|a, b| install_order(&a.kind, &b.kind));
        rendered
            .manifest
            .documents
            .sort_by(|a, b| install_order(&a.head.kind, &b.head.kind));
        rendered
    }

    /// What `helm template` prints, hooks included.
    pub fn to_template_output(&self) -> String {
        let mut out = self.manifest.to_text().trim().to_owned();
        out.push('\n');
        for hook in &self.hooks {
            out.push_str("---\n# Source: ");
            out.push_str(&hook.path);
            out.push('\n');
            out.push_str(&hook.manifest);
            out.push('\n');
        }
        out
    }

    fn add(&mut self, document: Document) {
        let Some(declared) = document.head.annotations.get(HOOK) else {
            self.manifest.documents.push(document);
            return;
        };
        let events: Option<Vec<HookEvent>> = items(declared)
            .map(|name| HookEvent::parse(&name))
            .collect();
        match events {
            None => self.skipped.push(SkippedHook {
                path: document.path,
                name: document.head.name,
                events: declared.clone(),
            }),
            Some(events) => self.hooks.push(hook(document, events)),
        }
    }
}

fn hook(document: Document, events: Vec<HookEvent>) -> Hook {
    let annotation = |name: &str| document.head.annotations.get(name);
    let weight = annotation(HOOK_WEIGHT)
        .and_then(|weight| weight.parse().ok())
        .unwrap_or(0);
    let list = |name: &str| annotation(name).into_iter().flat_map(|value| items(value));
    Hook {
        events,
        weight,
        delete_policies: list(HOOK_DELETE_POLICY).map(Into::into).collect(),
        output_log_policies: list(HOOK_OUTPUT_LOG_POLICY).map(Into::into).collect(),
        name: document.head.name,
        kind: document.head.kind,
        path: document.path,
        manifest: document.text,
        ..Hook::default()
    }
}

#[cfg(test)]
mod tests;
