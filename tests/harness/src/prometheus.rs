//! A real Prometheus on the loopback interface, and the metrics that it scrapes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::registry::{free_address, http, told};
use crate::tools::workspace;
use crate::{Error, GENEROUS, Result, Watchdog};

/// Neither a process that begins to listen nor a scrape gives an event.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// The cost of the password's hash: the least, as it is computed at each request.
const HASH_COST: u32 = 4;

/// A Prometheus as a process, which scrapes what a test sets. It ends when dropped.
pub struct Prometheus {
    folder: TempDir,
    address: String,
    credentials: Option<(String, String)>,
    metrics: Arc<Metrics>,
    target: JoinHandle<()>,
    child: Child,
    // Kills it when dropped.
    _watchdog: Watchdog,
}

/// The gauges of the page that is scraped.
type Metrics = Mutex<BTreeMap<String, f64>>;

impl Prometheus {
    /// One that answers already, built first where it is missing. With `credentials` it lets in only that user (HTTP
    /// basic).
    ///
    /// # Errors
    /// If it cannot be built or started; with its log if it does not answer.
    pub async fn start(credentials: Option<(&str, &str)>) -> Result<Self> {
        let program = program().await?;
        let folder = tempfile::tempdir().map_err(Error::io("making a folder for Prometheus"))?;
        let metrics = Arc::<Metrics>::default();
        let (target, scraped) = serve(Arc::clone(&metrics)).await?;
        let address = free_address()?;
        configure(folder.path(), &scraped, credentials)?;
        let log = std::fs::File::create(folder.path().join("prometheus.log"))
            .map_err(Error::io("writing Prometheus' log"))?;
        let mut watchdog = Watchdog::start(None)?;
        let child = watchdog.spawn(program.as_os_str(), |command| {
            let file = |name: &str| folder.path().join(name).display().to_string();
            command
                .arg(format!("--config.file={}", file("prometheus.yml")))
                .arg(format!("--web.config.file={}", file("web.yml")))
                .arg(format!("--web.listen-address={address}"))
                .arg(format!("--storage.tsdb.path={}", file("data")))
                .env_clear()
                .stdout(Stdio::null())
                .stderr(log);
        })?;
        let prometheus = Self {
            folder,
            address,
            credentials: credentials.map(|(user, password)| (user.into(), password.into())),
            metrics,
            target,
            child,
            _watchdog: watchdog,
        };
        prometheus.until("vector(1)", 1.0).await?;
        Ok(prometheus)
    }

    /// Its address: `http://HOST:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets a gauge and waits until it was scraped.
    ///
    /// # Errors
    /// If it never is.
    pub async fn set(&self, gauge: &str, value: f64) -> Result<()> {
        self.metrics
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(gauge.to_owned(), value);
        self.until(gauge, value).await
    }

    /// Ends it; nobody listens at its address any more.
    ///
    /// # Errors
    /// If it cannot be ended.
    pub fn stop(&mut self) -> Result<()> {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        ended.map_err(Error::io("stopping Prometheus"))?;
        Ok(())
    }

    /// Waits until a query gives this one number.
    async fn until(&self, query: &str, value: f64) -> Result<()> {
        let deadline = Instant::now() + GENEROUS;
        loop {
            let last = match self.ask(query).await {
                Ok(found) if found == Some(value) => return Ok(()),
                Ok(found) => format!("{found:?}"),
                Err(error) => error.to_string(),
            };
            if Instant::now() > deadline {
                let log = std::fs::read_to_string(self.folder.path().join("prometheus.log"));
                return Err(Error::NeverHappened {
                    what: format!("{query} is {value}"),
                    limit: GENEROUS,
                    last: format!("{last}\n{}", log.unwrap_or_default()),
                });
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn ask(&self, query: &str) -> Result<Option<f64>> {
        let url = format!("{}/api/v1/query?query={query}", self.url());
        let asked = http()?.get(url);
        let asked = match &self.credentials {
            Some((user, password)) => asked.basic_auth(user, Some(password)),
            None => asked,
        };
        let answer = asked
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        let answer = answer.map_err(|error| told("asking Prometheus", &error))?;
        let text = answer.text().await;
        let text = text.map_err(|error| told("asking Prometheus", &error))?;
        let answer: Value =
            serde_json::from_str(&text).map_err(Error::unreadable("an answer of Prometheus"))?;
        let number = answer.pointer("/data/result/0/value/1");
        let number = number.and_then(Value::as_str);
        Ok(number.and_then(|number| number.parse().ok()))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.target.abort();
        // Fails only when it ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Builds the program, unless that was done before.
async fn program() -> Result<PathBuf> {
    let script = workspace().join("tests/prometheus/build.sh");
    let built = Command::new("bash")
        .arg(&script)
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(Error::io(format!("running {}", script.display())))?;
    if !built.status.success() {
        return Err(Error::Tools(built.status.to_string()));
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&built.stdout).trim()))
}

/// Serves the page that is scraped; answers with its address.
async fn serve(metrics: Arc<Metrics>) -> Result<(JoinHandle<()>, String)> {
    let doing = || Error::io("serving metrics");
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(doing())?;
    let address = listener.local_addr().map_err(doing())?.to_string();
    let routes = axum::Router::new()
        .route("/metrics", get(page))
        .with_state(metrics);
    let server = tokio::spawn(async move {
        // Ends only with the task.
        let _ = axum::serve(listener, routes).await;
    });
    Ok((server, address))
}

async fn page(State(metrics): State<Arc<Metrics>>) -> String {
    let metrics = metrics.lock().unwrap_or_else(PoisonError::into_inner);
    metrics
        .iter()
        .fold(String::new(), |mut page, (name, value)| {
            let _ = writeln!(page, "# TYPE {name} gauge\n{name} {value}");
            page
        })
}

/// Its configuration, as its documentation describes it; JSON is YAML.
fn configure(folder: &Path, scraped: &str, credentials: Option<(&str, &str)>) -> Result<()> {
    let scraping = json!({
        "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"},
        "scrape_configs": [{
            "job_name": "test",
            "static_configs": [{"targets": [scraped]}],
        }],
    });
    let mut web = json!({});
    if let Some((user, password)) = credentials {
        let hash = bcrypt::hash(password, HASH_COST)
            .map_err(|error| Error::Tools(format!("hashing a password: {error}")))?;
        web["basic_auth_users"] = json!({user: hash});
    }
    for (name, content) in [("prometheus.yml", scraping), ("web.yml", web)] {
        std::fs::write(folder.join(name), content.to_string())
            .map_err(Error::io("configuring Prometheus"))?;
    }
    Ok(())
}
