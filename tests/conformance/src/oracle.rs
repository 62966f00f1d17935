use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::case::workspace;
use crate::{Answer, Case, Error};

/// The real helm.
#[derive(Debug)]
pub struct Oracle {
    helm: PathBuf,
}

impl Oracle {
    /// The helm that `tests/controlplane` builds; the first use builds it, which takes minutes.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn get() -> Result<&'static Self, Error> {
        static ORACLE: OnceLock<Result<Oracle, String>> = OnceLock::new();
        let found = ORACLE.get_or_init(|| Self::build().map_err(|error| error.to_string()));
        found.as_ref().map_err(|error| Error::Tools(error.clone()))
    }

    fn build() -> Result<Self, Error> {
        let script = workspace().join("tests/controlplane/build.sh");
        let built = Command::new("bash")
            .arg(&script)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|source| Error::Run {
                program: script,
                source,
            })?;
        let folder = String::from_utf8_lossy(&built.stdout).trim().to_owned();
        if !built.status.success() || folder.is_empty() {
            return Err(Error::Tools(built.status.to_string()));
        }
        Ok(Self {
            helm: PathBuf::from(folder).join("helm"),
        })
    }

    /// `helm template release-name CHART ARGUMENTS`.
    ///
    /// # Errors
    /// When helm cannot be run at all.
    pub fn template(&self, case: &Case) -> Result<Answer, Error> {
        self.run("template", case, &[])
    }

    /// What a dry run of `helm install` would record: chart, config, hooks, manifest and notes.
    ///
    /// # Errors
    /// When helm cannot be run or does not answer with JSON.
    pub fn record(&self, case: &Case) -> Result<Result<serde_json::Value, String>, Error> {
        let answer = self.run("install", case, &["--dry-run=client", "-o", "json"])?;
        match answer.error {
            Some(error) => Ok(Err(error)),
            None => Ok(Ok(serde_json::from_str(&answer.stdout)?)),
        }
    }

    /// Makes a chart with `helm create` in the folder.
    ///
    /// # Errors
    /// When helm cannot be run or refuses.
    pub fn create(&self, folder: &Path, name: &str) -> Result<(), Error> {
        self.plain(&["create", &folder.join(name).display().to_string()])
    }

    /// Packages a chart into the folder.
    ///
    /// # Errors
    /// When helm cannot be run or refuses.
    pub fn package(&self, chart: &Path, into: &Path) -> Result<(), Error> {
        self.plain(&[
            "package",
            &chart.display().to_string(),
            "-d",
            &into.display().to_string(),
        ])
    }

    /// Helm with these arguments: what it prints and how it ends.
    ///
    /// # Errors
    /// When helm cannot be run at all.
    pub fn output(&self, args: &[String]) -> Result<std::process::Output, Error> {
        self.output_in(&[], args)
    }

    /// The same with these variables in its environment.
    ///
    /// # Errors
    /// As [`output`](Self::output).
    pub fn output_in(
        &self,
        environment: &[(&str, &str)],
        args: &[String],
    ) -> Result<std::process::Output, Error> {
        self.command()
            .envs(environment.iter().copied())
            .args(args)
            .output()
            .map_err(|e| self.failed(e))
    }

    fn plain(&self, args: &[&str]) -> Result<(), Error> {
        let done = self
            .command()
            .args(args)
            .output()
            .map_err(|e| self.failed(e))?;
        if done.status.success() {
            return Ok(());
        }
        Err(Error::Tools(
            String::from_utf8_lossy(&done.stderr).into_owned(),
        ))
    }

    fn run(&self, verb: &str, case: &Case, more: &[&str]) -> Result<Answer, Error> {
        let done = self
            .command()
            .args([verb, "release-name"])
            .arg(case.chart())
            .args(case.arguments())
            .args(more)
            .output()
            .map_err(|e| self.failed(e))?;
        let error = (!done.status.success()).then(|| {
            let stderr = String::from_utf8_lossy(&done.stderr);
            let (_, text) = stderr.split_once("Error: ").unwrap_or(("", &stderr));
            let text = text
                .trim_end()
                .trim_end_matches("Use --debug flag to render out invalid YAML");
            text.trim_start_matches("INSTALLATION FAILED: ")
                .trim_end()
                .to_owned()
        });
        Ok(Answer {
            stdout: String::from_utf8_lossy(&done.stdout).into_owned(),
            error,
        })
    }

    /// Helm without anything of the user's: no cluster, repositories or plugins.
    fn command(&self) -> Command {
        let home = std::env::temp_dir().join("belay-helm-home");
        let mut command = Command::new(&self.helm);
        command
            .env("KUBECONFIG", "/dev/null")
            .env("HELM_CACHE_HOME", home.join("cache"))
            .env("HELM_CONFIG_HOME", home.join("config"))
            .env("HELM_DATA_HOME", home.join("data"))
            .env_remove("HELM_NAMESPACE")
            .env_remove("HELM_KUBECONTEXT")
            .stdin(Stdio::null());
        command
    }

    fn failed(&self, source: std::io::Error) -> Error {
        Error::Run {
            program: self.helm.clone(),
            source,
        }
    }
}
