//! From a chart and its values to the text of its manifests.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use belay_template::{Host, Limits, Options, Render, run_with_stack};

use crate::capabilities::Capabilities;
use crate::chart::Chart;
use crate::compiled::{Cache, Compiled, Gives, HANDLEBARS, NOTES};
use crate::dependencies::in_range;
use crate::error::ChartError;
use crate::prepare::Prepared;
use crate::scope::{self, Release};

/// What a render depends on besides chart and values.
#[derive(Debug, Clone)]
pub struct RenderOptions {
    /// `.Release`.
    pub release: Release,
    /// `.Capabilities`; shared, so that a render takes none of it that no template looks at.
    pub capabilities: Arc<Capabilities>,
    /// Whether the notes of subcharts are shown as well (`--render-subchart-notes`).
    pub subchart_notes: bool,
    /// How much the chart may use.
    pub limits: Limits,
}

/// What a chart renders to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The output of every template by its full name, for example `web/templates/service.yaml`; no partials, no notes.
    pub files: BTreeMap<String, String>,
    /// The notes, empty when there are none. What is no UTF-8 became U+FFFD.
    pub notes: String,
}

/// What the templates printed, byte by byte.
#[derive(Default)]
struct Pages {
    files: BTreeMap<String, Vec<u8>>,
    notes: String,
}

/// What a chart is rendered for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Release,
    Lint,
}

/// Renders charts and keeps their parsed templates. Share one among all releases.
pub struct Renderer {
    cache: Cache,
}

impl Renderer {
    /// A renderer that keeps parsed templates of up to `bytes` of text.
    pub fn new(bytes: usize) -> Self {
        Self {
            cache: Cache::new(bytes),
        }
    }

    /// How many charts' templates it keeps parsed; a chart that many releases have counts once.
    pub fn kept(&self) -> usize {
        self.cache.len()
    }

    /// Renders all templates in Helm's order on a thread with a large stack, and waits for it. `host` is what
    /// templates may learn of the world outside.
    ///
    /// # Errors
    /// When the chart is not made for the cluster's version, or a template does not parse, fails, exceeds a limit, or
    /// prints what is no text.
    pub fn render(
        &self,
        prepared: &Prepared,
        options: &RenderOptions,
        host: &mut (dyn Host + Send),
    ) -> Result<Rendered, ChartError> {
        let pages = self.pages(prepared, options, host)?;
        let files = pages.files.into_iter().map(|(name, bytes)| {
            let text =
                String::from_utf8(bytes).map_err(|error| not_text(&name, error.as_bytes()))?;
            Ok((name, text))
        });
        Ok(Rendered {
            files: files.collect::<Result<_, ChartError>>()?,
            notes: pages.notes,
        })
    }

    /// As [`render`](Self::render), and gives each template's output as it was printed, whether or not it is text.
    ///
    /// # Errors
    /// As [`render`](Self::render), but for what is no text.
    pub fn outputs(
        &self,
        prepared: &Prepared,
        options: &RenderOptions,
        host: &mut (dyn Host + Send),
    ) -> Result<BTreeMap<String, Vec<u8>>, ChartError> {
        self.pages(prepared, options, host).map(|pages| pages.files)
    }

    fn pages(
        &self,
        prepared: &Prepared,
        options: &RenderOptions,
        host: &mut (dyn Host + Send),
    ) -> Result<Pages, ChartError> {
        check_kubernetes(prepared.chart(), &options.capabilities)?;
        self.render_as(Purpose::Release, prepared, options, host)
    }

    /// As [`render`](Self::render) the way Helm's linter does it: for any version of Kubernetes, neither as an
    /// installation nor as an upgrade, and `required` and `fail` let everything pass. Gives the files.
    pub(crate) fn render_for_lint(
        &self,
        prepared: &Prepared,
        options: &RenderOptions,
        host: &mut (dyn Host + Send),
    ) -> Result<BTreeMap<String, Vec<u8>>, ChartError> {
        self.render_as(Purpose::Lint, prepared, options, host)
            .map(|pages| pages.files)
    }

    fn render_as(
        &self,
        purpose: Purpose,
        prepared: &Prepared,
        options: &RenderOptions,
        host: &mut (dyn Host + Send),
    ) -> Result<Pages, ChartError> {
        let work = || {
            catch_unwind(AssertUnwindSafe(|| {
                let compiled = self.cache.get(prepared.chart())?;
                execute(purpose, prepared, &compiled, options, host)
            }))
            .unwrap_or_else(|panic| Err(ChartError::Broken(panic_text(&*panic))))
        };
        run_with_stack(work).map_err(|error| ChartError::Broken(error.to_string()))?
    }
}

impl Default for Renderer {
    /// Keeps 32 MiB of template text.
    fn default() -> Self {
        Self::new(32 << 20)
    }
}

fn check_kubernetes(chart: &Chart, capabilities: &Capabilities) -> Result<(), ChartError> {
    let wanted = &chart.metadata().kube_version;
    if wanted.is_empty() || in_range(wanted, &capabilities.kube_version.normalized) {
        return Ok(());
    }
    Err(ChartError::IncompatibleKubernetes {
        wanted: wanted.clone(),
        found: capabilities.kube_version.version.clone(),
    })
}

fn execute(
    purpose: Purpose,
    prepared: &Prepared,
    compiled: &Compiled,
    options: &RenderOptions,
    host: &mut dyn Host,
) -> Result<Pages, ChartError> {
    let chart = prepared.chart();
    let roots = scope::roots(
        chart,
        prepared.values(),
        scope::release(&options.release, purpose),
        &options.capabilities,
    );
    let mut render = Render::new(
        &compiled.set,
        host,
        Options {
            limits: options.limits,
            lenient: purpose == Purpose::Lint,
            ..Options::default()
        },
    );
    let mut pages = Pages::default();
    let mut notes = BTreeMap::new();
    for page in &compiled.order {
        let name = &page.name;
        let Some(root) = roots.get(page.chart) else {
            continue;
        };
        let data = scope::for_template(root, &page.shown, &page.base_path);
        let output = match &compiled.dialect {
            Some(dialect) if name.ends_with(HANDLEBARS) => {
                dialect.render(name, &data, &mut render)?.into_bytes()
            }
            _ => render
                .execute(name, &data)
                .map_err(|error| ChartError::Template(error.as_helm()))?,
        };
        match page.gives {
            Gives::Notes => notes.insert(name.clone(), output),
            Gives::Manifest => pages.files.insert(name.clone(), output),
        };
    }
    let own = format!("{}/templates/{NOTES}", chart.name());
    let shown = |name: &String| {
        options.subchart_notes || name.strip_suffix(HANDLEBARS).unwrap_or(name) == own
    };
    for (_, text) in notes.iter().filter(|(name, _)| shown(name)) {
        if !pages.notes.is_empty() {
            pages.notes.push('\n');
        }
        pages.notes.push_str(&String::from_utf8_lossy(text));
    }
    Ok(pages)
}

/// Helm has no look at the bytes itself; its YAML reader does, document by document.
fn not_text(file: &str, output: &[u8]) -> ChartError {
    const SEPARATOR: &[u8] = b"\n---";
    let is_separator = |window: &[u8]| window == SEPARATOR;
    let valid = str::from_utf8(output).map_or_else(|error| error.valid_up_to(), str::len);
    let (before, after) = output.split_at(valid);
    let start = before.windows(SEPARATOR.len()).rposition(is_separator);
    let document = &output[start.map_or(0, |start| start + SEPARATOR.len())..];
    // The end of the last document alone keeps its white space.
    let document = match after.windows(SEPARATOR.len()).position(is_separator) {
        Some(end) => document[..document.len() - after.len() + end].trim_ascii(),
        None => document.trim_ascii_start(),
    };
    let message = match belay_yaml::parse(document) {
        Err(error) => error.to_string(),
        Ok(_) => format!("byte {valid} is not UTF-8"),
    };
    ChartError::NotText {
        file: file.to_owned(),
        message,
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown panic".to_owned())
}
