//! Charts, rendered here and by the real helm: every byte, status and error must be the same.

#[cfg(test)]
mod capabilities;
#[cfg(test)]
mod charts;
#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod files;
#[cfg(test)]
mod inputs;
#[cfg(test)]
mod language;
#[cfg(test)]
mod loading;
#[cfg(test)]
mod record;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod shape;
