//! A fetcher against the real registry, filled by the real helm.

#[cfg(test)]
mod certificates;
#[cfg(test)]
mod cosign;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod provenance;
#[cfg(test)]
mod pulling;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod world;
