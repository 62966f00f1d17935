//! A chart and its values, ready to be rendered.

use std::sync::Arc;

use crate::chart::{Chart, Values};
use crate::coalesce::{self, Nulls};
use crate::dependencies;
use crate::error::ChartError;
use crate::schema;
use crate::warning::Warning;

/// A chart with its dependencies applied and its final values: all that a render depends on besides the release, the
/// cluster and chance.
#[derive(Debug, Clone)]
pub struct Prepared {
    chart: Arc<Chart>,
    values: Arc<Values>,
}

/// Whether a chart's `values.schema.json` has a say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SchemaCheck {
    /// Values that break it are an error.
    #[default]
    Enforce,
    /// `--skip-schema-validation`.
    Skip,
}

impl Prepared {
    /// Applies conditions, tags, aliases and imports, coalesces the values and validates them.
    ///
    /// # Errors
    /// When the chart cannot be installed by itself, lacks listed dependencies, or the values do not fit it.
    pub fn new(chart: &Chart, values: &Values, check: SchemaCheck) -> Result<Self, ChartError> {
        Self::with_warnings(chart, values, check, &mut Vec::new())
    }

    /// As [`new`](Self::new), and adds what Helm would log to `warnings`, also before a failure.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_warnings(
        chart: &Chart,
        values: &Values,
        check: SchemaCheck,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, ChartError> {
        warnings.extend_from_slice(chart.warnings());
        chart.check_installable()?;
        if chart.metadata().deprecated {
            warnings.push(Warning::warn("this chart is deprecated"));
        }
        chart.check_dependencies()?;
        let processed = dependencies::process(chart, values, warnings);
        let chart = processed.map_err(|error| {
            let told = Warning::error("chart dependencies processing failed");
            warnings.push(told.with("error", error.to_string()));
            ChartError::Dependencies(Box::new(error))
        })?;
        let mut coalesced = values.clone();
        coalesce::coalesce(&chart, &mut coalesced, Nulls::Remove, warnings)?;
        if check == SchemaCheck::Enforce {
            schema::validate(&chart, &coalesced, warnings).map_err(ChartError::Schema)?;
        }
        Ok(Self {
            chart: Arc::new(chart),
            values: Arc::new(coalesced),
        })
    }

    /// As [`new`](Self::new) the way Helm's linter does it: any chart may be linted, and defaults are put below the
    /// values twice. Nothing when dependencies or values cannot be put together, which is no finding to Helm.
    pub(crate) fn for_lint(
        chart: &Chart,
        values: &Values,
        check: SchemaCheck,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<Self>, ChartError> {
        let Ok(chart) = dependencies::process(chart, values, warnings) else {
            return Ok(None);
        };
        let mut coalesced = values.clone();
        if coalesce::coalesce(&chart, &mut coalesced, Nulls::Remove, warnings).is_err() {
            return Ok(None);
        }
        coalesce::coalesce(&chart, &mut coalesced, Nulls::Remove, warnings)?;
        if check == SchemaCheck::Enforce {
            schema::validate(&chart, &coalesced, warnings).map_err(ChartError::Schema)?;
        }
        Ok(Some(Self {
            chart: Arc::new(chart),
            values: Arc::new(coalesced),
        }))
    }

    /// The chart with its dependencies applied: what goes into the release's record.
    pub fn chart(&self) -> &Arc<Chart> {
        &self.chart
    }

    /// The final values: the user's over the chart's.
    pub fn values(&self) -> &Values {
        &self.values
    }
}
