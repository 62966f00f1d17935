//! Releases that are not what their spec asks for, as `kubectl describe` shows them: the page docs/describe.md.

use std::fmt::Write;
use std::path::Path;

use crate::error::Error;
use crate::ground::Ground;
use crate::seen;
use crate::terminal::Terminal;

/// A way in which a change can end badly.
struct Story {
    release: &'static str,
    title: &'static str,
    /// Values of the change, one line of YAML.
    values: &'static str,
    /// Further lines of its spec.
    spec: &'static str,
    /// Whether the change is good and somebody orders it away.
    is_ordered_away: bool,
}

const STORIES: [Story; 5] = [
    Story {
        release: "image",
        title: "An image that does not exist",
        values: "{image: {tag: does-not-exist}}",
        spec: "",
        is_ordered_away: false,
    },
    Story {
        release: "crash",
        title: "A container that ends again and again",
        values: "{podAnnotations: {belay.test/fault: crash-loop}}",
        spec: "",
        is_ordered_away: false,
    },
    Story {
        release: "slow",
        title: "Not ready in time",
        values: "{podAnnotations: {belay.test/fault: never-ready}}",
        spec: "  timeout: 10s\n",
        is_ordered_away: false,
    },
    Story {
        release: "degraded",
        title: "Ready, and then not any more, while it soaked",
        values: "{podAnnotations: {belay.test/fault: degrade}}",
        spec: "  soak: {duration: 10m, grace: 2s}\n",
        is_ordered_away: false,
    },
    Story {
        release: "ordered",
        title: "Taken back by a RollbackRequest",
        values: "{greeting: Belay}",
        spec: "",
        is_ordered_away: true,
    },
];

const HEAD: &str = "# What `kubectl describe` says

<!-- Written by `make describe`, on a real control plane with fake nodes. -->

Five releases that are not what their spec asks for. Each was good before. To be read from each output alone: what
failed (`Last Failure`, `Blocked`), why (its `Message`, `Objects`, `Pods`, `Timeline`), what runs now and since when
(`Current`), and what to do next (the `Message` of `Ready`). `belay why NAME` tells the same on one page. What each
reason asks for is in [reasons.md](reasons.md).
";

/// Lets each change end badly, and writes the page.
pub(crate) async fn write(ground: &Ground, terminal: &Terminal, page: &Path) -> Result<(), Error> {
    let mut text = HEAD.to_owned();
    for story in &STORIES {
        terminal.chapter(story.title);
        declare(ground, story.release, "{}", "").await?;
        follow(ground, terminal, story.release, 0).await?;
        declare(ground, story.release, story.values, story.spec).await?;
        if story.is_ordered_away {
            follow(ground, terminal, story.release, 0).await?;
            let order = [
                "rollback",
                story.release,
                "--reason=checkout errors since 2",
            ];
            ground.programs.show_ok(terminal, "belay", &order).await?;
        } else {
            follow(ground, terminal, story.release, 1).await?;
        }
        let describe = ["describe", "helmrelease", story.release];
        let said = ground.programs.run("kubectl", &describe, "").await?;
        let address = ground.repository.url();
        // The port is another one each time.
        let said = said.replace(address, "http://charts.example.org");
        let said: Vec<_> = said.lines().map(str::trim_end).collect();
        let written = write!(
            text,
            "\n## {}\n\n```console\n$ kubectl describe helmrelease {}\n{}\n```\n",
            story.title,
            story.release,
            said.join("\n").trim_end()
        );
        written.map_err(|_| Error::Usage("the page cannot be put together"))?;
    }
    std::fs::write(page, text).map_err(Error::io(format!("writing {}", page.display())))?;
    terminal.aside(&format!("wrote {}", page.display()));
    Ok(())
}

async fn declare(ground: &Ground, release: &str, values: &str, spec: &str) -> Result<(), Error> {
    let manifest = format!(
        "apiVersion: belay.dev/v1alpha1
kind: HelmRelease
metadata:
  name: {release}
spec:
  chart:
    repository: {{url: {}, name: harbor, version: 1.0.0}}
  values: {values}
  failFast: {{grace: 1s}}
{spec}",
        ground.repository.url()
    );
    ground
        .programs
        .run("kubectl", &["apply", "-f", "-"], &manifest)
        .await?;
    Ok(())
}

async fn follow(
    ground: &Ground,
    terminal: &Terminal,
    release: &str,
    expected: i32,
) -> Result<(), Error> {
    let watch = ["status", release, "--watch", "--timeout=4m"];
    let status = ground.programs.show(terminal, "belay", &watch).await?;
    seen::require(
        status == expected,
        || format!("`belay status {release} --watch` with exit status {expected}"),
        || status.to_string(),
    )
}
