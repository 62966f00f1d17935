//! What holds whatever happens: of each step before it is done, of what it changes, of what people read, and where
//! nothing happens by itself any more. Explored worlds and random stories are held to the same.

mod passage;
mod rest;
mod status;
mod steps;

pub use passage::{check_passage, check_proven};
pub use rest::check_rest;
pub use status::check_status;
pub use steps::check_step;
