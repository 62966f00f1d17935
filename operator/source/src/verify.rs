//! Proof of origin: who signed a chart, by which key. Pure: what is judged here was fetched elsewhere.

mod cosign;
mod keyring;
mod provenance;
mod public_keys;

pub(crate) use cosign::{Evidence, PAYLOAD, is_bundle};
pub(crate) use provenance::judge;

pub use keyring::{BadKeyring, Keyring};
pub use public_keys::{BadPublicKey, PublicKeys};
