//! Charts, rendered here and by the real helm: every byte, status and error must be the same.

mod capabilities;
mod charts;
mod dependencies;
mod errors;
mod files;
mod inputs;
mod language;
mod loading;
mod record;
mod schema;
