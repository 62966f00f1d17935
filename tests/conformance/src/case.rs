use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::Error;

/// A chart and the arguments of `helm template NAME CHART ARGUMENTS`.
#[derive(Debug)]
pub struct Case {
    chart: PathBuf,
    folder: Option<TempDir>,
    args: Vec<String>,
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

impl Case {
    /// A case for one of the charts in `tests/charts`.
    pub fn kept(name: &str) -> Self {
        Self::at(workspace().join("tests/charts").join(name))
    }

    /// A case for a chart that lies at the path.
    pub fn at(chart: PathBuf) -> Self {
        Self {
            chart,
            folder: None,
            args: Vec::new(),
        }
    }

    /// A case for a chart of these files; without a `Chart.yaml` among them it is called `t`, version 0.1.0.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn of<N: AsRef<str>, T: AsRef<[u8]>>(files: &[(N, T)]) -> Result<Self, Error> {
        let folder = tempfile::tempdir().map_err(|source| Error::File {
            path: std::env::temp_dir(),
            source,
        })?;
        let chart = folder.path().join("t");
        let case = Self {
            chart,
            folder: Some(folder),
            args: Vec::new(),
        };
        if !files.iter().any(|(name, _)| name.as_ref() == "Chart.yaml") {
            case.write(
                "Chart.yaml",
                b"apiVersion: v2\nname: t\nversion: 0.1.0\nappVersion: \"1.2\"\n",
            )?;
        }
        for (name, text) in files {
            case.write(name.as_ref(), text.as_ref())?;
        }
        Ok(case)
    }

    /// A case for a chart that is this one template.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn template(text: &str) -> Result<Self, Error> {
        Self::of(&[("templates/a.yaml", text)])
    }

    /// The same case with more arguments.
    #[must_use]
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Writes a file next to the chart's folder, for arguments such as `-f`, and gives its path.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn beside(&self, name: &str, text: &[u8]) -> Result<String, Error> {
        let folder = self.folder.as_ref().map_or(Path::new("."), TempDir::path);
        write(&folder.join(name), text)?;
        Ok(folder.join(name).display().to_string())
    }

    /// Where the chart is.
    pub fn chart(&self) -> &Path {
        &self.chart
    }

    /// The arguments after NAME and CHART.
    pub fn arguments(&self) -> &[String] {
        &self.args
    }

    fn write(&self, name: &str, text: &[u8]) -> Result<(), Error> {
        write(&self.chart.join(name), text)
    }
}

fn write(path: &Path, text: &[u8]) -> Result<(), Error> {
    let failed = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}
