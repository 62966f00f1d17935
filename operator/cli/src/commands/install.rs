//! `belay install` and `belay upgrade`: write a HelmRelease, and follow what comes of it.

use std::collections::BTreeMap;
use std::process::ExitCode;

use belay_api::helm_release::{ChartSource, KeyRef};
use belay_api::{Duration, HelmRelease};
use clap::Args;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::Api;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use serde_json::{Map, Value, json};

use crate::chart_argument::{self, Travelling, Wanted};
use crate::commands::beside::Beside;
use crate::commands::{Session, exit};
use crate::connect::asking;
use crate::error::Error;
use crate::follow::{Patience, Rest, Screen, follow_release};
use crate::page::page;
use crate::proof::{self, Proof};
use crate::release_spec::{MANAGER, SpecArguments, carry_over, release};
use crate::stdout;
use crate::when;

/// The key of a package in its ConfigMap.
const PACKAGE_KEY: &str = "chart.tgz";
/// Attempt and return have a budget each; what the operator needs around them is on top.
const AROUND: Duration = Duration::minutes(1);

#[derive(Debug, Args)]
pub(crate) struct InstallArguments {
    #[command(flatten)]
    shared: Shared,
}

#[derive(Debug, Args)]
pub(crate) struct UpgradeArguments {
    #[command(flatten)]
    shared: Shared,
    /// Install the release if it does not exist
    #[arg(short, long)]
    install: bool,
    /// Forget values that were set before, even if no new ones are given
    #[arg(long)]
    reset_values: bool,
}

/// What both commands understand.
#[derive(Debug, Args)]
struct Shared {
    /// The HelmRelease, and the release's name for Helm
    name: String,
    /// A chart's folder or package, its oci:// address, or with --repo its name there
    chart: String,
    #[command(flatten)]
    spec: SpecArguments,
    /// A version or a range of versions in the repository or registry, such as 6.1.0 or ">=6 <7"
    #[arg(long)]
    version: Option<String>,
    /// The chart repository's address
    #[arg(long, value_name = "URL")]
    repo: Option<String>,
    /// Let the operator speak to the OCI registry without TLS
    #[arg(long)]
    plain_http: bool,
    #[command(flatten)]
    proof: Proof,
    /// Follow it until it is at rest; --wait=false only asks for it
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    wait: bool,
    /// Print the HelmRelease and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Take over fields of the HelmRelease that another manager has set
    #[arg(long)]
    force_conflicts: bool,
}

pub(crate) async fn install(
    arguments: InstallArguments,
    session: Session,
) -> Result<ExitCode, Error> {
    let shared = arguments.shared;
    if !shared.dry_run && session.release_if_any(&shared.name).await?.is_some() {
        return Err(Error::Exists {
            namespace: session.access.namespace.clone(),
            name: shared.name,
        });
    }
    Box::pin(roll_out(shared, None, false, session)).await
}

pub(crate) async fn upgrade(
    arguments: UpgradeArguments,
    session: Session,
) -> Result<ExitCode, Error> {
    let shared = arguments.shared;
    let existing = session.release_if_any(&shared.name).await?;
    if existing.is_none() && !arguments.install {
        return Err(Error::NothingToUpgrade {
            namespace: session.access.namespace.clone(),
            name: shared.name,
        });
    }
    let keep_values = !arguments.reset_values && !shared.spec.has_values();
    Box::pin(roll_out(shared, existing, keep_values, session)).await
}

async fn roll_out(
    shared: Shared,
    existing: Option<HelmRelease>,
    keep_values: bool,
    session: Session,
) -> Result<ExitCode, Error> {
    let name = &shared.name;
    let travelling = chart_argument::read(Wanted {
        chart: &shared.chart,
        repository: shared.repo.as_deref(),
        version: shared.version.as_deref(),
        plain_http: shared.plain_http,
        proof: Some(&shared.proof),
    })?;
    let (mut source, package) = chart_source(name, travelling);
    let keyring = shared.proof.demand(name, &mut source)?;
    let beside = Beside { package, keyring };
    let mut kept = Vec::new();
    if let Some(existing) = &existing {
        let proof = proof::keep(&mut source, &existing.spec.chart);
        kept.extend(proof.map(str::to_owned));
    }
    let mut spec = shared.spec.fields(&source)?;
    if let Some(existing) = &existing {
        kept.extend(carry_over(&mut spec, existing, keep_values));
    }
    if !kept.is_empty() {
        eprintln!("kept from before: {}", kept.join(", "));
    }
    if shared.dry_run {
        return print(&session.access.namespace, name, &spec, &beside);
    }
    if shared.spec.create_namespace && shared.spec.target_namespace.is_none() {
        create_namespace(&session).await?;
    }
    beside.store(&session).await?;
    if source.inline.is_some() {
        stdout::say(format_args!(
            "the chart's files go into the HelmRelease itself"
        ));
    }
    let applied = apply(&session, name, &spec, shared.force_conflicts).await?;
    beside.own(&session, &applied).await?;
    let generation = applied.metadata.generation.unwrap_or_default();
    let word = match &existing {
        None => "created",
        Some(before) if before.metadata.generation == Some(generation) => "unchanged",
        Some(_) => "changed",
    };
    stdout::say(format_args!(
        "HelmRelease {name} in {} is {word}",
        session.access.namespace
    ));
    if !shared.wait {
        return Ok(ExitCode::SUCCESS);
    }
    let mut screen = Screen::new(session.style);
    let timeout = applied.spec.timeout;
    let end = follow_release(
        &session.access,
        name,
        existing.or_else(|| Some(applied.clone())),
        generation,
        Patience::UntilFailure,
        Some(Duration(
            timeout.0.saturating_mul(2).saturating_add(AROUND.0),
        )),
        &mut screen,
    )
    .await?;
    drop(screen);
    if let Some((last, rest)) = &end
        && (*rest == Rest::NotReady || word == "unchanged")
    {
        stdout::print(format!("\n{}", page(last, when::now(), session.style)))?;
    }
    Ok(exit(end.as_ref()))
}

/// The chart's source for the spec, and the ConfigMap that it needs, if any. Its name follows from the content: another
/// chart is another spec, and an older revision's package stays until the release goes.
pub(super) fn chart_source(name: &str, travelling: Travelling) -> (ChartSource, Option<ConfigMap>) {
    match travelling {
        Travelling::InRelease(source) => (*source, None),
        Travelling::Packaged { package, digest } => {
            let config_map = format!("{name}-chart-{}", &digest[..digest.len().min(10)]);
            let source = ChartSource {
                config_map: Some(KeyRef {
                    name: config_map.clone(),
                    key: PACKAGE_KEY.to_owned(),
                }),
                ..ChartSource::default()
            };
            let object = ConfigMap {
                metadata: ObjectMeta {
                    name: Some(config_map),
                    labels: Some(BTreeMap::from([(
                        "belay.dev/release".to_owned(),
                        name.to_owned(),
                    )])),
                    ..ObjectMeta::default()
                },
                binary_data: Some(BTreeMap::from([(
                    PACKAGE_KEY.to_owned(),
                    ByteString(package),
                )])),
                ..ConfigMap::default()
            };
            (source, Some(object))
        }
    }
}

pub(super) fn print(
    namespace: &str,
    name: &str,
    spec: &Map<String, Value>,
    beside: &Beside,
) -> Result<ExitCode, Error> {
    beside.print(namespace)?;
    let text =
        serde_yaml::to_string(&release(namespace, name, spec)).map_err(|source| Error::Print {
            format: "YAML",
            source: source.into(),
        })?;
    stdout::print(text)?;
    Ok(ExitCode::SUCCESS)
}

async fn create_namespace(session: &Session) -> Result<(), Error> {
    let namespaces: Api<Namespace> = Api::all(session.access.client.clone());
    let name = &session.access.namespace;
    let object = Namespace {
        metadata: ObjectMeta {
            name: Some(name.clone()),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    };
    let made = asking(
        &format!("creating the namespace {name}"),
        namespaces.create(&PostParams::default(), &object),
    )
    .await;
    match made {
        Err(Error::Api { source, .. }) if matches!(&*source, kube::Error::Api(status) if status.code == 409) => {
            Ok(())
        }
        made => made.map(drop),
    }
}

pub(super) async fn apply(
    session: &Session,
    name: &str,
    spec: &Map<String, Value>,
    force: bool,
) -> Result<HelmRelease, Error> {
    let api = session.access.api::<HelmRelease>();
    let mut parameters = PatchParams::apply(MANAGER).validation_strict();
    parameters.force = force;
    let object = release(&session.access.namespace, name, spec);
    let applied = asking(
        &format!("applying the HelmRelease {name}"),
        api.patch(name, &parameters, &Patch::Apply(json!(object))),
    )
    .await;
    match applied {
        Err(Error::Api {
            message, source, ..
        }) if matches!(&*source, kube::Error::Api(status) if status.code == 409) => {
            Err(Error::Conflict {
                name: name.to_owned(),
                message,
            })
        }
        applied => applied,
    }
}

#[cfg(test)]
mod tests {
    use kube::ResourceExt;

    use super::*;

    #[test]
    fn a_package_is_named_by_its_content_and_goes_as_binary_data() {
        let travelling = Travelling::Packaged {
            package: vec![1, 2, 3],
            digest: "0123456789abcdef".to_owned(),
        };

        let (source, config_map) = chart_source("web", travelling);

        let reference = source.config_map.unwrap();
        let object = config_map.unwrap();
        assert_eq!(reference.name, "web-chart-0123456789");
        assert_eq!(object.name_any(), reference.name);
        assert_eq!(object.binary_data.unwrap()[&reference.key].0, [1, 2, 3]);
    }

    #[test]
    fn a_chart_in_the_release_needs_no_config_map() {
        let (_, config_map) = chart_source("web", Travelling::InRelease(Box::default()));

        assert!(config_map.is_none());
    }
}
