//! The same work in this process.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use belay_chart::{
    Capabilities, Chart, KubeVersion, Prepared, Release, RenderOptions, Renderer, SchemaCheck,
    UserValues, Values, ValuesFile,
};
use belay_template::{Host, Limits};

use crate::{Answer, Case, Error};

/// The arguments of `helm template` that matter to the output.
#[derive(Debug, Default)]
struct Arguments {
    values: UserValues,
    namespace: Option<String>,
    kube_version: Option<String>,
    api_versions: Vec<String>,
    switches: BTreeSet<String>,
}

const SWITCHES: [&str; 5] = [
    "--include-crds",
    "--is-upgrade",
    "--skip-schema-validation",
    "--no-hooks",
    "--render-subchart-notes",
];

/// What a case renders to, as a release would hold it.
#[derive(Debug)]
pub struct Rendered {
    /// The chart with its dependencies applied.
    pub prepared: Prepared,
    /// Objects and hooks.
    pub release: belay_release::Rendered,
    /// The notes.
    pub notes: String,
    include_crds: bool,
    no_hooks: bool,
}

/// What `helm template release-name CHART ARGUMENTS` should print.
///
/// # Errors
/// When the case has arguments that are not known here, or files that cannot be read.
pub fn template(case: &Case) -> Result<Answer, Error> {
    Ok(match render(case)? {
        Ok(rendered) => Answer {
            stdout: rendered.text(),
            error: None,
        },
        Err(error) => Answer {
            stdout: String::new(),
            error: Some(error),
        },
    })
}

/// Renders a case; the inner error is the text that Helm should print.
///
/// # Errors
/// As [`template`].
pub fn render(case: &Case) -> Result<Result<Rendered, String>, Error> {
    let arguments = Arguments::read(case.arguments())?;
    Ok(arguments.render(case))
}

impl Arguments {
    fn read(args: &[String]) -> Result<Self, Error> {
        let mut read = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || {
                args.next()
                    .cloned()
                    .ok_or_else(|| Error::Argument(arg.clone()))
            };
            match arg.as_str() {
                "-f" | "--values" => {
                    let name = value()?;
                    let data = fs::read(&name).map_err(|source| Error::File {
                        path: PathBuf::from(&name),
                        source,
                    })?;
                    read.values.files.push(ValuesFile { name, data });
                }
                "--set" => read.values.set.push(value()?),
                "--set-string" => read.values.strings.push(value()?),
                "--set-json" => read.values.json.push(value()?),
                "--set-file" => read.values.set_files.push(value()?),
                "--set-literal" => read.values.literals.push(value()?),
                "-n" | "--namespace" => read.namespace = Some(value()?),
                "--kube-version" => read.kube_version = Some(value()?),
                "-a" | "--api-versions" => {
                    read.api_versions
                        .extend(value()?.split(',').map(str::to_owned));
                }
                switch if SWITCHES.contains(&switch) => {
                    read.switches.insert(switch.to_owned());
                }
                _ => return Err(Error::Argument(arg.clone())),
            }
        }
        Ok(read)
    }

    fn has(&self, switch: &str) -> bool {
        self.switches.contains(switch)
    }

    fn render(&self, case: &Case) -> Result<Rendered, String> {
        let mut capabilities = Capabilities::default();
        if let Some(version) = &self.kube_version {
            capabilities.kube_version = KubeVersion::parse(version).map_err(|e| e.to_string())?;
        }
        capabilities
            .api_versions
            .extend(self.api_versions.iter().cloned());
        let mut read = |name: &str| {
            fs::read(name).map_err(|_| format!("open {name}: no such file or directory"))
        };
        let values = self
            .values
            .merge(Values::new(), &mut read)
            .map_err(|e| e.to_string())?;
        let chart = Chart::from_path(case.chart()).map_err(|e| e.to_string())?;
        let check = if self.has("--skip-schema-validation") {
            SchemaCheck::Skip
        } else {
            SchemaCheck::Enforce
        };
        // Where Helm's answers are read, too, no line break at the end is kept.
        let prepared = Prepared::new(&chart, &values, check)
            .map_err(|e| e.to_string().trim_end().to_owned())?;
        let options = RenderOptions {
            release: Release {
                name: "release-name".to_owned(),
                namespace: self
                    .namespace
                    .clone()
                    .unwrap_or_else(|| "default".to_owned()),
                revision: 1,
                is_upgrade: self.has("--is-upgrade"),
            },
            capabilities: capabilities.into(),
            subchart_notes: self.has("--render-subchart-notes"),
            limits: Limits::default(),
        };
        let rendered = renderer()
            .render(&prepared, &options, &mut Edge)
            .map_err(|e| e.to_string())?;
        let release = belay_release::Rendered::from_files(&rendered.files).map_err(|e| e.helm())?;
        Ok(Rendered {
            prepared,
            release,
            notes: rendered.notes,
            include_crds: self.has("--include-crds"),
            no_hooks: self.has("--no-hooks"),
        })
    }
}

impl Rendered {
    /// What `helm template` prints.
    pub fn text(&self) -> String {
        let mut out = String::new();
        if self.include_crds {
            for crd in self.prepared.chart().crds() {
                let _ = write!(
                    out,
                    "---\n# Source: {}\n{}\n",
                    crd.file_name,
                    crd.file.text()
                );
            }
        }
        out.push_str(&self.release.manifest.to_text());
        let mut out = format!("{}\n", out.trim());
        if !self.no_hooks {
            for hook in &self.release.hooks {
                let _ = write!(out, "---\n# Source: {}\n{}\n", hook.path, hook.manifest);
            }
        }
        out
    }
}

fn renderer() -> &'static Renderer {
    static RENDERER: OnceLock<Renderer> = OnceLock::new();
    RENDERER.get_or_init(Renderer::default)
}

/// The real clock and real chance, as helm has them.
struct Edge;

impl Host for Edge {
    fn now(&mut self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn random(&mut self, buffer: &mut [u8]) {
        rand::Rng::fill(&mut rand::rng(), buffer);
    }
}
