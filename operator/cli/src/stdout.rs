//! What commands print. A reader that is gone, as behind `| head`, is no fault of theirs.

use std::fmt::Arguments;
use std::io::{self, Write as _};

use crate::error::Error;

/// Prints what a command was called for, and fails when it cannot be written.
pub(crate) fn print(text: impl AsRef<[u8]>) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_ref())
        .and_then(|()| out.flush())
        .map_err(Error::Output)
}

/// Says on a line what was done. The deed counts, whether or not somebody hears of it.
pub(crate) fn say(line: Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}
