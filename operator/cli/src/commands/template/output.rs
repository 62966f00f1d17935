//! What is printed of a rendered chart, and how.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use belay_chart::{Prepared, path_match};
use belay_release::{Hook, HookEvent, Rendered, split_manifests};
use clap::Args;

use crate::error::Error;
use crate::stdout;

/// What is printed, and where to.
#[derive(Clone, Debug, Args)]
pub(super) struct Shown {
    /// Print the chart's crds/ as well
    #[arg(long)]
    include_crds: bool,
    /// Print no hooks
    #[arg(long)]
    no_hooks: bool,
    /// Print no tests
    #[arg(long)]
    skip_tests: bool,
    /// Print only what these templates give; patterns are allowed
    #[arg(short, long, value_name = "TEMPLATE")]
    show_only: Vec<String>,
    #[command(flatten)]
    files: Files,
}

/// Files instead of standard output.
#[derive(Clone, Debug, Args)]
struct Files {
    /// Write files into this folder instead of standard output
    #[arg(long, value_name = "FOLDER")]
    output_dir: Option<PathBuf>,
    /// Put a folder with the release's name into --output-dir
    #[arg(long)]
    release_name: bool,
}

/// A rendered chart.
pub(super) struct Output {
    pub(super) name: String,
    pub(super) rendered: Rendered,
    pub(super) prepared: Prepared,
}

impl Output {
    /// Prints it, or writes it into files.
    pub(super) fn print(&self, wanted: &Shown) -> Result<(), Error> {
        let text = match &wanted.files.output_dir {
            Some(folder) => {
                self.write_files(folder, wanted)?;
                b"\n".to_vec()
            }
            None => self.text(wanted),
        };
        if wanted.show_only.is_empty() {
            return stdout::print(text);
        }
        stdout::print(only(&String::from_utf8_lossy(&text), &wanted.show_only)?)
    }

    /// Definitions are printed as they are, whatever their encoding.
    fn text(&self, wanted: &Shown) -> Vec<u8> {
        let mut text = Vec::new();
        if wanted.include_crds {
            for crd in self.prepared.chart().crds() {
                text.extend_from_slice(&document(&crd.file_name, &crd.file.data));
            }
        }
        text.extend_from_slice(self.rendered.manifest.to_text().as_bytes());
        let mut text = match str::from_utf8(&text) {
            Ok(text) => text.trim().as_bytes().to_vec(),
            Err(_) => text.trim_ascii().to_vec(),
        };
        text.push(b'\n');
        for hook in self.hooks(wanted) {
            text.extend_from_slice(&document(&hook.path, hook.manifest.as_bytes()));
        }
        text
    }

    fn hooks<'a>(&'a self, wanted: &'a Shown) -> impl Iterator<Item = &'a Hook> {
        let shown = |hook: &&Hook| !wanted.skip_tests || !hook.events.contains(&HookEvent::Test);
        self.rendered
            .hooks
            .iter()
            .filter(|_| !wanted.no_hooks)
            .filter(shown)
    }

    /// Files are appended to when this run, or for hooks any run, wrote them before.
    fn write_files(&self, folder: &Path, wanted: &Shown) -> Result<(), Error> {
        let mut written = BTreeSet::new();
        if wanted.include_crds {
            for crd in self.prepared.chart().crds() {
                let append = !written.insert(crd.file_name.clone());
                write_file(folder, &crd.file_name, &crd.file.data, append)?;
            }
        }
        let folder = if wanted.files.release_name {
            folder.join(&self.name)
        } else {
            folder.to_owned()
        };
        for found in &self.rendered.manifest.documents {
            let append = !written.insert(found.path.clone());
            write_file(&folder, &found.path, found.text.as_bytes(), append)?;
        }
        for hook in self.hooks(wanted) {
            let append = folder.join(&hook.path).exists();
            write_file(&folder, &hook.path, hook.manifest.as_bytes(), append)?;
        }
        Ok(())
    }
}

fn document(path: &str, text: &[u8]) -> Vec<u8> {
    [b"---\n# Source: ", path.as_bytes(), b"\n", text, b"\n"].concat()
}

fn write_file(folder: &Path, name: &str, text: &[u8], append: bool) -> Result<(), Error> {
    let path = folder.join(name);
    let write = || {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut options = File::options();
        options.create(true).write(true);
        let mut file = if append {
            options.append(true)
        } else {
            options.truncate(true)
        }
        .open(&path)?;
        file.write_all(&document(name, text))
    };
    write().map_err(|source| Error::Read {
        path: path.clone(),
        source,
    })?;
    stdout::say(format_args!("wrote {}/{name}", folder.display()));
    Ok(())
}

/// The documents of the templates that are asked for, in the order of the asking.
fn only(text: &str, patterns: &[String]) -> Result<String, Error> {
    let documents = split_manifests(text);
    let mut shown = String::new();
    for pattern in patterns {
        let mut missing = true;
        for (_, document) in &documents {
            let Some(template) = template_of(document) else {
                continue;
            };
            if path_match(pattern, template) == Ok(true) {
                let _ = write!(shown, "---\n{document}\n");
                missing = false;
            }
        }
        if missing {
            return Err(Error::Template(format!(
                "could not find template {pattern} in chart"
            )));
        }
    }
    Ok(shown)
}

/// The template that a document came from, without the chart's name before it.
fn template_of(document: &str) -> Option<&str> {
    let (_, source) = document.split_once("# Source: ")?;
    let (chart, template) = source.lines().next()?.split_once('/')?;
    (!chart.is_empty() && !template.is_empty()).then_some(template)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "---\n# Source: web/templates/b.yaml\nkind: B\n---\n# Source: web/templates/a.yaml\nkind: A\n";

    fn patterns(patterns: &[&str]) -> Vec<String> {
        patterns.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn documents_come_in_the_order_in_which_they_are_asked_for() {
        let shown = only(TEXT, &patterns(&["templates/a.yaml", "templates/b.yaml"])).unwrap();

        assert!(shown.find("kind: A") < shown.find("kind: B"), "{shown}");
    }

    #[test]
    fn a_pattern_takes_all_that_match_in_the_order_of_the_output() {
        let shown = only(TEXT, &patterns(&["templates/*.yaml"])).unwrap();

        assert!(shown.find("kind: B") < shown.find("kind: A"), "{shown}");
    }

    #[test]
    fn a_template_that_is_not_there_is_an_error() {
        let error = only(TEXT, &patterns(&["templates/c.yaml"])).unwrap_err();

        assert_eq!(
            error.to_string(),
            "could not find template templates/c.yaml in chart"
        );
    }
}
