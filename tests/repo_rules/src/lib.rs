//! The rules of this repository, as tests: which crate may depend on which, what a tree must not hold, what each
//! manifest says, that each bullet of the contract has a test. They read `cargo metadata`, `cargo tree` and sources.

#[cfg(test)]
mod arrows;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod let_chains;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod rust_version;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod trees;
#[cfg(test)]
mod workspace;
