//! `docs/helm.md` has a row for every flag that the real helm prints, and names only tests that exist.

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use belay_conformance::{Oracle, workspace};

    /// Helm's commands that the page is about.
    const COMMANDS: [&str; 21] = [
        "install",
        "upgrade",
        "rollback",
        "uninstall",
        "test",
        "status",
        "history",
        "list",
        "get all",
        "get hooks",
        "get manifest",
        "get metadata",
        "get notes",
        "get values",
        "template",
        "lint",
        "show all",
        "show chart",
        "show crds",
        "show readme",
        "show values",
    ];
    /// Those that `belay` has as well, with what they need besides flags.
    const OURS: [(&str, &[&str]); 13] = [
        ("install", &["web", "."]),
        ("upgrade", &["web", "."]),
        ("rollback", &["web"]),
        ("uninstall", &["web"]),
        ("status", &["web"]),
        ("history", &["web"]),
        ("template", &["."]),
        ("lint", &["."]),
        ("show all", &["."]),
        ("show chart", &["."]),
        ("show crds", &["."]),
        ("show readme", &["."]),
        ("show values", &["."]),
    ];

    struct Row {
        flag: String,
        of: BTreeSet<String>,
        says: String,
        tests: Vec<String>,
    }

    fn page() -> String {
        std::fs::read_to_string(workspace().join("docs/helm.md")).unwrap()
    }

    /// The rows under a heading, cell by cell.
    fn cells(page: &str, heading: &str) -> Vec<Vec<String>> {
        let cells = |line: &str| {
            let inner = line.trim().trim_matches('|');
            inner
                .split(" | ")
                .map(|cell| cell.trim().to_owned())
                .collect()
        };
        page.lines()
            .skip_while(|line| *line != format!("## {heading}"))
            .skip(1)
            .take_while(|line| !line.starts_with("## "))
            .filter(|line| line.starts_with('|'))
            .skip(2)
            .map(cells)
            .collect()
    }

    fn named(cell: &str) -> Vec<String> {
        let parts = cell.split('`').skip(1).step_by(2);
        parts.map(str::to_owned).collect()
    }

    fn rows() -> Vec<Row> {
        cells(&page(), "Flags")
            .into_iter()
            .map(|cells| {
                let [flag, of, says, tests] = &cells[..] else {
                    panic!("{cells:?}: four cells");
                };
                let of: BTreeSet<_> = match of.as_str() {
                    "all" => COMMANDS.map(str::to_owned).into(),
                    some => some.split(", ").map(str::to_owned).collect(),
                };
                Row {
                    flag: named(flag).remove(0),
                    of,
                    says: says.clone(),
                    tests: named(tests),
                }
            })
            .collect()
    }

    /// The long flags that a command of helm's prints, those of all commands included.
    fn flags_of_helm(command: &str) -> BTreeSet<String> {
        let args: Vec<String> = command
            .split(' ')
            .chain(["--help"])
            .map(str::to_owned)
            .collect();
        let output = Oracle::get().unwrap().output(&args).unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let flags = text
            .lines()
            .skip_while(|line| !line.starts_with("Flags:"))
            .filter_map(|line| {
                let line = line.trim_start();
                let is_short = line.starts_with('-') && !line.starts_with("--");
                let long = if is_short { line.get(4..)? } else { line };
                long.starts_with("--").then(|| {
                    long.split_whitespace()
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                })
            })
            .collect::<BTreeSet<_>>();
        assert!(flags.len() > 5, "helm {command}: {text}");
        flags
    }

    #[test]
    fn every_flag_that_helm_prints_has_a_row_for_each_of_its_commands() {
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in rows() {
            let commands = told.entry(row.flag).or_default();
            commands.extend(row.of);
        }
        let mut printed: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for command in COMMANDS {
            for flag in flags_of_helm(command) {
                printed.entry(flag).or_default().push(command.to_owned());
            }
        }
        for commands in told.values_mut().chain(printed.values_mut()) {
            commands.sort();
        }
        assert_eq!(told, printed, "docs/helm.md against the real helm");
    }

    #[test]
    fn a_flag_that_is_refused_is_named() {
        let belay = |args: &[&str]| {
            Command::new(env!("CARGO_BIN_EXE_belay"))
                .args(args)
                .env("KUBECONFIG", "/dev/null")
                .stdin(Stdio::null())
                .output()
                .unwrap()
        };
        let mut tried = 0;
        for row in rows() {
            let is_refused = row.says.contains("refused");
            for (command, besides) in OURS.iter().filter(|(name, _)| row.of.contains(*name)) {
                let flag = [format!("{}=1", row.flag), row.flag.clone()];
                let mut refusals = 0;
                for flag in &flag {
                    let args: Vec<&str> = command
                        .split(' ')
                        .chain(besides.iter().copied())
                        .chain([flag.as_str()])
                        .collect();
                    let output = belay(&args);
                    let told = String::from_utf8_lossy(&output.stderr).into_owned();
                    let unexpected = told.contains(&format!("unexpected argument '{}'", row.flag));
                    refusals += usize::from(unexpected && !output.status.success());
                }
                let expected = if is_refused { flag.len() } else { 0 };
                assert_eq!(
                    refusals, expected,
                    "belay {command} {}: {}",
                    row.flag, row.says
                );
                tried += 1;
            }
        }
        assert!(tried > 200, "{tried}");
    }

    /// Every Rust file of the workspace that may hold tests.
    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "target") {
                    sources(&path, found);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn every_test_that_the_page_names_exists() {
        let mut files = Vec::new();
        for folder in ["operator", "tests"] {
            sources(&workspace().join(folder), &mut files);
        }
        let exists = |named: &str| {
            let (file, test) = named.split_once("::")?;
            let end = format!("/{file}");
            let wanted = format!("fn {test}(");
            let mut named_so = files
                .iter()
                .filter(|path| path.display().to_string().ends_with(&end));
            named_so
                .any(|path| {
                    let source = std::fs::read_to_string(path).unwrap();
                    let before = source
                        .split(&wanted)
                        .next()
                        .filter(|before| before.len() < source.len());
                    before.is_some_and(|before| {
                        before.contains("#[test]") || before.contains("#[tokio::test")
                    })
                })
                .then_some(())
        };
        let flags = rows().into_iter().map(|row| (row.flag, row.tests));
        let complaints = cells(&page(), "Complaints").into_iter().map(|cells| {
            assert_eq!(cells.len(), 4, "{cells:?}");
            (cells[0].clone(), named(&cells[3]))
        });
        let mut seen = 0;
        for (row, tests) in flags.chain(complaints) {
            assert!(!tests.is_empty(), "{row}: no test");
            for test in tests {
                assert!(exists(&test).is_some(), "{row}: there is no test {test}");
                seen += 1;
            }
        }
        assert!(seen > 150, "{seen}");
    }

    #[test]
    fn every_complaint_is_answered() {
        let told: BTreeSet<String> = cells(&page(), "Complaints")
            .into_iter()
            .flat_map(|cells| cells[0].split(", ").map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let known = [
            1707, 4558, 5595, 6361, 6431, 6439, 6711, 7173, 7476, 8560, 8675, 8987, 9027, 9063,
            9136, 9538, 9548, 10323, 10363, 10432, 10986, 11435, 11748, 11863, 12438, 12645, 12796,
            31516, 32132,
        ];
        let known: BTreeSet<String> = known.iter().map(|number| format!("#{number}")).collect();
        assert_eq!(told, known);
    }
}
