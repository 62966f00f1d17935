//! Where the chart and its values come from.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use belay_chart::{Chart, LoadFor, Warning, absolute_path};
use belay_source::{
    ClientCertificate, Credentials, Destinations, Fetcher, HttpRepository, OciChart, Pick, Secret,
    Settings, split_reference,
};
use clap::Args;
use kube::config::Kubeconfig;

use crate::args::Globals;
use crate::chart_argument::{Wanted, oci_version};
use crate::error::{Error, told_once};
use crate::proof::Proof;
use crate::runtime;

/// The flags that say where a chart comes from.
#[derive(Clone, Debug, Args)]
pub(crate) struct Source {
    /// The chart repository's address
    #[arg(long, value_name = "URL")]
    repo: Option<String>,
    /// A version or a range of versions
    #[arg(long)]
    version: Option<String>,
    /// Use development versions, too
    #[arg(long)]
    devel: bool,
    /// The user of the chart repository
    #[arg(long)]
    username: Option<String>,
    /// The user's password
    #[arg(long)]
    password: Option<String>,
    /// Authorities to trust for the chart repository, PEM
    #[arg(long, value_name = "FILE")]
    ca_file: Option<String>,
    /// The certificate to show to the chart repository, PEM
    #[arg(long, value_name = "FILE", requires = "key_file")]
    cert_file: Option<String>,
    /// That certificate's key, PEM
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    key_file: Option<String>,
    /// Speak to an OCI registry without TLS
    #[arg(long)]
    plain_http: bool,
    #[command(flatten)]
    pub(crate) proof: Proof,
}

impl Source {
    /// What the HelmRelease has to say of it; credentials belong into a Secret there.
    pub(crate) fn wanted<'a>(&'a self, chart: &'a str) -> Wanted<'a> {
        Wanted {
            chart,
            repository: self.repo.as_deref(),
            version: self.version.as_deref(),
            plain_http: self.plain_http,
            proof: Some(&self.proof),
        }
    }

    /// The same with this version where none is asked for; a chart on disk has only one, and a digest says it.
    pub(crate) fn with_version_of(mut self, chart: &str, version: &str) -> Self {
        let said = split_reference(chart)
            .map(|reference| reference.version.is_some() || reference.digest.is_some());
        let is_remote = self.repo.is_some() || said.is_some();
        if is_remote && self.version.is_none() && said != Some(true) {
            self.version = Some(version.to_owned());
        }
        self
    }

    /// Whether the operator will need credentials or authorities, too.
    pub(crate) fn needs_secrets(&self) -> bool {
        self.username.is_some() || self.ca_file.is_some() || self.cert_file.is_some()
    }

    fn wanted_version(&self) -> Option<String> {
        let newest = || self.devel.then(|| ">0.0.0-0".to_owned());
        self.version.clone().or_else(newest)
    }

    fn credentials(&self) -> Option<Credentials> {
        self.username.as_ref().map(|username| Credentials::Basic {
            username: username.clone(),
            password: Secret::new(self.password.clone().unwrap_or_default()),
        })
    }

    fn authorities(&self) -> Result<Option<String>, Error> {
        self.ca_file.as_deref().map(pem).transpose()
    }

    fn certificate(&self) -> Result<Option<ClientCertificate>, Error> {
        let (Some(certificate), Some(key)) = (&self.cert_file, &self.key_file) else {
            return Ok(None);
        };
        Ok(Some(ClientCertificate {
            certificate: pem(certificate)?,
            key: Secret::new(pem(key)?),
        }))
    }
}

/// A chart that was found, or is to be fetched.
pub(crate) enum Located {
    Local(PathBuf),
    Remote(Box<belay_source::Source>),
}

/// Says where the chart is, before anything else is looked at.
pub(crate) fn check(chart: &str, source: &Source) -> Result<Located, Error> {
    if let Some(url) = &source.repo {
        let repository = HttpRepository {
            url: url.clone(),
            name: chart.to_owned(),
            version: source.wanted_version(),
            credentials: source.credentials(),
            ca_bundle: source.authorities()?,
            client_certificate: source.certificate()?,
            provenance: source.proof.keyring()?,
        };
        return Ok(Located::Remote(Box::new(
            belay_source::Source::HttpRepository(repository),
        )));
    }
    if let Some(reference) = split_reference(chart) {
        let pick = match &reference.digest {
            None => Pick::Version(oci_version(
                chart,
                source.wanted_version().as_deref(),
                &reference,
            )?),
            Some(digest) => {
                oci_version(chart, source.version.as_deref(), &reference)?;
                Pick::Digest(digest.parse().map_err(|error| {
                    Error::Template(format!("the digest of {chart:?}: {error}"))
                })?)
            }
        };
        return Ok(Located::Remote(Box::new(belay_source::Source::Oci(
            OciChart {
                url: reference.url,
                pick,
                credentials: source.credentials(),
                ca_bundle: source.authorities()?,
                client_certificate: source.certificate()?,
                provenance: source.proof.keyring()?,
                plain_http: source.plain_http,
                ..OciChart::default()
            },
        ))));
    }
    let path = Path::new(chart);
    if path.exists() {
        source.proof.check(path)?;
        // As helm names a chart on this machine.
        return Ok(Located::Local(absolute_path(path)));
    }
    Err(Error::Template(
        if path.is_absolute() || chart.starts_with('.') {
            format!("path {chart:?} not found")
        } else if chart.contains("://") {
            format!(
                "{chart:?} cannot be fetched by its address; use --repo URL with the chart's name"
            )
        } else if let Some((repository, _)) = chart.split_once('/') {
            format!("repo {repository} not found")
        } else {
            format!("non-absolute URLs should be in form of repo_name/path_to_chart, got: {chart}")
        },
    ))
}

/// Loads the chart; only one that is in a repository or registry needs a network, and a runtime for it.
pub(crate) fn load(located: Located, purpose: LoadFor) -> Result<Arc<Chart>, Error> {
    match located {
        Located::Local(path) => open(&path, purpose),
        Located::Remote(source) => runtime::block_on(fetch(&source)),
    }
}

/// As [`load`] for a release, for commands that are on a runtime already.
pub(crate) async fn load_on_runtime(located: Located) -> Result<Arc<Chart>, Error> {
    match located {
        Located::Local(path) => open(&path, LoadFor::Release),
        Located::Remote(source) => fetch(&source).await,
    }
}

fn open(path: &Path, purpose: LoadFor) -> Result<Arc<Chart>, Error> {
    Chart::load(path, purpose).map(Arc::new).map_err(|refused| {
        refused.warnings.iter().for_each(tell);
        Error::Template(refused.error.to_string())
    })
}

/// Says what helm would log.
pub(crate) fn tell(warning: &Warning) {
    eprintln!("{}", warning.helm());
}

async fn fetch(source: &belay_source::Source) -> Result<Arc<Chart>, Error> {
    // Who calls this asks for himself.
    let fetcher = Fetcher::new(&Settings {
        destinations: Destinations::Any,
        ..Settings::default()
    });
    fetcher
        .fetch(source, Duration::ZERO)
        .await
        .map(|fetched| fetched.chart)
        .map_err(|error| Error::Template(told_once(&error)))
}

fn pem(file: &str) -> Result<String, Error> {
    let text = read(file).map_err(Error::Template)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// A file's content, or why there is none in the words that Go has for it; `-` is standard input.
pub(crate) fn read(name: &str) -> Result<Vec<u8>, String> {
    crate::release_spec::read(name).map_err(|error| match error {
        Error::Read { source, .. } => match source.kind() {
            ErrorKind::NotFound => format!("open {name}: no such file or directory"),
            ErrorKind::PermissionDenied => format!("open {name}: permission denied"),
            ErrorKind::IsADirectory => format!("read {name}: is a directory"),
            _ => format!("open {name}: {source}"),
        },
        other => other.to_string(),
    })
}

/// The namespace that was named, by a flag or to helm (`HELM_NAMESPACE`), or that of the kubeconfig's context, which
/// `HELM_KUBECONTEXT` may name; charts see it, and nothing else of the kubeconfig is used.
pub(crate) fn namespace(globals: &Globals) -> String {
    let named = globals.namespace.last().cloned();
    if let Some(name) = or_of_helm(named, "HELM_NAMESPACE") {
        return name;
    }
    let kubeconfig = match &globals.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let found = kubeconfig.ok().and_then(|kubeconfig| {
        let wanted = or_of_helm(globals.context.clone(), "HELM_KUBECONTEXT")
            .or(kubeconfig.current_context)?;
        let context = kubeconfig
            .contexts
            .into_iter()
            .find(|context| context.name == wanted)?;
        context.context?.namespace
    });
    found
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "default".to_owned())
}

/// A flag, or else what helm takes out of the environment in its place. An empty flag hides the environment.
fn or_of_helm(flag: Option<String>, variable: &str) -> Option<String> {
    flag.or_else(|| std::env::var(variable).ok())
        .filter(|name| !name.is_empty())
}
