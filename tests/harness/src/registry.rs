//! A real OCI registry on the loopback interface, filled by the real helm.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::certificates::Authority;
use crate::token_service::TokenService;
use crate::{Error, Front, GENEROUS, Publisher, Result, Tools, Watchdog};

/// A process that begins to listen gives no event.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The cost of the password's hash: the least, as the registry computes it at each request.
const HASH_COST: u32 = 4;

/// What a registry asks of its clients.
#[derive(Debug, Clone, Default)]
pub struct RegistryOptions {
    /// The one user and password that it lets in; everybody if absent.
    pub credentials: Option<(String, String)>,
    /// Whether it wants tokens of a service that asks for that password, and not the password itself (HTTP basic).
    pub tokens: bool,
    /// Whether it speaks TLS, with a certificate of an authority of its own.
    pub tls: bool,
    /// Whether it lets in only who shows a certificate by that authority; [`Registry::client`] makes them.
    pub client_certificates: bool,
}

/// The distribution project's registry, as a process. It ends when dropped.
pub struct Registry {
    tools: Tools,
    folder: TempDir,
    options: RegistryOptions,
    address: String,
    authority: Option<String>,
    child: Child,
    _tokens: Option<TokenService>,
    // Kills it when dropped.
    _watchdog: Watchdog,
}

impl Registry {
    /// An empty registry that answers already.
    ///
    /// # Errors
    /// If it cannot be started; with its log if it does not answer.
    pub async fn start(tools: &Tools, options: RegistryOptions) -> Result<Self> {
        let folder = tempfile::tempdir().map_err(Error::io("making a folder for a registry"))?;
        let address = free_address()?;
        let authority = if options.tls {
            let authority = Authority::create(folder.path())?;
            authority.server()?.write(folder.path(), "server")?;
            Some(authority.certificate)
        } else {
            None
        };
        let configuration = folder.path().join("config.yml");
        let tokens = match &options.credentials {
            Some(credentials) if options.tokens => Some(TokenService::start(credentials).await?),
            _ => None,
        };
        let text = configure(folder.path(), &address, &options, tokens.as_ref())?;
        std::fs::write(&configuration, text).map_err(Error::io("configuring a registry"))?;
        let log = std::fs::File::create(folder.path().join("registry.log"))
            .map_err(Error::io("writing a registry's log"))?;
        let mut watchdog = Watchdog::start(None)?;
        let child = watchdog.spawn(tools.path("registry").as_os_str(), |command| {
            command
                .arg("serve")
                .arg(&configuration)
                // Its own settings alone: it takes any REGISTRY_… for one of them.
                .env_clear()
                .stdout(Stdio::null())
                .stderr(log);
        })?;
        let registry = Self {
            tools: tools.clone(),
            folder,
            options,
            address,
            authority,
            child,
            _tokens: tokens,
            _watchdog: watchdog,
        };
        registry.answers().await?;
        Ok(registry)
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where a chart of this name is: `oci://HOST:PORT/charts/NAME`.
    pub fn url(&self, chart: &str) -> String {
        format!("oci://{}/charts/{chart}", self.address)
    }

    /// The certificate of the authority that signed the registry's, in PEM, if it speaks TLS.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// A certificate by which it knows a client, and its key, both in PEM.
    ///
    /// # Errors
    /// If it has no authority, as it does not speak TLS.
    pub fn client(&self, name: &str) -> Result<(String, String)> {
        let pair = Authority::open(self.folder.path())?.user(name, None)?;
        Ok((pair.certificate, pair.key))
    }

    /// A server in front of it that counts requests and plays faults.
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn front(&self) -> Result<Front> {
        Front::start(&self.address).await
    }

    /// Packages the chart in `folder` as `version` and pushes it, both with the real helm. What has this version
    /// already is replaced.
    ///
    /// # Errors
    /// What helm complains about.
    pub async fn push(&self, folder: &Path, version: &str) -> Result<()> {
        let packages = self.packages()?;
        let (chart, into) = (shown(folder), shown(packages.path()));
        let package = [
            "package",
            &chart,
            "--version",
            version,
            "--destination",
            &into,
        ];
        self.tools.helm(&package).await?.ok()?;
        self.push_package(&package_in(packages.path())?).await
    }

    /// The same, signed by a publisher: the provenance file goes along.
    ///
    /// # Errors
    /// What helm complains about.
    pub async fn push_signed(
        &self,
        folder: &Path,
        version: &str,
        publisher: &Publisher,
    ) -> Result<()> {
        let packages = self.packages()?;
        publisher
            .package(&self.tools, folder, version, packages.path())
            .await?;
        self.push_package(&package_in(packages.path())?).await
    }

    fn write_client(&self) -> Result<()> {
        let authority = Authority::open(self.folder.path())?;
        let client = authority.user("helm", None)?;
        client.write(self.folder.path(), "client")
    }

    fn packages(&self) -> Result<TempDir> {
        tempfile::tempdir_in(self.folder.path()).map_err(Error::io("packaging a chart"))
    }

    /// Pushes a package with the real helm, and the provenance file beside it if there is one.
    ///
    /// # Errors
    /// What helm complains about.
    pub async fn push_package(&self, package: &Path) -> Result<()> {
        let (package, to) = (shown(package), format!("oci://{}/charts", self.address));
        let authority = shown(&self.authority_file());
        let certificate = shown(&self.folder.path().join("client.crt"));
        let key = shown(&self.folder.path().join("client.key"));
        let mut push = vec!["push", &package, &to];
        if self.options.tls {
            push.extend(["--ca-file", &authority]);
            if self.options.client_certificates {
                self.write_client()?;
                push.extend(["--cert-file", &certificate, "--key-file", &key]);
            }
        } else {
            push.push("--plain-http");
        }
        if let Some((user, password)) = &self.options.credentials {
            push.extend(["--username", user, "--password", password]);
        }
        self.tools.helm(&push).await?.ok()?;
        Ok(())
    }

    /// The manifest that a tag of a chart means, as it is. Works while the registry is open to everybody.
    ///
    /// # Errors
    /// If the registry does not give it.
    pub async fn manifest(&self, chart: &str, tag: &str) -> Result<Vec<u8>> {
        let url = self.api(chart, &format!("manifests/{tag}"));
        let asked = http()?
            .get(url)
            .header("Accept", format!("{MANIFEST}, {INDEX}"));
        let answer = asked
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        let answer = answer.map_err(|error| told("reading a manifest", &error))?;
        let bytes = answer.bytes().await;
        Ok(bytes
            .map_err(|error| told("reading a manifest", &error))?
            .to_vec())
    }

    /// Puts a blob beside a chart and gives its digest, as [`Registry::manifest`] does.
    ///
    /// # Errors
    /// If the registry does not take it.
    pub async fn put_blob(&self, chart: &str, content: &[u8]) -> Result<String> {
        let digest = crate::cosign::digest(content);
        let upload = http()?.post(self.api(chart, "blobs/uploads/"));
        let begun = upload
            .send()
            .await
            .map_err(|error| told("putting a blob", &error))?;
        let place = begun
            .headers()
            .get("location")
            .and_then(|to| to.to_str().ok());
        let place = place.ok_or_else(|| Error::Tools("the registry takes no blob".to_owned()))?;
        let joint = if place.contains('?') { '&' } else { '?' };
        let url = format!("http://{}{place}{joint}digest={digest}", self.address);
        let put = http()?.put(url).body(content.to_vec());
        let answer = put
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        answer.map_err(|error| told("putting a blob", &error))?;
        Ok(digest)
    }

    /// Puts a manifest or an index under a tag or its digest, as [`Registry::manifest`] does.
    ///
    /// # Errors
    /// If the registry does not take it.
    pub async fn put_manifest(
        &self,
        chart: &str,
        reference: &str,
        manifest: &serde_json::Value,
    ) -> Result<()> {
        let kind = manifest["mediaType"].as_str().unwrap_or(MANIFEST);
        let bytes = manifest.to_string().into_bytes();
        self.put_manifest_as_it_is(chart, reference, kind, bytes)
            .await
    }

    /// The same for a manifest that somebody else wrote, which its digest names: byte for byte.
    ///
    /// # Errors
    /// If the registry does not take it.
    pub async fn put_manifest_as_it_is(
        &self,
        chart: &str,
        reference: &str,
        kind: &str,
        bytes: Vec<u8>,
    ) -> Result<()> {
        let put = http()?
            .put(self.api(chart, &format!("manifests/{reference}")))
            .header("Content-Type", kind)
            .body(bytes);
        let answer = put
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        answer.map_err(|error| told("putting a manifest", &error))?;
        Ok(())
    }

    fn api(&self, chart: &str, what: &str) -> String {
        format!("http://{}/v2/charts/{chart}/{what}", self.address)
    }

    /// A file with [`Registry::authority`].
    pub fn authority_file(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    async fn answers(&self) -> Result<()> {
        let deadline = Instant::now() + GENEROUS;
        while TcpStream::connect(&self.address).await.is_err() {
            if Instant::now() > deadline {
                let log = self.folder.path().join("registry.log");
                return Err(Error::NeverHappened {
                    what: "a registry that answers".to_owned(),
                    limit: GENEROUS,
                    last: std::fs::read_to_string(log).unwrap_or_default(),
                });
            }
            sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub(crate) fn http() -> Result<reqwest::Client> {
    // Any provider will do: nothing in here speaks TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build();
    client.map_err(|error| Error::Tools(error.to_string()))
}

pub(crate) fn told(doing: &str, error: &reqwest::Error) -> Error {
    Error::Tools(format!("{doing}: {error}"))
}

/// The package that helm made.
fn package_in(folder: &Path) -> Result<PathBuf> {
    let entries = std::fs::read_dir(folder).map_err(Error::io("packaging a chart"))?;
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|ending| ending == "tgz"))
        .ok_or_else(|| Error::Tools("helm package made no package".to_owned()))
}

impl Drop for Registry {
    fn drop(&mut self) {
        // Fails only when it ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that was free a moment ago.
pub(crate) fn free_address() -> Result<String> {
    let listener =
        std::net::TcpListener::bind("127.0.0.1:0").map_err(Error::io("looking for a free port"))?;
    let address = listener
        .local_addr()
        .map_err(Error::io("looking for a free port"))?;
    Ok(address.to_string())
}

/// The registry's configuration, as its documentation describes it; JSON is YAML.
fn configure(
    folder: &Path,
    address: &str,
    options: &RegistryOptions,
    tokens: Option<&TokenService>,
) -> Result<String> {
    let mut configuration = serde_json::json!({
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": true}},
        "storage": {
            "filesystem": {"rootdirectory": folder.join("storage")},
            "delete": {"enabled": true},
        },
        "http": {"addr": address, "secret": "of no use to anybody", "relativeurls": true},
    });
    if options.tls {
        configuration["http"]["tls"] = serde_json::json!({
            "certificate": folder.join("server.crt"),
            "key": folder.join("server.key"),
        });
        if options.client_certificates {
            configuration["http"]["tls"]["clientcas"] = serde_json::json!([folder.join("ca.crt")]);
        }
    }
    if let Some(tokens) = tokens {
        configuration["auth"] = tokens.configuration(folder)?;
    } else if let Some((user, password)) = &options.credentials {
        let file = folder.join("htpasswd");
        let hash = bcrypt::hash(password, HASH_COST)
            .map_err(|error| Error::Tools(format!("hashing a password: {error}")))?;
        std::fs::write(&file, format!("{user}:{hash}\n"))
            .map_err(Error::io("writing a registry's users"))?;
        configuration["auth"] = serde_json::json!({"htpasswd": {"realm": "charts", "path": file}});
    }
    Ok(configuration.to_string())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
