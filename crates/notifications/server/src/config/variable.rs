/// An environment variable that the server reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The method of [`Config`](super::Config) that sets the same in code.
    pub method: &'static str,
    /// The value that has the same effect as leaving it unset, if there is one.
    pub default: Option<&'static str>,
    /// Which values are allowed: "it must be …".
    pub allowed: &'static str,
    /// What it sets.
    pub purpose: &'static str,
}
