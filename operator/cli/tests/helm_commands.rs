//! `belay lint`, `show` and `template` against the real helm, argument by argument.

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::{Command, Output, Stdio};

    use belay_conformance::{Oracle, workspace};

    fn belay(args: &[String]) -> Output {
        belay_in(&[], args)
    }

    fn belay_in(environment: &[(&str, &str)], args: &[String]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_belay"))
            .args(args)
            .env("KUBECONFIG", "/dev/null")
            .env_remove("HELM_NAMESPACE")
            .env_remove("HELM_KUBECONTEXT")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What both print and how they end. What is logged is sorted, since helm logs in the order of Go's maps; of errors
    /// helm logs some before it prints them.
    fn told(output: &Output) -> String {
        let errors = String::from_utf8_lossy(&output.stderr);
        let (mut logged, errors): (Vec<&str>, Vec<&str>) =
            errors.lines().partition(|line| line.starts_with("level="));
        logged.retain(|line| !line.starts_with("level=ERROR"));
        logged.sort_unstable();
        format!(
            "{}\n{}\n{}\n{:?}",
            String::from_utf8_lossy(&output.stdout),
            logged.join("\n"),
            errors.join("\n"),
            output.status.code()
        )
    }

    /// The lines of the log, without the moment at which each was written.
    fn logged(output: &Output) -> Vec<String> {
        let errors = String::from_utf8_lossy(&output.stderr);
        let lines = errors.lines().filter_map(|line| line.split_once("level="));
        lines.map(|(_, line)| line.to_owned()).collect()
    }

    fn assert_same<S: ToString>(args: impl IntoIterator<Item = S>) {
        let args: Vec<String> = args.into_iter().map(|arg| arg.to_string()).collect();
        let helm = Oracle::get().unwrap().output(&args).unwrap();
        assert_eq!(told(&belay(&args)), told(&helm), "{args:?}");
    }

    fn chart<T: AsRef<[u8]>>(files: &[(&str, T)]) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("t");
        for (name, text) in files {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text.as_ref()).unwrap();
        }
        (folder, root.display().to_string())
    }

    const GOOD: (&str, &str) = ("Chart.yaml", "apiVersion: v2\nname: t\nversion: 0.1.0\n");

    fn kept() -> Vec<String> {
        let charts = workspace().join("tests/charts");
        let mut found: Vec<String> = std::fs::read_dir(charts)
            .unwrap()
            .map(|entry| entry.unwrap().path().display().to_string())
            .collect();
        found.sort();
        found
    }

    #[test]
    fn lint_finds_what_helm_finds_in_the_kept_charts() {
        for chart in kept() {
            assert_same(["lint", &chart]);
        }
        let mut all = vec![
            "lint".to_owned(),
            "--with-subcharts".to_owned(),
            "--strict".to_owned(),
        ];
        all.extend(kept());
        assert_same(all);
    }

    #[test]
    fn lint_holds_chart_yaml_against_helms_rules() {
        for text in [
            "",
            "name: t\n",
            "apiVersion: v3\nname: a/b\nversion: x\n",
            "apiVersion: v1\nname: t\nversion: 1\nappVersion: 1.5\ntype: library\ndependencies: [{name: a, version: 1, repository: ''}]\n",
            "apiVersion: v2\nname: t\nversion: v1.2\nicon: nope\nhome: x\nsources: [example.org]\n",
            "apiVersion: v2\nname: t\nversion: 0.1.0\nicon: https://example.org/a.png\nmaintainers: [{name: a, email: b}]\n",
            "apiVersion: v2\nname: t\nversion: 0.1.0\nmaintainers: [{name: a, email: a@example.org, url: no where}]\n",
            "apiVersion: v2\nname: t\nversion: 0.1.0\nmaintainers: [{email: a@example.org}]\n",
            "apiVersion: v2\nname: t\nversion: 0.0.0-0\nunknown: 1\n",
            "apiVersion: v2\nname: t\nname: u\nversion: 0.1.0\n",
            "apiVersion: v2\nname: [t]\nversion: 0.1.0\n",
            "apiVersion: v2\nname: t\nversion: {}\nappVersion: true\n",
            "a: [",
            "apiVersion: v2\nname: t\nversion: 0.1.0\nmaintainers: [{name: a, nick: b}]\n",
        ] {
            let (_folder, chart) = chart(&[("Chart.yaml", text), ("templates/a.yaml", "")]);
            assert_same(["lint", &chart]);
        }
    }

    #[test]
    fn lint_looks_at_values_templates_and_definitions() {
        let objects = "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: A_b}\n---\n\
            apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n---\nkind: Namespace\nmetadata: {name: a.b}\n---\n\
            kind: Service\nmetadata: {name: 1a}\n---\nkind: Role\nmetadata: {name: a/b%c}\n---\n\
            kind: ConfigMap\nmetadata: {name: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn}\n---\n\
            apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: p}\n---\n# nothing\n";
        let list = "apiVersion: v1\nkind: List\nmetadata: {name: l}\nitems:\n- metadata: {annotations: {helm.sh/resource-policy: keep}}\n";
        for files in [
            vec![],
            vec![("values.yaml", "a: [")],
            vec![("values.yaml", "[a]")],
            vec![
                ("values.yaml", "a: 1"),
                (
                    "values.schema.json",
                    r#"{"properties":{"a":{"type":"string"}}}"#,
                ),
                ("templates/a.yaml", ""),
            ],
            vec![
                ("values.yaml", "a: 1"),
                ("values.schema.json", r#"{"type": "nothing"}"#),
                ("templates/a.yaml", ""),
            ],
            vec![("templates", "a file")],
            vec![("templates/a.yaml", objects), ("values.yaml", "")],
            vec![("templates/a.yaml", "\n  kind: A\n  metadata: {name: a}\n")],
            vec![
                ("templates/a.yaml", "kind: A\nmetadata: {name: [a]}\n"),
                ("templates/b.yaml", "a: ["),
            ],
            vec![("templates/a.yaml", "a: [")],
            vec![
                ("templates/a.json", "{}"),
                ("templates/b", ""),
                ("templates/c.tpl", ""),
                ("templates/d.YAML", "a: ["),
            ],
            vec![("templates/a.yaml", "{{ .Values.x.y }}")],
            vec![("templates/a.yaml", "{{ if }}")],
            vec![(
                "templates/a.yaml",
                "kind: A\nmetadata: {name: '{{ required \"r\" .Values.x }}{{ .Release.IsInstall }}{{ .Release.Revision }}'}\n{{ fail \"f\" }}",
            )],
            vec![("templates/a.yaml", list)],
            vec![(
                "templates/a.yaml",
                "kind: List\nmetadata: {name: l}\nitems: x\n",
            )],
            vec![
                ("templates/a.yaml", ""),
                (
                    "crds/a.yaml",
                    "kind: A\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n",
                ),
                ("crds/b.yaml", "{{ x }}"),
            ],
            vec![("crds", "a file"), ("templates/a.yaml", "")],
            vec![
                ("templates/a.yaml", ""),
                (
                    "charts/b/Chart.yaml",
                    "apiVersion: v2\nname: b\nversion: 0.1.0\n",
                ),
            ],
            vec![("templates/a.yaml", ""), ("charts/b/Chart.yaml", "name: [")],
        ] {
            let files: Vec<_> = [GOOD].into_iter().chain(files).collect();
            let (_folder, chart) = chart(&files);
            assert_same(["lint", &chart]);
            assert_same([
                "lint",
                &chart,
                "--strict",
                "--quiet",
                "--with-subcharts",
                "--set",
                "x.y=1",
                "--kube-version",
                "1.20.0",
            ]);
        }
    }

    #[test]
    fn lint_knows_what_is_deprecated_without_an_end() {
        let objects = [
            "Endpoints",
            "EndpointsList",
            "ComponentStatus",
            "ComponentStatusList",
        ]
        .map(|kind| format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: a}}\n"))
        .join("---\n");
        let (_folder, chart) = chart(&[(GOOD.0, GOOD.1), ("templates/a.yaml", objects.as_str())]);
        for version in ["1.18", "1.32", "1.33", "1.40"] {
            assert_same(["lint", &chart, "--kube-version", version]);
        }
        assert_same(["lint", &chart]);
    }

    #[test]
    fn lint_names_dependencies_that_do_not_fit() {
        let listed = "apiVersion: v2\nname: t\nversion: 0.1.0\ndependencies:\n- {name: a, version: 1.0.0, repository: ''}\n- {name: b, version: 1.0.0, repository: '', alias: c}\n";
        let (_folder, chart) = chart(&[
            ("Chart.yaml", listed),
            ("templates/a.yaml", ""),
            (
                "charts/b/Chart.yaml",
                "apiVersion: v2\nname: b\nversion: 1.0.0\n",
            ),
            (
                "charts/d/Chart.yaml",
                "apiVersion: v2\nname: d\nversion: 1.0.0\n",
            ),
        ]);
        assert_same(["lint", &chart]);
    }

    #[test]
    fn lint_tells_what_is_no_chart() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("nowhere");
        std::fs::write(folder.path().join("a.tgz"), "no package").unwrap();
        let (_folder, good) = chart(&[GOOD, ("templates/a.yaml", "")]);
        assert_same(["lint", &nowhere.display().to_string()]);
        assert_same(["lint", &folder.path().display().to_string(), &good]);
        assert_same(["lint", &good, "--kube-version", "x"]);
        assert_same(["lint", &good, "-f", &nowhere.display().to_string()]);
    }

    /// What is loaded is told alike by what renders, looks and lints, each in its own words.
    fn assert_all_same(chart: &str) {
        assert_same(["template", "r", chart]);
        assert_same(["lint", chart]);
        assert_same(["lint", "--quiet", "--strict", chart]);
        assert_same(["show", "all", chart]);
    }

    #[test]
    fn api_versions_that_nothing_is_installed_from_are_refused_in_helms_order() {
        for text in [
            "apiVersion: v3\nname: t\nversion: 0.1.0\n",
            "apiVersion: v3\nversion: 0.1.0\n",
            "apiVersion: v3\nname: t\n",
            "apiVersion: v3\nname: [t]\nversion: 0.1.0\n",
            "apiVersion: v3\nname: t\nversion: 0.1.0\ntype: library\n",
            "apiVersion: v3\nname: t\nversion: 0.1.0\ntype: other\n",
            "apiVersion: v4\nname: t\n",
            "apiVersion: v4\nname: t\nversion: 0.1.0\n",
            "apiVersion: [v2]\nname: t\nversion: 0.1.0\n",
        ] {
            let (_folder, chart) = chart(&[
                ("Chart.yaml", text),
                ("values.yaml", "a: 1\n"),
                ("templates/a.yaml", "{{ .Values.a }"),
            ]);
            assert_all_same(&chart);
        }
        let kid = ("charts/kid/Chart.yaml", "apiVersion: v3\nversion: 0.1.0\n");
        let third = ("Chart.yaml", "apiVersion: v3\nname: t\nversion: 0.1.0\n");
        for (own, other) in [
            (third, kid),
            (GOOD, kid),
            (third, ("requirements.yaml", "dependencies: x\n")),
            (third, ("values.yaml", "a: [\n")),
        ] {
            let (_folder, chart) = chart(&[own, other, ("templates/a.yaml", "")]);
            assert_all_same(&chart);
        }
    }

    #[test]
    fn a_folder_without_a_chart_is_named() {
        let values = ("values.yaml", "a: 1\n");
        for files in [
            vec![values],
            vec![values, ("Chart.yaml/a", "")],
            vec![values, GOOD, (".helmignore", "Chart.yaml\n")],
            vec![GOOD, ("charts/kid/values.yaml", "a: 1\n")],
            vec![GOOD, ("charts/kid.tgz/Chart.yaml", "name: kid\n")],
            vec![GOOD, ("charts/kid/requirements.lock", "digest: a\n")],
        ] {
            let (_folder, chart) = chart(&files);
            assert_all_same(&chart);
        }
        assert_same(["template", "r", "tests/../tests"]);
    }

    #[test]
    fn what_is_odd_about_a_chart_is_logged_by_each_command() {
        let (folder, old) = chart(&[
            GOOD,
            ("requirements.yaml", "dependencies: []\n"),
            ("requirements.lock", "digest: a\n"),
            (
                "charts/kid/Chart.yaml",
                "apiVersion: v2\nname: kid\nversion: 0.1.0\n",
            ),
            ("charts/kid/requirements.yaml", "dependencies: []\n"),
            ("values.yaml", "a: {b: 1}\nkid: {c: {d: 1}}\n"),
            ("charts/kid/values.yaml", "c: text\n"),
            (
                "templates/a.yaml",
                "{{ required \"no \\\"b\\\"\" .Values.none }}{{ required \"empty\" \"\" }}{{ if .Values.broken }}{{ fail \"out\" }}{{ end }}",
            ),
            ("crds/a.yaml", "kind: A\n"),
        ]);
        let root = Path::new(&old);
        std::fs::write(folder.path().join("linked.yaml"), "kind: A\n").unwrap();
        std::fs::create_dir(folder.path().join("others")).unwrap();
        for (link, to) in [
            ("templates/b.yaml", "../../linked.yaml"),
            ("others", "../others"),
        ] {
            std::os::unix::fs::symlink(to, root.join(link)).unwrap();
        }
        assert_all_same(&old);
        assert_same(["lint", &old, "--set", "a=text,broken=true,kid=1"]);
        assert_same(["lint", &old, "--set", "a.b.c=1", "--skip-schema-validation"]);
        std::fs::write(root.join("values.yaml"), "a: [").unwrap();
        assert_all_same(&old);
    }

    /// A package of these files, as `tar` makes it of them in this order.
    fn packaged(at: &Path, files: &[(&str, &str)]) -> String {
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(
            std::fs::File::create(at).unwrap(),
            flate2::Compression::fast(),
        ));
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap();
        at.display().to_string()
    }

    #[test]
    fn a_package_that_holds_no_chart_is_told_from_one_that_is_broken() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let none = packaged(&at("none.tgz"), &[("t/values.yaml", "a: 1\n")]);
        assert_all_same(&none);
        for (n, chart_yaml) in [
            "version: 0.1.0\n",
            "name: [t]\n",
            "name: .\n",
            "name: a/b\n",
        ]
        .into_iter()
        .enumerate()
        {
            let odd = at(&format!("odd{n}.tgz"));
            assert_all_same(&packaged(&odd, &[("t/Chart.yaml", chart_yaml)]));
        }
        std::fs::write(at("empty.tgz"), "").unwrap();
        std::fs::write(at("text.tgz"), "no package, but more than ten letters").unwrap();
        for broken in ["empty.tgz", "text.tgz"] {
            assert_all_same(&at(broken).display().to_string());
        }
        // To install what is cut off, helm says only that it cannot be loaded.
        let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut zipped, b"short").unwrap();
        std::fs::write(at("short.tgz"), zipped.finish().unwrap()).unwrap();
        let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut zipped, &[b'x'; 1024]).unwrap();
        std::fs::write(at("no-tar.tgz"), zipped.finish().unwrap()).unwrap();
        for broken in ["short.tgz", "no-tar.tgz"] {
            let broken = at(broken).display().to_string();
            assert_same(["lint", &broken]);
            assert_same(["show", "all", &broken]);
        }
    }

    #[test]
    fn a_package_is_linted_as_the_folder_that_it_unpacks_to() {
        let folder = tempfile::tempdir().unwrap();
        let package = packaged(
            &folder.path().join("t.tgz"),
            &[
                ("t/templates/b.yaml", "kind: B\nmetadata: {name: B}\n"),
                ("t/templates/a/c.yaml", "kind: C\nmetadata: {name: C}\n"),
                ("t/templates/a.yaml", "kind: A\nmetadata: {name: A}\n"),
                ("t/templates/skipped.yaml", "{{ fail }}"),
                ("t/docs/charts/x", ""),
                ("t/.helmignore", "skipped.yaml\ndocs/\n"),
                ("t/values.yaml", "a: 1\n"),
                (
                    "t/Chart.yaml",
                    "apiVersion: v2\nname: old\nversion: 0.1.0\n",
                ),
                ("t/Chart.yaml", GOOD.1),
            ],
        );
        assert_same(["lint", &package]);
    }

    #[test]
    fn a_package_is_linted_and_shown_as_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (_folder, good) = chart(&[
            GOOD,
            ("templates/a.yaml", "kind: A\n"),
            ("README.md", "# t\n"),
        ]);
        Oracle::get()
            .unwrap()
            .package(Path::new(&good), folder.path())
            .unwrap();
        let package = folder.path().join("t-0.1.0.tgz").display().to_string();
        assert_same(["lint", &package]);
        assert_same(["show", "all", &package]);
        assert_same(["template", "r", &package]);
    }

    #[test]
    fn lint_knows_the_addresses_that_helm_knows() {
        const HEAD: &str = "apiVersion: v2\nname: t\nversion: 0.1.0\n";
        let sources = [
            "http://a%20b/c",
            "https://a:b:80/",
            "mongodb://a:1,b:2/c",
            "http://[x]/",
            "http://[fe80::1%25en0]/",
            "https://u%zz@h/",
            "https://h/%zz",
            "data:,a b",
        ];
        let pages = [
            "http://1.2.3",
            "http://256.1.1.1",
            "http://999.999.999.999",
            "http://a.b.c.d",
            "http://a1.2",
            "http://x.y/%zz",
            "http://[fe80::1%25eth0]",
            "https://a_b.example/c d",
            "user@example.org:80/x",
        ];
        let people = ["'\"a b\"@c.de'", "a@b..c.de", "a@b.c1", "a.@b.de"];
        let of = |field: &str, text: &str| format!("maintainers: [{{name: a, {field}: {text}}}]");
        let texts = sources
            .iter()
            .map(|source| format!("sources: [\"{source}\"]\nicon: https://e.org/a"))
            .chain(pages.iter().map(|page| of("url", &format!("'{page}'"))))
            .chain(people.iter().map(|email| of("email", email)));
        for text in texts {
            let (_folder, chart) = chart(&[("Chart.yaml", format!("{HEAD}{text}\n"))]);
            assert_same(["lint", &chart]);
        }
    }

    #[test]
    fn what_is_no_utf8_is_shown_as_it_is_and_is_no_manifest() {
        let latin = b"caf\xe9\n".as_slice();
        let definition = b"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: \xe9}".as_slice();
        let good: &[u8] = GOOD.1.as_bytes();
        let (_folder, shown) = chart(&[
            (GOOD.0, good),
            ("README.md", latin),
            ("crds/a.yaml", definition),
            ("templates/a.yaml", b"kind: A\n".as_slice()),
            ("templates/NOTES.txt", latin),
        ]);
        for what in ["all", "readme", "crds"] {
            assert_same(["show", what, &shown]);
            let args = ["show", what, &shown].map(str::to_owned);
            let helm = Oracle::get().unwrap().output(&args).unwrap();
            assert_eq!(belay(&args).stdout, helm.stdout, "{what}");
        }
        assert_same(["lint", &shown]);
        let args = ["template", &shown, "--include-crds"].map(str::to_owned);
        let helm = Oracle::get().unwrap().output(&args).unwrap();
        assert_eq!(belay(&args).stdout, helm.stdout);

        for template in [
            b"kind: A\nmetadata: {name: caf\xe9}\n".as_slice(),
            b"kind: A\n---\nkind: B\n# caf\xe9\n---\nkind: C\n",
            b"\xff\xfekind: A",
            b"{\"kind\": \"\xe9\"}",
            b"kind: {{ .Files.Get \"README.md\" | trim }}",
            b"kind: A\nb: {{ .Files.Get \"README.md\" | b64enc }}",
        ] {
            let (_folder, chart) = chart(&[
                (GOOD.0, good),
                ("README.md", latin),
                ("templates/a.yaml", template),
            ]);
            assert_same(["template", &chart]);
            assert_same(["lint", &chart]);
        }
    }

    #[test]
    fn lint_names_charts_by_their_shortest_paths() {
        let (folder, root) = chart(&[
            (
                "Chart.yaml",
                "apiVersion: v2\nname: t\nversion: 0.1.0\ndependencies: [{name: x, version: 1, repository: ''}]\n",
            ),
            (
                "charts/s/Chart.yaml",
                "apiVersion: v2\nname: s\nversion: 0.1.0\n",
            ),
            ("templates/a.yaml", ""),
        ]);
        let path = folder.path().display();
        for way in [
            format!("{root}/"),
            format!("{path}/./t"),
            format!("{root}/charts/../../t"),
            format!("{path}//t//"),
            format!("{root}/../nowhere"),
        ] {
            assert_same(["lint", "--with-subcharts", &way]);
        }
        #[cfg(unix)]
        {
            let (_folder, linked) = chart(&[GOOD, ("templates/a.yaml", "")]);
            std::os::unix::fs::symlink(format!("{root}/charts"), format!("{linked}/charts"))
                .unwrap();
            assert_same(["lint", "--with-subcharts", &linked]);
        }
    }

    #[test]
    fn show_prints_what_helm_shows() {
        let (_folder, own) = chart(&[
            (
                "Chart.yaml",
                "apiVersion: v2\nname: t\nversion: 0.1.0\ndescription: 'a: b'\nkeywords: [x]\nannotations: {b: '1', a: x}\n",
            ),
            (
                "values.yaml",
                "# kept as it is\na: {b: [1, x, {c: null}], 'd.e': 1.5e6}\ns: text\n\
                 l: [{n: x, p: 1}, {n: y, p: 2.5}, {n: z, t: true}]\n",
            ),
            ("README.txt", "read me"),
            ("crds/a.yaml", "kind: A\n"),
            ("crds/b.yaml", "---\nkind: B\n"),
            ("templates/a.yaml", ""),
        ]);
        let (_folder, bare) = chart(&[(
            "Chart.yaml",
            "apiVersion: v2\nname: t\nversion: 0.1.0\nannotations: {}\ndependencies: []\n",
        )]);
        for chart in kept().into_iter().chain([own.clone(), bare]) {
            for what in ["all", "chart", "crds", "readme", "values"] {
                assert_same(["show", what, &chart]);
            }
        }
        for template in [
            "{.s}",
            "{.a}",
            "{.a.b[1]}x{.a.b[-1].c}",
            "{.a.b[*]}",
            "{.a.d\\.e}",
            "{..c}",
            "{.nope}",
            "text",
            "{.a",
            "{range .a.b[*]}{@}{\"\\n\"}{end}",
            "{.l[?(@.n==\"y\")].p}{.l[?(@.n!='y')].n}{.l[?(@.p)].n}",
            "{.l[?(@.p>1.5)].n}{.l[?(@.p<=2.5)].n}{.l[?(@.p>=1.0)].n}",
            "{.l[?(@.t==true)].n}",
            "{.l[?(@.p>1)].n}",
            "{.l[?(@.n>\"x\")].n}",
            "{.l[?(@.n=~\"x\")].n}",
            "{.l[?(@.n==\"a)b\")].n}|",
            "{.l[?(@.n==$.s)].n}",
            "{.l[0,2].n}|{.l[0]['n','p']}|{.a['b']}",
            "{.l[::2].n}|{.l[1:].n}|{.l[:-1].n}|{.l[0:0].n}|{.l[-2:].n}",
            "{.l[5].n}",
            "{.l[2:1].n}",
            "{.l[0:9].n}",
            "{.l[::0].n}",
            "{.l['n']}",
            "{.a['d.e']}",
            "{.a[\"b\"]}",
            "{.a.b[1x]}",
            "{.}",
            "{$.s}{@.s}{ .s }",
            "{.s.x}",
            "{.s[0]}",
            "{.s.*}",
            "{.l.n}",
            "{.a.b[*].c}",
            "{'it'}{\"a\\tb\\u00e9\"}{\"a\\q\"}",
            "{1}{-2.5}{true}{1.2.3}",
            "{word}",
            "{end}",
            "{range .l[*]}[{.n}]",
            "{range .l[*]}{.n}{range .none}{@}{end}{end}",
            "{range .l[0:2]}{.n}{range .p}={@}{end};{end}.",
            "{range .l[0:0]}{.n}{end}none",
            "{.a.b[1",
            "{.l[?(@.n]}",
            "{.l[?(@.n)}",
            "{'a}",
            "{!}",
            "{....n}",
            "{.l[0]..n}{..p}",
            "}{",
        ] {
            assert_same(["show", "values", &own, "--jsonpath", template]);
        }
        assert_same(["show", "chart", "./nowhere"]);
    }

    #[test]
    fn template_logs_what_helm_logs_before_it_fails() {
        let unreadable =
            "kind: Job\nmetadata: {name: h, annotations: {helm.sh/hook: nonsense}}\n---\na: [\n";
        let (_folder, hooks) = chart(&[GOOD, ("templates/a.yaml", unreadable)]);
        let (_folder, values) = chart(&[
            (
                "Chart.yaml",
                "apiVersion: v2\nname: t\nversion: 0.1.0\ndependencies: [{name: s, version: '*', repository: ''}]\n",
            ),
            ("templates/a.yaml", ""),
            ("values.schema.json", r#"{"required": ["a"]}"#),
            ("charts/s/Chart.yaml", "name: s\nversion: 0.1.0\n"),
            ("charts/s/values.yaml", "a: 1\n"),
        ]);
        for args in [
            vec!["template", "r", &hooks],
            vec!["template", "Not-A-Name", &values],
            vec!["template", "r", &values, "--set", "s=1"],
        ] {
            assert_same(&args);
            let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
            let helm = Oracle::get().unwrap().output(&args).unwrap();
            assert_eq!(logged(&belay(&args)), logged(&helm), "{args:?}");
            assert!(!logged(&helm).is_empty(), "{args:?}");
        }
    }

    #[test]
    fn a_line_of_helmignore_that_cannot_be_read_is_told_in_helms_words() {
        for line in ["**", "a/**/b", "[a", "!/a["] {
            let (_folder, chart) = chart(&[
                GOOD,
                ("templates/a.yaml", "kind: A\n"),
                (".helmignore", line),
            ]);
            assert_same(["lint", &chart]);
            assert_same(["show", "chart", &chart]);
            assert_same(["template", &chart]);
        }
    }

    #[test]
    fn template_takes_the_flags_that_helm_takes() {
        let (folder, chart) = chart(&[
            (
                "Chart.yaml",
                "apiVersion: v2\nname: t\nversion: 0.1.0\nkubeVersion: '>=1.20.0-0'\n",
            ),
            ("values.yaml", "a: 1\n"),
            (
                "templates/a.yaml",
                "kind: A\nmetadata: {name: '{{ .Release.Name }}'}\nv: {{ toJson .Values }}\nk: {{ .Capabilities.KubeVersion }}\nu: {{ .Release.IsUpgrade }}\nc: {{ .Capabilities.APIVersions.Has \"x/v1\" }}\n",
            ),
            ("templates/b.yaml", "{{ if .Values.b }}kind: B\n{{ end }}"),
            (
                "templates/test.yaml",
                "kind: Pod\nmetadata: {name: t, annotations: {helm.sh/hook: test}}\n",
            ),
            (
                "templates/hook.yaml",
                "kind: Job\nmetadata: {name: h, annotations: {helm.sh/hook: 'pre-install, nonsense'}}\n",
            ),
            (
                "templates/post.yaml",
                "kind: Job\nmetadata: {name: p, annotations: {helm.sh/hook: post-install}}\n",
            ),
            ("crds/a.yaml", "kind: C\n"),
        ]);
        let text = folder.path().join("text.txt");
        std::fs::write(&text, "one, two\n{three}\n").unwrap();
        let of_file = format!("f.g={},h[1]={0}", text.display());
        for args in [
            vec![],
            vec!["--skip-tests"],
            vec!["--no-hooks"],
            vec!["--include-crds", "--no-hooks"],
            vec![
                "--skip-crds",
                "--dry-run=client",
                "--timeout",
                "1m",
                "--create-namespace",
            ],
            vec!["--is-upgrade", "--kube-version", "1.30", "-a", "x/v1,y/v2"],
            vec!["--kube-version", "1.10.0"],
            vec!["--kube-version", "nonsense"],
            vec!["-s", "templates/a.yaml"],
            vec!["-s", "templates/b.yaml"],
            vec!["-s", "templates/*.yaml", "--no-hooks"],
            vec!["-s", "nowhere.yaml"],
            vec!["--set-file", &of_file],
            vec![
                "--set-literal",
                "f.g={a, b}",
                "--set-string",
                "n=1",
                "--set-json",
                "j=[1,{}]",
            ],
            vec!["--name-template", "x-{{ 1 }}"],
            vec!["-n", "other", "--release-name"],
            vec!["--render-subchart-notes"],
        ] {
            let name = if args.contains(&"--name-template") {
                vec![]
            } else {
                vec!["r"]
            };
            let line: Vec<&str> = ["template"]
                .into_iter()
                .chain(name)
                .chain([chart.as_str()])
                .chain(args)
                .collect();
            assert_same(line);
        }
        assert_same(["template", "Not-A-Name", &chart]);
        assert_same(["template", &chart]);
        assert_same(["template", &chart, "-g"]);
        assert_same(["template", "r", &chart, "-g"]);
        assert_same(["template", "r", "./nowhere"]);
    }

    #[test]
    fn the_namespace_comes_out_of_flag_environment_and_kubeconfig_in_helms_order() {
        let (folder, chart) = chart(&[
            GOOD,
            (
                "templates/a.yaml",
                "kind: A\nmetadata: {name: a, namespace: '{{ .Release.Namespace }}'}\n",
            ),
        ]);
        let contexts = "apiVersion: v1\nkind: Config\ncurrent-context: one\ncontexts:\n\
            - {name: one, context: {cluster: c, user: u, namespace: of-one}}\n\
            - {name: two, context: {cluster: c, user: u, namespace: of-two}}\n";
        let kubeconfig = folder.path().join("kubeconfig").display().to_string();
        std::fs::write(&kubeconfig, contexts).unwrap();
        let with = ("KUBECONFIG", kubeconfig.as_str());
        let (namespace, context) = (("HELM_NAMESPACE", "said"), ("HELM_KUBECONTEXT", "two"));
        for (environment, more, expected) in [
            (vec![], vec![], "default"),
            (vec![namespace], vec![], "said"),
            (vec![namespace], vec!["-n", "flag"], "flag"),
            (vec![with], vec![], "of-one"),
            (vec![with, ("HELM_NAMESPACE", "")], vec![], "of-one"),
            (vec![with, namespace], vec![], "said"),
            (vec![with, namespace], vec!["-n", ""], "of-one"),
            (vec![with, context], vec![], "of-two"),
            (vec![with, context], vec!["--kube-context", "one"], "of-one"),
            (vec![with, context, namespace], vec![], "said"),
        ] {
            let args: Vec<String> = ["template", "r", &chart]
                .into_iter()
                .chain(more)
                .map(str::to_owned)
                .collect();
            let helm = Oracle::get()
                .unwrap()
                .output_in(&environment, &args)
                .unwrap();

            let ours = told(&belay_in(&environment, &args));

            assert_eq!(ours, told(&helm), "{environment:?} {args:?}");
            let line = format!("namespace: '{expected}'");
            assert!(ours.contains(&line), "{environment:?} {args:?}: {ours}");
        }
    }

    #[test]
    fn template_writes_the_same_files() {
        let (folder, chart) = chart(&[
            GOOD,
            ("templates/a.yaml", "kind: A\n---\nkind: B\n"),
            (
                "templates/hook.yaml",
                "kind: Job\nmetadata: {name: h, annotations: {helm.sh/hook: pre-install}}\n",
            ),
            ("crds/a.yaml", "kind: C\n"),
        ]);
        let run = |name: &str, more: &[&str], run: &dyn Fn(&[String]) -> Output| {
            let out = folder.path().join(name);
            let args = [
                "template",
                "r",
                &chart,
                "--include-crds",
                "--output-dir",
                &out.display().to_string(),
            ]
            .into_iter()
            .chain(more.iter().copied())
            .map(str::to_owned)
            .collect::<Vec<_>>();
            let told = told(&run(&args)).replace(&out.display().to_string(), "OUT");
            (told, tree(&out))
        };
        for more in [&[][..], &["--release-name"][..]] {
            let name = format!("helm{}", more.len());
            let helm = run(&name, more, &|args| {
                Oracle::get().unwrap().output(args).unwrap()
            });
            let name = format!("belay{}", more.len());
            assert_eq!(run(&name, more, &belay), helm);
        }
    }

    /// All files below the folder with their content, by path.
    #[test]
    fn switches_may_be_given_a_value() {
        let (_folder, good) = chart(&[
            GOOD,
            ("templates/a.yaml", "kind: A\n"),
            ("crds/b.yaml", "kind: B\n"),
        ]);
        for value in ["true", "false", "T", "0", "maybe", ""] {
            assert_same(["template", "r", &good, &format!("--include-crds={value}")]);
            assert_same(["lint", &format!("--quiet={value}"), &good]);
        }
        assert_same(["lint", "--strict=false", "--strict", &good]);
        assert_same(["lint", "--quiet", "--quiet=false", &good]);
    }

    /// The command's end when nobody reads what it prints.
    fn unread(args: &[&str]) -> Output {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Command::new(env!("CARGO_BIN_EXE_belay"))
            .args(args)
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap()
    }

    #[test]
    fn a_reader_that_is_gone_is_no_fault_and_files_are_written_all_the_same() {
        let (_folder, good) = chart(&[
            GOOD,
            ("templates/a.yaml", "kind: A\n"),
            ("templates/b.yaml", "kind: B\n"),
        ]);
        let out = tempfile::tempdir().unwrap();
        let folder = out.path().display().to_string();
        for args in [
            vec!["template", "r", &good],
            vec!["template", "r", &good, "--output-dir", &folder],
            vec!["show", "all", &good],
            vec!["lint", &good],
        ] {
            let end = unread(&args);
            assert_eq!(end.status.code(), Some(141), "{args:?}: {end:?}");
            assert_eq!(String::from_utf8_lossy(&end.stderr), "", "{args:?}");
        }
        assert_eq!(tree(out.path()).len(), 2);
    }

    fn tree(folder: &Path) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut open = vec![folder.to_owned()];
        while let Some(next) = open.pop() {
            for entry in std::fs::read_dir(next).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let name = path.strip_prefix(folder).unwrap().display().to_string();
                    found.push((name, std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }
}
