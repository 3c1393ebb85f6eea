//! The rules of this repository that no tool checks, as tests: which crate may depend on which,
//! what every package carries, how files are laid out, how long a comment is, that each bullet of
//! the contract has a test, and that its page repeats it. They read `cargo metadata`, `cargo tree`
//! and the sources.
//!
//! Clippy (`[workspace.lints]`) and cargo-deny (`deny.toml`) check the rest.

#[cfg(test)]
mod arrows;
#[cfg(test)]
mod comments;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod contract_page;
#[cfg(test)]
mod files;
#[cfg(test)]
mod let_chains;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod modules;
#[cfg(test)]
mod packages;
#[cfg(test)]
mod readmes;
#[cfg(test)]
mod rust_version;
#[cfg(test)]
mod trees;
#[cfg(test)]
mod workspace;
