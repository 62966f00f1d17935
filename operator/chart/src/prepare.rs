//! A chart and its values, ready to be rendered.

use std::sync::Arc;

use crate::chart::{Chart, Values};
use crate::coalesce::{self, Nulls};
use crate::dependencies;
use crate::error::ChartError;
use crate::schema;

/// A chart with its dependencies applied and its final values: all that a render depends on besides the release, the
/// cluster and chance.
#[derive(Debug, Clone)]
pub struct Prepared {
    chart: Arc<Chart>,
    values: Arc<Values>,
    warnings: Vec<String>,
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
        chart.check_installable()?;
        chart.check_dependencies()?;
        let mut warnings = chart.warnings().to_vec();
        let chart = dependencies::process(chart, values, &mut warnings)
            .map_err(|error| ChartError::Dependencies(Box::new(error)))?;
        let mut coalesced = values.clone();
        coalesce::coalesce(&chart, &mut coalesced, Nulls::Remove, &mut warnings)?;
        if check == SchemaCheck::Enforce {
            schema::validate(&chart, &coalesced, &mut warnings)
                .map_err(|report| ChartError::Schema(report.trim_end().to_owned()))?;
        }
        Ok(Self {
            chart: Arc::new(chart),
            values: Arc::new(coalesced),
            warnings,
        })
    }

    /// The chart with its dependencies applied: what goes into the release's record.
    pub fn chart(&self) -> &Arc<Chart> {
        &self.chart
    }

    /// The final values: the user's over the chart's.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// What Helm would log on the way; sorted by where it came up.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}
