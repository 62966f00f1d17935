//! Where the story is told: a terminal with moving bars, or plain lines.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use belay_api::HelmRelease;
use belay_api::helm_release::AttemptStatus;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::follow::narrate::{Progress, changes};
use crate::page;
use crate::style::Style;
use crate::when;

/// Between two pictures of a spinner.
const TICK: Duration = Duration::from_millis(120);

/// Tells lines, and on a terminal shows below them what is under way.
pub(crate) struct Screen {
    style: Style,
    live: Option<Live>,
}

/// A bar for the attempt and a spinner for each object that is waited for.
struct Live {
    all: MultiProgress,
    attempt: Option<ProgressBar>,
    objects: BTreeMap<String, ProgressBar>,
}

impl Screen {
    pub(crate) fn new(style: Style) -> Self {
        let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        Self {
            style,
            live: terminal.then(|| Live {
                all: MultiProgress::new(),
                attempt: None,
                objects: BTreeMap::new(),
            }),
        }
    }

    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// Tells one line. That nobody reads any more is no reason to stop.
    pub(crate) fn tell(&self, line: &str) {
        let told = match &self.live {
            Some(moving) => moving.all.println(line),
            None => writeln!(std::io::stdout(), "{line}"),
        };
        let _ = told;
    }

    /// Shows what is under way, or that nothing is.
    pub(crate) fn show(&mut self, attempt: Option<&AttemptStatus>) {
        let Some(live) = &mut self.live else { return };
        match attempt {
            Some(attempt) => live.show(attempt),
            None => live.clear(),
        }
    }

    /// Tells what changed between two states of a release, and shows what is under way in the newer one.
    pub(crate) fn follow(&mut self, before: Option<&HelmRelease>, after: &HelmRelease) {
        let progress = match self.live {
            Some(_) => Progress::ShownElsewhere,
            None => Progress::Told,
        };
        for line in changes(before, after, when::now(), progress, self.style) {
            self.tell(&line);
        }
        self.show(
            after
                .status
                .as_ref()
                .and_then(|status| status.attempt.as_ref()),
        );
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Some(live) = &mut self.live {
            live.clear();
        }
    }
}

impl Live {
    fn show(&mut self, attempt: &AttemptStatus) {
        let all = &self.all;
        let bar = self.attempt.get_or_insert_with(|| {
            let bar = all.add(ProgressBar::new(0));
            bar.set_style(style("{spinner} {msg} {bar:24} {pos}/{len} {elapsed:>4}"));
            bar.enable_steady_tick(TICK);
            bar
        });
        bar.set_message(page::stage(attempt.stage));
        if let Some(progress) = &attempt.progress {
            bar.set_length(progress.total.into());
            bar.set_position(progress.ready.into());
        }
        let waiting = attempt
            .progress
            .iter()
            .flat_map(|progress| &progress.waiting_for);
        let now: BTreeMap<&str, &str> = waiting
            .map(|line| line.split_once(": ").unwrap_or((line, "")))
            .collect();
        self.objects.retain(|object, spinner| {
            let stays = now.contains_key(object.as_str());
            if !stays {
                spinner.finish_and_clear();
            }
            stays
        });
        for (object, state) in now {
            let spinner = self.objects.entry(object.to_owned()).or_insert_with(|| {
                let spinner = all.add(ProgressBar::new_spinner());
                spinner.set_style(style("  {spinner} {prefix}  {wide_msg}"));
                spinner.set_prefix(object.to_owned());
                spinner.enable_steady_tick(TICK);
                spinner
            });
            spinner.set_message(state.to_owned());
        }
    }

    fn clear(&mut self) {
        for spinner in std::mem::take(&mut self.objects)
            .into_values()
            .chain(self.attempt.take())
        {
            spinner.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
