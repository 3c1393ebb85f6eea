//! The examples that have tests in this package. The other files beside this one are programs.

pub mod bell;
pub mod custom_service;

#[cfg(doctest)]
mod documents;
