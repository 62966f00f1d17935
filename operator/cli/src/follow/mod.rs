//! Follows a release or a request by a watch, and tells what changes.

mod narrate;
mod rest;
mod screen;
mod watch;

pub(crate) use rest::{Patience, Rest};
pub(crate) use screen::Screen;
pub(crate) use watch::{follow_release, follow_request};
