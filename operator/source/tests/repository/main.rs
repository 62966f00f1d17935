//! A fetcher against a real HTTP server that serves real packages, and lies, hangs and breaks off when told to.

#[cfg(test)]
mod access;
#[cfg(test)]
mod asking;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod destinations;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod keeping;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod package;
#[cfg(test)]
mod provenance;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod resuming;
#[cfg(test)]
mod server;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod tokens;
