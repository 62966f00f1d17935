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
    /// What is no UTF-8 became U+FFFD, since no manifest may hold it.
    pub files: BTreeMap<String, String>,
    /// The notes, empty when there are none.
    pub notes: String,
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
    /// When the chart is not made for the cluster's version, or a template does not parse, fails, or exceeds a limit.
    pub fn render(
        &self,
        prepared: &Prepared,
        options: &RenderOptions,
        host: &mut (dyn Host + Send),
    ) -> Result<Rendered, ChartError> {
        check_kubernetes(prepared.chart(), &options.capabilities)?;
        self.render_as(Purpose::Release, prepared, options, host)
    }

    /// As [`render`](Self::render) the way Helm's linter does it: for any version of Kubernetes, neither as an
    /// installation nor as an upgrade, and `required` and `fail` let everything pass.
    pub(crate) fn render_for_lint(
        &self,
        prepared: &Prepared,
        options: &RenderOptions,
        host: &mut (dyn Host + Send),
    ) -> Result<Rendered, ChartError> {
        self.render_as(Purpose::Lint, prepared, options, host)
    }

    fn render_as(
        &self,
        purpose: Purpose,
        prepared: &Prepared,
        options: &RenderOptions,
        host: &mut (dyn Host + Send),
    ) -> Result<Rendered, ChartError> {
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
) -> Result<Rendered, ChartError> {
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
    let mut rendered = Rendered::default();
    let mut notes = BTreeMap::new();
    for page in &compiled.order {
        let name = &page.name;
        let Some(root) = roots.get(page.chart) else {
            continue;
        };
        let data = scope::for_template(root, &page.shown, &page.base_path);
        let text = match &compiled.dialect {
            Some(dialect) if name.ends_with(HANDLEBARS) => {
                dialect.render(name, &data, &mut render)?
            }
            _ => {
                let output = render
                    .execute(name, &data)
                    .map_err(|error| ChartError::Template(error.as_helm()))?;
                String::from_utf8(output)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
            }
        };
        match page.gives {
            Gives::Notes => notes.insert(name.clone(), text),
            Gives::Manifest => rendered.files.insert(name.clone(), text),
        };
    }
    let own = format!("{}/templates/{NOTES}", chart.name());
    let shown = |name: &String| {
        options.subchart_notes || name.strip_suffix(HANDLEBARS).unwrap_or(name) == own
    };
    for (_, text) in notes.iter().filter(|(name, _)| shown(name)) {
        if !rendered.notes.is_empty() {
            rendered.notes.push('\n');
        }
        rendered.notes.push_str(text);
    }
    Ok(rendered)
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown panic".to_owned())
}
