//! Values of many origins, merged in order, and which of them each key has its value from.

use std::collections::BTreeMap;

use belay_yaml::{Map, Value};

use crate::user_values::overlay;

/// Values merged layer by layer. `O` says where a layer came from.
#[derive(Clone, Debug)]
pub struct Layers<O> {
    merged: Map,
    origins: Vec<O>,
    /// Each leaf with the layers that it has its value from, as indexes: one, or several that wrote into one list.
    leaves: BTreeMap<Vec<String>, Vec<usize>>,
}

/// A value that is no map, or an empty one, with where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf<'l, O> {
    /// The keys that lead to it.
    pub path: &'l [String],
    /// The value.
    pub value: &'l Value,
    /// The layers that gave it, the last one deciding. More than one only for lists.
    pub origins: Vec<&'l O>,
}

impl<O> Default for Layers<O> {
    fn default() -> Self {
        Self {
            merged: Map::new(),
            origins: Vec::new(),
            leaves: BTreeMap::new(),
        }
    }
}

impl<O> Layers<O> {
    /// Puts values on top, as Helm does with a file of `--values`: maps are merged, everything else is replaced.
    pub fn overlay(&mut self, origin: O, values: Map) {
        let layer = self.layer(origin);
        let touched = leaves_of(&values);
        overlay(&mut self.merged, values);
        for path in touched {
            self.claim(path, layer, false);
        }
    }

    /// Puts on top what `write` writes, such as an expression of `--set`. It is also called with an empty map, to see
    /// which keys it writes.
    ///
    /// # Errors
    /// What `write` gives; nothing is changed then.
    pub fn write<E>(&mut self, origin: O, write: impl Fn(Map) -> Result<Map, E>) -> Result<(), E> {
        self.merged = write(self.merged.clone())?;
        let layer = self.layer(origin);
        // What cannot stand alone, such as a list's second item, is laid upon everything below its key.
        let alone = write(Map::new()).unwrap_or_default();
        for path in leaves_of(&alone) {
            self.claim(path, layer, true);
        }
        Ok(())
    }

    /// The merged values.
    pub fn values(&self) -> &Map {
        &self.merged
    }

    /// The merged values alone.
    pub fn into_values(self) -> Map {
        self.merged
    }

    /// All leaves, by their paths.
    pub fn leaves(&self) -> Vec<Leaf<'_, O>> {
        let leaves = self.leaves.iter();
        leaves
            .filter_map(|(path, layers)| {
                Some(Leaf {
                    path,
                    value: find(&self.merged, path)?,
                    origins: layers.iter().map(|layer| &self.origins[*layer]).collect(),
                })
            })
            .collect()
    }

    /// The values after more was put below them, such as a chart's own: what was there keeps its origins, `of` tells
    /// those of the rest by path and value.
    #[must_use]
    pub fn completed(self, values: Map, mut of: impl FnMut(&[String], &Value) -> Vec<O>) -> Self {
        let mut origins = self.origins;
        let mut leaves = BTreeMap::new();
        for path in leaves_of(&values) {
            let known = self.leaves.get(&path).cloned();
            let layers = known.unwrap_or_else(|| {
                let new = find(&values, &path).map(|value| of(&path, value));
                let first = origins.len();
                origins.extend(new.unwrap_or_default());
                (first..origins.len()).collect()
            });
            leaves.insert(path, layers);
        }
        Self {
            merged: values,
            origins,
            leaves,
        }
    }

    fn layer(&mut self, origin: O) -> usize {
        self.origins.push(origin);
        self.origins.len() - 1
    }

    /// Notes that a layer gave the value at `path`. What was below it is gone, and so is a leaf above it.
    fn claim(&mut self, path: Vec<String>, layer: usize, into_lists: bool) {
        let stays_map =
            matches!(find(&self.merged, &path), Some(Value::Map(map)) if !map.is_empty());
        if stays_map {
            // An empty map on top of one with keys changes nothing.
            return;
        }
        let is_list = matches!(find(&self.merged, &path), Some(Value::Seq(_)));
        let mut layers = match self.leaves.remove(&path) {
            Some(before) if into_lists && is_list => before,
            _ => Vec::new(),
        };
        layers.push(layer);
        self.leaves
            .retain(|known, _| !known.starts_with(&path) && !path.starts_with(known));
        self.leaves.insert(path, layers);
    }
}

fn find<'v>(map: &'v Map, path: &[String]) -> Option<&'v Value> {
    let (first, rest) = path.split_first()?;
    let value = map.get(first.as_str())?;
    if rest.is_empty() {
        return Some(value);
    }
    find(value.as_map()?, rest)
}

fn leaves_of(map: &Map) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    collect(map, &mut Vec::new(), &mut found);
    found
}

fn collect(map: &Map, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    for (key, value) in map {
        path.push(key.clone());
        match value {
            Value::Map(inner) if !inner.is_empty() => collect(inner, path, found),
            _ => found.push(path.clone()),
        }
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strvals;

    fn map(yaml: &str) -> Map {
        belay_yaml::parse_map(yaml.as_bytes()).unwrap()
    }

    fn set<'o>(layers: &mut Layers<&'o str>, origin: &'o str, expression: &str) {
        let write = |mut map: Map| strvals::set(expression, &mut map).map(|()| map);
        layers.write(origin, write).unwrap();
    }

    fn told(layers: &Layers<&str>) -> Vec<String> {
        let leaves = layers.leaves();
        leaves
            .iter()
            .map(|leaf| {
                format!(
                    "{} < {}",
                    leaf.path.join("."),
                    leaf.origins
                        .iter()
                        .map(|o| **o)
                        .collect::<Vec<_>>()
                        .join("+")
                )
            })
            .collect()
    }

    #[test]
    fn each_key_has_its_value_from_the_last_that_wrote_it() {
        let mut layers = Layers::default();
        layers.overlay("file", map("a: 1\nb: {c: 2, d: 3}\nl: [1, 2]\n"));
        layers.overlay("spec", map("b: {c: 4}\ne: {}\n"));
        set(&mut layers, "set", "b.f=5,a=6");

        assert_eq!(
            told(&layers),
            [
                "a < set",
                "b.c < spec",
                "b.d < file",
                "b.f < set",
                "e < spec",
                "l < file"
            ]
        );
    }

    #[test]
    fn what_is_put_below_has_an_origin_of_its_own() {
        let mut layers = Layers::default();
        layers.overlay("file", map("a: {b: 1}\nlist: [1]\nempty: {}\n"));
        let all = map("a: {b: 1, c: 2}\nlist: [1]\nempty: {d: 3}\n");

        let layers = layers.completed(all, |_, _| vec!["chart"]);

        assert_eq!(
            told(&layers),
            [
                "a.b < file",
                "a.c < chart",
                "empty.d < chart",
                "list < file"
            ]
        );
    }

    #[test]
    fn what_is_replaced_has_no_origin_any_more() {
        let mut layers = Layers::default();
        layers.overlay("file", map("a: {b: 1, c: 2}\nd: 1\n"));
        layers.overlay("spec", map("a: null\nd: {e: 1}\n"));

        assert_eq!(told(&layers), ["a < spec", "d.e < spec"]);
    }

    #[test]
    fn an_empty_map_takes_nothing_away() {
        let mut layers = Layers::default();
        layers.overlay("file", map("a: {b: 1}\n"));
        layers.overlay("spec", map("a: {}\n"));

        assert_eq!(told(&layers), ["a.b < file"]);
    }

    /// A list into which an expression writes still holds what was there, secrets included.
    #[test]
    fn a_list_remembers_all_who_wrote_into_it() {
        let mut layers = Layers::default();
        layers.overlay("secret", map("l: [hidden, hidden]\n"));
        set(&mut layers, "set", "l[1]=shown");

        assert_eq!(told(&layers), ["l < secret+set"]);

        layers.overlay("spec", map("l: [x]\n"));
        assert_eq!(told(&layers), ["l < spec"]);
    }
}
