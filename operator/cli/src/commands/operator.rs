//! `belay operator`: the controller, as a process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use belay_cluster::ConnectOptions;
use belay_controller::{Metrics, Operator, Settings};
use belay_source::IpNet;
use clap::{Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::args::Globals;
use crate::error::{Error, told_once};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The namespaces to work in, besides those of -n [default: all]
    #[arg(
        long,
        env = "BELAY_NAMESPACES",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    namespaces: Vec<String>,
    /// The operator's own namespace, where its Lease lives [default: the connection's]
    #[arg(long, env = "POD_NAMESPACE", value_name = "NAME")]
    own_namespace: Option<String>,
    /// This process' name among those that want the Lease [default: the machine's name and the process id]
    #[arg(long, env = "POD_NAME", value_name = "NAME")]
    holder: Option<String>,
    /// The Lease; operators that share it take turns
    #[arg(long, default_value = "belay", value_name = "NAME")]
    lease: String,
    /// For how long the Lease counts after its last renewal
    #[arg(long, default_value = "15s", value_name = "SPAN")]
    lease_duration: belay_api::Duration,
    /// Where /healthz, /readyz and /metrics are served; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics_bind: Option<SocketAddr>,
    /// Let releases put objects and records into other namespaces than their own
    #[arg(long)]
    allow_cross_namespace: bool,
    /// The service account as which releases are rolled out that name none, looked for in their own
    /// namespaces; the operator's own rights if not set
    #[arg(long, value_name = "NAME", env = "BELAY_DEFAULT_SERVICE_ACCOUNT")]
    default_service_account: Option<String>,
    /// The most reconciles at once; a release that waits is none
    #[arg(long, default_value_t = 64, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// Networks from which charts are fetched although tenants are kept from them: loopback, link-local and multicast
    /// addresses, and what clouds serve to their machines
    #[arg(long, value_name = "CIDRS", value_delimiter = ',')]
    allow_source_addresses: Vec<IpNet>,
    /// Where packages are kept over restarts [default: in memory only]
    #[arg(long, value_name = "FOLDER")]
    cache_dir: Option<PathBuf>,
    /// How long a pending record of somebody's helm is waited for before it counts as left by a dead process; a release
    /// whose timeout is longer waits that long
    #[arg(long, default_value = "5m", value_name = "TIME")]
    foreign_patience: belay_api::Duration,
    /// How logs are written
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
    /// What is logged: a level, or filters such as `belay_cluster=debug,info`
    #[arg(long, default_value = "info", value_name = "FILTER")]
    log_level: String,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum LogFormat {
    #[default]
    Json,
    Text,
}

pub(crate) async fn run(arguments: Arguments, globals: &Globals) -> Result<ExitCode, Error> {
    log_to_stderr(arguments.log_format, &arguments.log_level)?;
    let metrics = Metrics::new().map_err(|error| Error::Operator(told_once(&error)))?;
    let connection = belay_cluster::connect(ConnectOptions {
        kubeconfig: globals.kubeconfig.clone(),
        context: globals.context.clone(),
        observer: Some(Arc::new(metrics.clone())),
        ..ConnectOptions::default()
    })
    .await?;
    let settings = settings(arguments, globals, connection.default_namespace());
    let stop = stop_signal()?;
    let operator = Operator {
        connection,
        settings,
        metrics,
    };
    belay_controller::run(operator, stop)
        .await
        .map_err(|error| Error::Operator(told_once(&error)))?;
    Ok(ExitCode::SUCCESS)
}

fn settings(arguments: Arguments, globals: &Globals, default_namespace: &str) -> Settings {
    let mut namespaces = globals.namespace.clone();
    namespaces.extend(
        arguments
            .namespaces
            .into_iter()
            .filter(|name| !name.is_empty()),
    );
    namespaces.sort();
    namespaces.dedup();
    Settings {
        namespaces,
        own_namespace: arguments
            .own_namespace
            .unwrap_or_else(|| default_namespace.to_owned()),
        lease: arguments.lease,
        holder: arguments.holder.unwrap_or_else(process_name),
        lease_duration: arguments.lease_duration.as_std(),
        metrics_bind: arguments.metrics_bind,
        allow_cross_namespace: arguments.allow_cross_namespace,
        default_service_account: arguments
            .default_service_account
            .filter(|name| !name.is_empty()),
        foreign_patience: arguments.foreign_patience,
        concurrency: arguments.concurrency,
        allow_source_addresses: arguments.allow_source_addresses,
        cache_dir: arguments.cache_dir,
    }
}

/// A name that no other process has, outside of pods.
fn process_name() -> String {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let started = crate::when::now().0;
    format!("{}-{}-{started}", machine.trim(), std::process::id())
}

/// Done at the first SIGTERM or SIGINT; a second one ends the process at once.
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        next().await;
        tracing::info!("stops: what was begun is finished; a second signal ends at once");
        // Fails only when nobody waits any more, at the very end.
        let _ = stopping.send(());
        next().await;
        tracing::warn!("ends at once; the next operator goes on from the ledgers");
        std::process::exit(130);
    });
    Ok(async move {
        // An error means that the signal task is gone, which is an end as well.
        let _ = stopped.await;
    })
}

fn log_to_stderr(format: LogFormat, filter: &str) -> Result<(), Error> {
    let filter = EnvFilter::try_new(filter).map_err(|source| Error::LogFilter {
        filter: filter.to_owned(),
        source,
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Json => builder.json().flatten_event(true).init(),
        LogFormat::Text => builder.with_ansi(false).init(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::args::{self, ClusterCommand, Command};

    use super::*;

    fn told(line: &[&str]) -> Settings {
        let parsed = args::Arguments::parse_from(["belay", "operator"].iter().chain(line));
        let Command::Cluster(command) = parsed.command else {
            panic!("another command");
        };
        let ClusterCommand::Operator(arguments) = *command else {
            panic!("another command");
        };
        settings(arguments, &parsed.globals, "home")
    }

    #[test]
    fn namespaces_come_from_every_flag_once() {
        let settings = told(&["-n", "b", "--namespace", "a", "--namespaces", "a,c"]);

        assert_eq!(settings.namespaces, ["a", "b", "c"]);
    }

    #[test]
    fn a_free_port_for_metrics_can_be_asked_for() {
        let settings = told(&["--metrics-bind", "127.0.0.1:0"]);

        assert_eq!(settings.metrics_bind.unwrap().port(), 0);
    }

    #[test]
    fn without_flags_it_works_everywhere_and_has_a_name_of_its_own() {
        let settings = told(&["--own-namespace", "belay-system", "--holder", "belay-0"]);

        assert!(settings.namespaces.is_empty());
        assert_eq!(settings.own_namespace, "belay-system");
        assert_eq!(settings.holder, "belay-0");
        assert_ne!(process_name(), "");
    }
}
