//! A thousand releases of one chart, from its source to what it renders to.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use belay_chart::{UserValues, Values};
use belay_release::PostRender;
use belay_rollout::ChartId;
use belay_source::{Fetcher, Inline, Package, Settings, Source};
use bytes::Bytes;
use futures::{StreamExt, stream};

use super::*;

const RELEASES: usize = 1000;
/// Text of the chart's templates: what a second copy would take at the least.
const CHART_BYTES: usize = 256 << 10;
/// What a thousand releases may take beside the chart, rendering included: half of what as many copies would take.
const ALLOWED: usize = RELEASES / 2 * CHART_BYTES;
/// How many releases are resolved at the same time.
const RESOLVED_AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_releases_of_one_package_hold_one_copy_of_it() {
    // Each release has the package from a ConfigMap of its own.
    let package = packaged(&files());
    let source = |number: usize| {
        Source::Package(Package {
            bytes: Bytes::from(package.clone()),
            origin: format!("ConfigMap team-{number}/web, key chart"),
        })
    };

    one_copy(source).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_releases_of_one_inline_chart_hold_one_copy_of_it() {
    let files = files();
    let source = |_| {
        Source::Inline(Inline {
            files: files.clone(),
            origin: "spec.chart.inline".to_owned(),
        })
    };

    one_copy(source).await;
}

/// All releases ask for the same chart, several at once, with values of their own, are rendered, and go on holding what
/// their specs came to, as the operator does.
async fn one_copy(source: impl Fn(usize) -> Source) {
    let fetcher = Fetcher::new(&Settings::default());
    let renders = Renders::new();
    let first = resolve(&fetcher, &source(0), 0).await;
    rendered(&renders, &first, 0).await;
    let before = resident();

    let rest = stream::iter(1..RELEASES)
        .map(|number| {
            let source = source(number);
            let fetcher = &fetcher;
            async move { resolve(fetcher, &source, number).await }
        })
        .buffered(RESOLVED_AT_ONCE);
    let mut all = vec![first];
    all.extend(rest.collect::<Vec<_>>().await);
    for (number, ready) in all.iter().enumerate() {
        rendered(&renders, ready, number).await;
    }

    let taken = resident().saturating_sub(before);
    assert_eq!(fetcher.held(), 1, "charts in memory");
    assert_eq!(
        renders.renderer.kept(),
        1,
        "charts whose templates are kept"
    );
    assert!(
        taken < ALLOWED,
        "{RELEASES} releases of a chart of {CHART_BYTES} bytes took {taken} bytes"
    );
    drop(all);
    assert_eq!(
        fetcher.held(),
        0,
        "charts in memory when the last release is gone"
    );
}

async fn resolve(fetcher: &Fetcher, source: &Source, number: usize) -> Ready {
    let found = fetcher
        .fetch(source, std::time::Duration::ZERO)
        .await
        .unwrap();
    let user = UserValues {
        set: vec![format!("own=value-{number}")],
        ..UserValues::default()
    };
    let values = user.merge(Values::new(), &mut |_| Err("no files".to_owned()));
    let metadata = found.chart.metadata();
    Ready {
        id: ChartId {
            name: metadata.name.clone(),
            version: metadata.version.clone(),
            app_version: metadata.app_version.clone(),
        },
        values: Arc::new(values.unwrap()),
        post_render: Arc::new(PostRender::default()),
        chart: found.chart,
    }
}

/// Renders as the operator does, and looks for what only this release has.
async fn rendered(renders: &Renders, ready: &Ready, number: usize) {
    let release = Release {
        name: format!("web-{number}"),
        namespace: "shop".to_owned(),
        revision: 1,
        is_upgrade: false,
    };
    let rendering = renders
        .render_with(ready, release, Capabilities::default(), Still)
        .await
        .unwrap()
        .unwrap();
    let text = rendering.rendered.manifest.to_text();
    assert!(
        text.contains(&format!(
            "name: web-{number}\ndata: {{own: value-{number}}}"
        )),
        "{text}"
    );
}

/// A chart with much text that is parsed, and little that is printed.
fn files() -> BTreeMap<String, String> {
    let mut partials = String::new();
    let mut number = 0;
    while partials.len() < CHART_BYTES {
        number += 1;
        let _ = writeln!(
            partials,
            "{{{{ define \"part-{number}\" }}}}{{{{ .Values.own | default \"{number}\" | quote }}}}{{{{ end }}}}"
        );
    }
    [
        (
            "Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.0.0\n".to_owned(),
        ),
        ("templates/_partials.tpl", partials),
        (
            "templates/map.yaml",
            "kind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata: {own: {{ .Values.own }}}\n"
                .to_owned(),
        ),
    ]
    .map(|(name, text)| (name.to_owned(), text))
    .into()
}

fn packaged(files: &BTreeMap<String, String>) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(gzip);
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, format!("web/{name}"), text.as_bytes())
            .unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// Bytes of memory that this process has, as Linux counts them.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let kilobytes: usize = line.trim().trim_end_matches(" kB").parse().unwrap();
    kilobytes << 10
}

struct Still;

impl Host for Still {
    fn now(&mut self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}
