//! What the tests of the examples share with them. The other examples are programs, in the files beside this one.

pub mod bell;
pub mod custom_service;

#[cfg(doctest)]
mod documents;
