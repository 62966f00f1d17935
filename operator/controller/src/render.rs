//! Rendering, on threads of its own: a chart is an untrusted program.

use std::sync::Arc;

use belay_api::Reason;
use belay_chart::{
    Capabilities, Chart, ChartError, KubeVersion, Prepared, Release, RenderOptions, Renderer,
    SchemaCheck,
};
use belay_cluster::Connection;
use belay_cluster::object::Lookup;
use belay_release::Rendered;
use belay_rollout::Rejection;
use belay_template::{Host, Limits};
use rand::RngCore;
use tokio::sync::Semaphore;

use crate::clock;
use crate::error::Error;
use crate::gather::Ready;

/// How many charts are rendered at once.
const AT_ONCE: usize = 2;

/// Renders charts for all releases.
pub(crate) struct Renders {
    renderer: Arc<Renderer>,
    permits: Arc<Semaphore>,
}

/// What a chart came to.
#[derive(Clone, Debug)]
pub(crate) struct Rendering {
    /// The manifest and the hooks.
    pub(crate) rendered: Rendered,
    /// The notes.
    pub(crate) notes: String,
    /// The chart's `crds/`.
    pub(crate) crds: Vec<serde_json::Value>,
    /// The chart as it was rendered, its dependencies applied.
    pub(crate) chart: serde_json::Value,
}

impl Renders {
    pub(crate) fn new() -> Self {
        Self {
            renderer: Arc::new(Renderer::default()),
            permits: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Renders a chart for a release; the inner error is the chart's or the values' fault.
    pub(crate) async fn render(
        &self,
        connection: &Connection,
        ready: &Ready,
        release: Release,
    ) -> Result<Result<Rendering, Rejection>, Error> {
        let capabilities = capabilities(connection).await?;
        let host = ClusterHost {
            connection: connection.clone(),
            runtime: tokio::runtime::Handle::current(),
        };
        self.render_with(ready, release, capabilities, host).await
    }

    /// As [`render`](Self::render) for this cluster and with what this host tells.
    async fn render_with(
        &self,
        ready: &Ready,
        release: Release,
        capabilities: Capabilities,
        mut host: impl Host + Send + 'static,
    ) -> Result<Result<Rendering, Rejection>, Error> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let renderer = Arc::clone(&self.renderer);
        let ready = ready.clone();
        let outcome = tokio::task::spawn_blocking(move || {
            let rendering = render(&renderer, &ready, release, capabilities, &mut host);
            drop(permit);
            rendering
        })
        .await?;
        Ok(outcome)
    }
}

fn render(
    renderer: &Renderer,
    ready: &Ready,
    release: Release,
    capabilities: Capabilities,
    host: &mut (dyn Host + Send),
) -> Result<Rendering, Rejection> {
    let prepared = Prepared::new(&ready.chart, &ready.values, SchemaCheck::Enforce)
        .map_err(|error| reject(&error))?;
    let namespace = release.namespace.clone();
    let options = RenderOptions {
        release,
        capabilities: capabilities.into(),
        subchart_notes: false,
        limits: Limits::default(),
    };
    let output = renderer
        .render(&prepared, &options, host)
        .map_err(|error| reject(&error))?;
    let broken = |error: belay_release::Error| Rejection {
        reason: match error {
            belay_release::Error::Patch { .. } | belay_release::Error::PatchUnmatched { .. } => {
                Reason::PostRenderFailed
            }
            _ => Reason::RenderFailed,
        },
        message: error.to_string(),
        retry_at: None,
    };
    let sorted = Rendered::documents(&output.files)
        .and_then(|documents| ready.post_render.run(documents, &namespace))
        .map(Rendered::from_documents)
        .map_err(broken)?;
    Ok(Rendering {
        rendered: sorted,
        notes: output.notes,
        crds: definitions(prepared.chart())?,
        chart: prepared.chart().record_json(),
    })
}

/// The definitions in a chart's `crds/`, subcharts included. They are not templates.
pub(crate) fn definitions(chart: &Chart) -> Result<Vec<serde_json::Value>, Rejection> {
    let mut definitions = Vec::new();
    for crd in chart.crds() {
        let objects = belay_release::Manifest::parse(&crd.file.text())
            .and_then(|manifest| manifest.objects())
            .map_err(|error| Rejection {
                reason: Reason::ChartInvalid,
                message: format!("{}: {error}", crd.file_name),
                retry_at: None,
            })?;
        definitions.extend(objects);
    }
    Ok(definitions)
}

fn reject(error: &ChartError) -> Rejection {
    let reason = match error {
        ChartError::Schema(_) => Reason::SchemaViolation,
        ChartError::Template(_)
        | ChartError::NotText { .. }
        | ChartError::Handlebars { .. }
        | ChartError::Broken(_) => Reason::RenderFailed,
        ChartError::Set { .. } | ChartError::ValuesFile { .. } | ChartError::SubchartValues(..) => {
            Reason::ValuesInvalid
        }
        _ => Reason::ChartInvalid,
    };
    Rejection {
        reason,
        // Faults of values end with a line break, as with Helm.
        message: error.to_string().trim_end().to_owned(),
        retry_at: None,
    }
}

async fn capabilities(connection: &Connection) -> Result<Capabilities, Error> {
    let api_versions = connection.api_versions().await?;
    let server = connection.server_version().await?;
    let defaults = Capabilities::default();
    Ok(Capabilities {
        kube_version: KubeVersion::parse(&server.git_version)
            .unwrap_or(defaults.kube_version.clone()),
        api_versions,
        ..defaults
    })
}

/// What templates may learn of the world: the clock, chance, and the cluster through `lookup`.
struct ClusterHost {
    connection: Connection,
    runtime: tokio::runtime::Handle,
}

impl Host for ClusterHost {
    fn now(&mut self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(clock::now().0).unwrap_or_default()
    }

    fn random(&mut self, buffer: &mut [u8]) {
        rand::rng().fill_bytes(buffer);
    }

    fn lookup(
        &mut self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<belay_template::Value, String> {
        let wanted = Lookup {
            api_version,
            kind,
            namespace,
            name,
        };
        let found = self
            .runtime
            .block_on(self.connection.lookup(wanted))
            .map_err(|error| error.to_string())?;
        Ok(belay_template::convert::from_data(&belay_yaml::from_serde(
            &found,
        )))
    }
}

#[cfg(test)]
mod tests;
