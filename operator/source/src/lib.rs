//! Where charts come from: HTTP repositories, packages, inline files.
