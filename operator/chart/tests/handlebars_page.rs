//! The example of `docs/handlebars.md` comes to what the page says.

use belay_chart::{
    Capabilities, Chart, File, Prepared, Release, RenderOptions, Rendered, Renderer, SchemaCheck,
};
use belay_template::{Host, Limits};
use serde_json::Value;

struct Nowhere;

impl Host for Nowhere {
    fn now(&mut self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

/// The YAML blocks of a page.
fn blocks(page: &str) -> Vec<&str> {
    page.split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```\n").next())
        .collect()
}

fn render(release: &Value) -> Result<Rendered, Box<dyn std::error::Error>> {
    let files = release["spec"]["chart"]["inline"]["files"].as_object();
    let chart = Chart::from_files(files.into_iter().flatten().map(|(name, text)| {
        let text = text.as_str().unwrap_or_default();
        File::new(name, text.as_bytes())
    }))?;
    let values = belay_yaml::to_yaml(&belay_yaml::from_serde(&release["spec"]["values"]))?;
    let values = belay_yaml::parse_map(values.as_bytes())?;
    let prepared = Prepared::new(&chart, &values, SchemaCheck::Enforce)?;
    let text = |field: &str| {
        let text = release["metadata"][field].as_str().unwrap_or_default();
        text.to_owned()
    };
    let options = RenderOptions {
        release: Release {
            name: text("name"),
            namespace: text("namespace"),
            revision: 1,
            is_upgrade: false,
        },
        capabilities: Capabilities::default().into(),
        subchart_notes: false,
        limits: Limits::default(),
    };
    Ok(Renderer::default().render(&prepared, &options, &mut Nowhere)?)
}

/// Without empty lines and ends of lines, which are of no account in YAML and awkward in a page.
fn tidy(text: &str) -> Vec<&str> {
    text.lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn the_example_of_the_page_comes_to_what_the_page_says() {
    let page = include_str!("../../../docs/handlebars.md");
    let blocks = blocks(page);
    let release = belay_yaml::parse(blocks[0].as_bytes()).expect("a HelmRelease");

    let rendered = render(&belay_yaml::to_serde(&release)).expect("it renders");

    let printed: String = rendered
        .files
        .iter()
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(name, text)| ["---\n# Source: ", name, "\n", text, "\n"].concat())
        .collect();
    assert_eq!(tidy(&printed), tidy(blocks[1]));
    assert_eq!(rendered.notes.trim(), "hello listens on 8080.");
}
