//! `.helmignore`: which files of a chart folder are not part of the chart.

use crate::error::ChartError;
use crate::path_match::path_match;

/// The name of the file that holds the rules.
pub(crate) const FILE_NAME: &str = ".helmignore";

/// Rules in file order; the first that speaks decides.
pub(crate) struct Rules {
    rules: Vec<Rule>,
}

struct Rule {
    pattern: String,
    negated: bool,
    folders_only: bool,
    scope: Scope,
}

enum Scope {
    /// The pattern holds a slash and is matched against the whole path.
    Path,
    /// It holds none and is matched against the last path element.
    Name,
}

impl Rules {
    /// Reads the text of a `.helmignore`; hidden files in `templates/` are always ignored.
    pub(crate) fn parse(text: &str) -> Result<Self, ChartError> {
        let mut rules = Vec::new();
        for line in text.trim_start_matches('\u{feff}').lines() {
            rules.extend(Rule::parse(line)?);
        }
        rules.extend(Rule::parse("templates/.?*")?);
        Ok(Self { rules })
    }

    /// Whether `path` (relative to the chart, `/` between elements) is left out.
    pub(crate) fn ignores(&self, path: &str, is_folder: bool) -> bool {
        for rule in &self.rules {
            let out_of_scope = rule.folders_only && !is_folder;
            // A negated rule ignores everything that it does not match: that is Helm's
            // long-standing reading, not gitignore's.
            if rule.negated {
                if out_of_scope || !rule.matches(path) {
                    return true;
                }
            } else if !out_of_scope && rule.matches(path) {
                return true;
            }
        }
        false
    }
}

impl Rule {
    fn parse(line: &str) -> Result<Option<Self>, ChartError> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        if line.contains("**") {
            let text = "double-star (**) syntax is not supported";
            return Err(ChartError::Ignore(text));
        }
        if path_match(line, "abc").is_err() {
            return Err(ChartError::Ignore("syntax error in pattern"));
        }
        let (negated, rest) = line.strip_prefix('!').map_or((false, line), |r| (true, r));
        let (folders_only, rest) = rest.strip_suffix('/').map_or((false, rest), |r| (true, r));
        let (scope, pattern) = if let Some(rooted) = rest.strip_prefix('/') {
            (Scope::Path, rooted)
        } else if rest.contains('/') {
            (Scope::Path, rest)
        } else {
            (Scope::Name, rest)
        };
        Ok(Some(Self {
            pattern: pattern.to_owned(),
            negated,
            folders_only,
            scope,
        }))
    }

    fn matches(&self, path: &str) -> bool {
        let subject = match self.scope {
            Scope::Path => path,
            Scope::Name => path.rsplit('/').next().unwrap_or(path),
        };
        path_match(&self.pattern, subject).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(rules: &str, path: &str, is_folder: bool) -> bool {
        Rules::parse(rules).unwrap().ignores(path, is_folder)
    }

    #[test]
    fn a_name_rule_holds_at_any_depth_and_a_path_rule_at_one() {
        assert!(ignored("*.bak", "a/b/c.bak", false));
        assert!(ignored("/top.txt", "top.txt", false));
        assert!(!ignored("/top.txt", "a/top.txt", false));
        assert!(ignored("docs/", "docs", true));
        assert!(!ignored("docs/", "docs", false));
        assert!(!ignored("# *.bak\n\n", "c.bak", false));
    }

    #[test]
    fn a_negated_rule_ignores_what_it_does_not_name() {
        assert!(ignored("!keep.txt", "other.txt", false));
        assert!(!ignored("!keep.txt", "keep.txt", false));
    }

    #[test]
    fn hidden_templates_are_ignored_without_any_rule() {
        assert!(ignored("", "templates/.swp", false));
        assert!(!ignored("", "templates/a.yaml", false));
    }

    #[test]
    fn double_stars_are_refused() {
        assert!(Rules::parse("a/**/b").is_err());
        assert!(Rules::parse("[").is_err());
    }
}
