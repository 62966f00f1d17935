//! The flags that set values, as all of Helm's commands have them.

use belay_chart::{ChartError, UserValues, Values, ValuesFile};
use clap::Args;

use crate::error::Error;
use crate::locate;

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ValueFlags {
    /// Values from a YAML file; can be repeated
    #[arg(
        short = 'f',
        long = "values",
        value_name = "FILE",
        value_delimiter = ','
    )]
    values: Vec<String>,
    /// Set values: key1=val1,key2=val2
    #[arg(long, allow_hyphen_values = true)]
    set: Vec<String>,
    /// Set values that are text whatever they look like
    #[arg(long, allow_hyphen_values = true)]
    set_string: Vec<String>,
    /// Set values in JSON
    #[arg(long, allow_hyphen_values = true)]
    set_json: Vec<String>,
    /// Set values to the content of files
    #[arg(long)]
    set_file: Vec<String>,
    /// Set one value to the text as it is
    #[arg(long, allow_hyphen_values = true)]
    set_literal: Vec<String>,
}

impl ValueFlags {
    /// Reads all files and merges everything in Helm's order.
    pub(crate) fn merge(&self) -> Result<Values, Error> {
        let files = self
            .values
            .iter()
            // As with Helm, `-f ""` names no file: scripts write it when there is none.
            .filter(|name| !name.is_empty())
            .map(|name| {
                Ok(ValuesFile {
                    name: name.clone(),
                    data: locate::read(name).map_err(Error::Template)?,
                })
            })
            .collect::<Result<_, Error>>()?;
        UserValues {
            files,
            json: self.set_json.clone(),
            set: self.set.clone(),
            strings: self.set_string.clone(),
            set_files: self.set_file.clone(),
            literals: self.set_literal.clone(),
        }
        .merge(Values::new(), &mut |name| locate::read(name))
        .map_err(|error| in_helms_words(&error))
    }
}

/// Texts of charts are Helm's own.
pub(crate) fn in_helms_words(error: &ChartError) -> Error {
    Error::Template(error.to_string())
}
