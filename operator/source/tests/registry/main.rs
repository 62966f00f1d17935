//! A fetcher against the real registry, filled by the real helm.

#[cfg(test)]
mod faults;
#[cfg(test)]
mod pulling;
#[cfg(test)]
mod world;
