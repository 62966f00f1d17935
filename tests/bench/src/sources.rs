//! What many releases cost one chart repository and one registry: requests and bytes, counted on the serving side.
//!
//! The releases are not installed. Their looks at the source are made as the operator makes them: by one fetcher for
//! all, as many at a time as reconciles run, each with its release's interval as the greatest age of what is known.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use belay_harness::{
    CosignKey, Front, HttpRepo, Publisher, Registry, RegistryOptions, SignatureFormat, Tools,
};
use belay_source::{
    Destinations, Fetcher, HttpRepository, Keyring, OciChart, Pick, PublicKeys, Settings, Source,
};
use futures::StreamExt;

use crate::error::Error;

/// Reconciles at a time, the operator's default.
const AT_ONCE: usize = 64;
/// The releases' interval: long enough for all of them to look within it, short enough to wait for.
const INTERVAL: Duration = Duration::from_secs(5);

/// What one look of all releases cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cost {
    requests: u64,
    bytes: u64,
}

/// What was measured.
pub(crate) struct Costs {
    releases: usize,
    rows: Vec<Row>,
}

struct Row {
    what: &'static str,
    first: Cost,
    next: Cost,
}

/// Who counts what it served.
enum Counter<'c> {
    Repository(&'c HttpRepo),
    Registry(&'c Front),
}

impl Counter<'_> {
    fn so_far(&self) -> Cost {
        match self {
            Self::Repository(repository) => Cost {
                requests: repository.all_requests(),
                bytes: repository.bytes(),
            },
            Self::Registry(front) => Cost {
                requests: front.requests(""),
                bytes: front.bytes(),
            },
        }
    }
}

/// Measures `releases` of the chart in `folder`.
pub(crate) async fn measure(tools: &Tools, folder: &Path, releases: usize) -> Result<Costs, Error> {
    let publisher = Publisher::new("Bench <bench@example.org>")?;
    let repository = HttpRepo::start(tools).await?;
    let registry = Registry::start(tools, RegistryOptions::default()).await?;
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        repository
            .publish_signed(folder, version, &publisher)
            .await?;
        registry.push(folder, version).await?;
    }
    let front = registry.front().await?;
    let name = name_of(folder)?;
    let key = CosignKey::new();
    key.sign(&registry, &name, "1.2.0", SignatureFormat::Payload)
        .await?;

    let of_repository = HttpRepository {
        url: repository.url().to_owned(),
        name: name.clone(),
        version: Some(">=1 <2".to_owned()),
        ..HttpRepository::default()
    };
    let of_registry = OciChart {
        url: front.url(&name),
        pick: Pick::Version(Some(">=1 <2".to_owned())),
        plain_http: true,
        ..OciChart::default()
    };
    let ring = std::fs::read(publisher.keyring()).map_err(Error::io("reading a keyring"))?;
    let keyring = Keyring::read([("ring", ring.as_slice())])
        .map_err(|error| Error::NotDone(error.to_string()))?;
    let public = key.public()?;
    let keys = PublicKeys::read([("cosign.pub", public.as_bytes())])
        .map_err(|error| Error::NotDone(error.to_string()))?;
    let signed_package = HttpRepository {
        provenance: Some(keyring),
        ..of_repository.clone()
    };
    let signed_manifest = OciChart {
        cosign: Some(keys),
        ..of_registry.clone()
    };

    let (http, oci) = (Source::HttpRepository, Source::Oci);
    let rows = [
        ("chart repository", http(of_repository)),
        ("the same, provenance asked for", http(signed_package)),
        ("registry, a range over tags", oci(of_registry)),
        (
            "the same, a cosign signature asked for",
            oci(signed_manifest),
        ),
    ];
    let mut costs = Costs {
        releases,
        rows: Vec::new(),
    };
    for (what, source) in rows {
        let counter = match source {
            Source::Oci(_) => Counter::Registry(&front),
            _ => Counter::Repository(&repository),
        };
        costs
            .rows
            .push(row(what, &source, &counter, releases).await?);
    }
    Ok(costs)
}

/// All releases look once with nothing known, and once more when their interval is over.
async fn row(
    what: &'static str,
    source: &Source,
    counter: &Counter<'_>,
    releases: usize,
) -> Result<Row, Error> {
    let fetcher = Fetcher::new(&Settings {
        destinations: Destinations::Any,
        proxy_from_environment: false,
        ..Settings::default()
    });
    let first = look(&fetcher, source, counter, releases).await?;
    tokio::time::sleep(INTERVAL).await;
    let next = look(&fetcher, source, counter, releases).await?;
    Ok(Row { what, first, next })
}

async fn look(
    fetcher: &Fetcher,
    source: &Source,
    counter: &Counter<'_>,
    releases: usize,
) -> Result<Cost, Error> {
    let before = counter.so_far();
    let looks = (0..releases).map(|_| fetcher.fetch(source, INTERVAL));
    let mut looks = futures::stream::iter(looks).buffer_unordered(AT_ONCE);
    while let Some(fetched) = looks.next().await {
        fetched.map_err(|error| Error::NotDone(error.to_string()))?;
    }
    let after = counter.so_far();
    Ok(Cost {
        requests: after.requests - before.requests,
        bytes: after.bytes - before.bytes,
    })
}

fn name_of(folder: &Path) -> Result<String, Error> {
    let file = folder.join("Chart.yaml");
    let text = std::fs::read_to_string(&file).map_err(Error::io("reading the chart"))?;
    let name = text.lines().find_map(|line| line.strip_prefix("name: "));
    name.map(|name| name.trim().to_owned())
        .ok_or_else(|| Error::NotDone(format!("{} names no chart", file.display())))
}

impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} releases of one chart, as their source sees them; {AT_ONCE} look at a time",
            self.releases
        )?;
        writeln!(
            f,
            "{:<40} {:>12} {:>10}   {:>14} {:>10}",
            "", "first look", "bytes", "next interval", "bytes"
        )?;
        for Row { what, first, next } in &self.rows {
            writeln!(
                f,
                "{what:<40} {:>12} {:>10}   {:>14} {:>10}",
                first.requests, first.bytes, next.requests, next.bytes
            )?;
        }
        Ok(())
    }
}
