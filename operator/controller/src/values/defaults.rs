//! The chart's own values below the user's, as templates see them.

use std::collections::BTreeMap;

use belay_chart::{Chart, ChartError, Layers, Prepared, SchemaCheck, Values};
use belay_yaml::Value;

use super::Origin;

/// The key whose map every subchart sees.
const GLOBAL: &str = "global";

/// The values with the chart's own below them, as `helm get values --all` has them. A chart's schema has no say: what it
/// refuses can be looked at too.
///
/// # Errors
/// When chart and values cannot be put together.
pub fn with_defaults(chart: &Chart, layers: Layers<Origin>) -> Result<Layers<Origin>, ChartError> {
    let prepared = Prepared::new(chart, layers.values(), SchemaCheck::Skip)?;
    let given = Given::of(&layers);
    Ok(layers.completed(prepared.values().clone(), |path, value| {
        // What the user sets for all charts is handed down to each.
        let handed = global(path).and_then(|path| given.origins.get(path));
        let set = handed.cloned();
        set.or_else(|| Some(vec![default(prepared.chart(), chart, path, value)?]))
            // However else it got there, it is secret here as well.
            .or_else(|| given.secret(value))
            .unwrap_or_else(|| vec![of_chart("import-values of a subchart")])
    }))
}

/// What the user gave.
struct Given {
    origins: BTreeMap<Vec<String>, Vec<Origin>>,
    secrets: Vec<(Value, Vec<Origin>)>,
}

impl Given {
    fn of(layers: &Layers<Origin>) -> Self {
        let mut given = Self {
            origins: BTreeMap::new(),
            secrets: Vec::new(),
        };
        for leaf in layers.leaves() {
            let origins: Vec<_> = leaf.origins.into_iter().cloned().collect();
            if origins.iter().any(|origin| origin.is_secret) {
                given.secrets.push((leaf.value.clone(), origins.clone()));
            }
            given.origins.insert(leaf.path.to_vec(), origins);
        }
        given
    }

    fn secret(&self, value: &Value) -> Option<Vec<Origin>> {
        let mut secrets = self.secrets.iter();
        let found = secrets.find(|(secret, _)| secret == value);
        found.map(|(_, origins)| origins.clone())
    }
}

/// The chart that has this default: the parent before its subcharts. `prepared` knows the subcharts by the names under
/// which they are used, `chart` what its own author wrote.
fn default(prepared: &Chart, chart: &Chart, path: &[String], value: &Value) -> Option<Origin> {
    let has = |values: Option<&Values>, path: &[String]| {
        values.and_then(|values| find(values, path)) == Some(value)
    };
    let handed = global(path).is_some_and(|path| has(chart.values(), path));
    if handed || has(chart.values(), path) {
        return Some(of_chart("values.yaml"));
    }
    let (mut within, mut rest, mut names) = (prepared, path, Vec::new());
    while let Some((name, below)) = rest.split_first() {
        within = within
            .dependencies()
            .iter()
            .find(|child| child.name() == name)?;
        names.push(name.as_str());
        rest = below;
        if has(within.values(), rest) {
            let name = names.join(".");
            return Some(of_chart(&format!("values.yaml of the subchart {name}")));
        }
    }
    None
}

/// The place of a value below a subchart's `global` among those of the parent.
fn global(path: &[String]) -> Option<&[String]> {
    let at = path.iter().position(|key| key == GLOBAL)?;
    (at > 0).then(|| &path[at..])
}

fn find<'v>(values: &'v Values, path: &[String]) -> Option<&'v Value> {
    let (first, rest) = path.split_first()?;
    let value = values.get(first.as_str())?;
    match rest {
        [] => Some(value),
        rest => find(value.as_map()?, rest),
    }
}

fn of_chart(file: &str) -> Origin {
    Origin {
        field: "chart".to_owned(),
        object: Some(file.to_owned()),
        is_secret: false,
    }
}

#[cfg(test)]
mod tests {
    use belay_chart::File;

    use super::*;

    const FILES: [(&str, &str); 5] = [
        (
            "Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: cache, alias: store, version: 1.x, repository: '', import-values: [{child: login, parent: cached}]}\n",
        ),
        (
            "values.yaml",
            "a: 1\nb: {c: 2, d: 3}\nstore: {size: 5}\nglobal: {zone: x, db: {login: {user: root}}}\n",
        ),
        (
            "charts/cache/Chart.yaml",
            "apiVersion: v2\nname: cache\nversion: 1.0.0\n",
        ),
        (
            "charts/cache/values.yaml",
            "size: 1\nmode: lru\nlogin: {user: root, password: none}\n",
        ),
        ("templates/a.yaml", ""),
    ];

    fn told(layers: &Layers<Origin>) -> BTreeMap<String, String> {
        let leaves = layers.leaves();
        leaves
            .iter()
            .map(|leaf| {
                let origins: Vec<_> = leaf.origins.iter().map(ToString::to_string).collect();
                (leaf.path.join("."), origins.join(", "))
            })
            .collect()
    }

    #[test]
    fn each_key_that_templates_see_says_where_it_is_from() {
        let files = FILES.map(|(path, text)| File::new(path, text.as_bytes()));
        let chart = Chart::from_files(files).unwrap();
        let map = |text: &str| belay_yaml::parse_map(text.as_bytes()).unwrap();
        let mut layers = Layers::default();
        let values = Origin {
            field: "values".into(),
            object: None,
            is_secret: false,
        };
        let login = Origin {
            field: "valuesFrom[0]".into(),
            object: Some("Secret login, key values.yaml".into()),
            is_secret: true,
        };
        layers.overlay(
            login,
            map("store: {login: {password: hunter2}, global: {db: {login: {password: hunter3}}}}\nglobal: {key: k}\n"),
        );
        layers.overlay(values, map("b: {c: 7}\n"));

        let layers = with_defaults(&chart, layers).unwrap();

        let secret = "valuesFrom[0]: Secret login, key values.yaml";
        let expected = [
            ("a", "chart: values.yaml"),
            ("b.c", "values"),
            ("b.d", "chart: values.yaml"),
            // What a chart imports are its subchart's defaults, whatever the user set there.
            ("cached.password", "chart: import-values of a subchart"),
            ("cached.user", "chart: import-values of a subchart"),
            // What is deep within the globals is shared by all charts, whichever it was set for.
            ("global.db.login.password", secret),
            ("global.db.login.user", "chart: values.yaml"),
            ("global.key", secret),
            ("global.zone", "chart: values.yaml"),
            ("store.global.db.login.password", secret),
            ("store.global.db.login.user", "chart: values.yaml"),
            ("store.global.key", secret),
            ("store.global.zone", "chart: values.yaml"),
            ("store.login.password", secret),
            (
                "store.login.user",
                "chart: values.yaml of the subchart store",
            ),
            ("store.mode", "chart: values.yaml of the subchart store"),
            ("store.size", "chart: values.yaml"),
        ];
        let expected = expected.map(|(key, origin)| (key.to_owned(), origin.to_owned()));
        assert_eq!(told(&layers), BTreeMap::from(expected));
    }
}
