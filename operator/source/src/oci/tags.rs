//! A registry's tags, as the versions that they stand for.

use serde::Deserialize;
use url::Url;

use crate::error::Error;
use crate::index::{Entry, Index};
use crate::location::shown;
use belay_chart::semver::Version;

/// Tags asked for at once.
pub(super) const PAGE: usize = 1000;
/// Pages read at most.
pub(super) const PAGES: usize = 50;

#[derive(Deserialize)]
struct List {
    /// Some registries say null where there are none.
    tags: Option<Vec<String>>,
}

/// The tag of a version: tags cannot hold `+`, and Helm writes `_` for it.
pub(super) fn tag(version: &str) -> String {
    version.replace('+', "_")
}

/// What `helm package` calls the package that is pushed under a tag.
pub(super) fn package(name: &str, tag: &str) -> String {
    format!("{name}-{}.tgz", tag.replace('_', "+"))
}

/// The versions of one page; tags that are none are left out.
pub(super) fn read(url: &Url, bytes: &[u8]) -> Result<Vec<String>, Error> {
    let list: List = serde_json::from_slice(bytes).map_err(|error| Error::BadAnswer {
        url: shown(url),
        detail: format!("it is no list of tags: {error}"),
    })?;
    let versions = list.tags.unwrap_or_default().into_iter();
    Ok(versions
        .map(|tag| tag.replace('_', "+"))
        .filter(|version| Version::parse_strict(version.trim_start_matches('v')).is_ok())
        .collect())
}

/// Where the list goes on, by its `Link` header (RFC 8288): on the same server, or nowhere.
pub(super) fn next(url: &Url, link: Option<&str>) -> Result<Option<Url>, Error> {
    let Some(link) = link.filter(|link| link.contains("rel=\"next\"") || link.contains("rel=next"))
    else {
        return Ok(None);
    };
    let bad = |detail: &str| Error::BadAnswer {
        url: shown(url),
        detail: format!("its list of tags goes on {detail}"),
    };
    let target = link
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .ok_or_else(|| bad("at no address"))?
        .0;
    let next = url.join(target).map_err(|_| bad("at no address"))?;
    if next.origin() != url.origin() {
        return Err(bad("on another server"));
    }
    Ok(Some(next))
}

pub(super) fn too_many(url: &Url) -> Error {
    Error::BadAnswer {
        url: shown(url),
        detail: format!(
            "it has more than {} tags; ask for a single version or a digest",
            PAGE * PAGES
        ),
    }
}

/// The versions as an index, so that ranges mean here what they mean in a chart repository.
pub(super) fn index(name: &str, versions: &[String]) -> Index {
    let entries = versions.iter().map(|version| Entry {
        version: version.as_str().into(),
        digest: None,
        urls: Box::default(),
    });
    Index::new([(name.to_owned(), entries.collect())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_are_versions_are_read_as_such() {
        let url = Url::parse("https://a.example/v2/web/tags/list").unwrap();
        let page = br#"{"name": "web", "tags": ["1.0.0", "latest", "1.0.0_build.1", "sha256-00.sig", "v2.0.0"]}"#;

        let versions = read(&url, page).unwrap();

        assert_eq!(versions, ["1.0.0", "1.0.0+build.1", "v2.0.0"]);
        assert_eq!(tag("1.0.0+build.1"), "1.0.0_build.1");
        assert!(read(&url, br#"{"tags": null}"#).unwrap().is_empty());
    }

    #[test]
    fn a_list_goes_on_where_its_link_says_and_only_on_its_own_server() {
        let url = Url::parse("https://a.example/v2/web/tags/list?n=2").unwrap();

        let page = next(&url, Some("</v2/web/tags/list?last=b&n=2>; rel=\"next\""));
        assert_eq!(
            page.unwrap().unwrap().as_str(),
            "https://a.example/v2/web/tags/list?last=b&n=2"
        );
        assert_eq!(next(&url, None).unwrap(), None);
        assert!(next(&url, Some("<https://b.example/>; rel=\"next\"")).is_err());
    }
}
