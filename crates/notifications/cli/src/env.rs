use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::error::Error;

/// The environment, with the values of a `.env` file as defaults.
#[derive(Clone)]
pub(crate) struct Env(BTreeMap<String, String>);

impl Env {
    /// Reads the environment of the process and the file, whose values the environment overrides.
    /// An empty value in the environment also overrides the file.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self, Error> {
        let mut values = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => drop(values.insert(name, value)),
                Err(_) if is_ours(&name) => {
                    return Err(Error::usage(format!("{name} is not UTF-8; set it to plain text")));
                }
                Err(_) => {}
            }
        }
        Self::with_file(values, file)
    }

    fn with_file(mut values: BTreeMap<String, String>, file: Option<&Path>) -> Result<Self, Error> {
        if let Some(path) = file {
            let shown = path.display();
            let unreadable = |error: &dyn fmt::Display| {
                Error::usage(format!("--env-file {shown}: {error}; it must be a file with lines NAME=value"))
            };
            for entry in dotenvy::from_path_iter(path).map_err(|error| unreadable(&error))? {
                let (name, value) = entry.map_err(|error| match error {
                    // The error would show the line, which may contain a secret.
                    dotenvy::Error::LineParse(..) => unreadable(&"a line is malformed"),
                    error => unreadable(&error),
                })?;
                values.entry(name).or_insert(value);
            }
        }
        Ok(Self(values))
    }

    /// Returns a value. An empty one counts as not set.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|value| !value.trim().is_empty()).cloned()
    }

    /// Returns a required value. `description` says in the error what to set it to.
    pub(crate) fn require(&self, name: &str, description: &str) -> Result<String, Error> {
        self.get(name).ok_or_else(|| Error::usage(format!("{name} is not set; set it to {description}")))
    }

    /// Overrides a value with that of a command-line option, if the option was given.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.to_owned());
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn is_ours(name: &str) -> bool {
    name.starts_with("INTERNAL_NOTIFICATIONS_") || name.starts_with("PUSHER_")
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Env {
    fn from(values: [(&str, &str); N]) -> Self {
        Self(values.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let file = file("# ours\nPUSHER_APP_KEY=file\nexport PUSHER_APP_ID='17'\n");
        let env =
            Env::with_file([("PUSHER_APP_KEY".into(), "process".into())].into(), Some(file.path())).unwrap();
        assert_eq!(env.get("PUSHER_APP_KEY").as_deref(), Some("process"));
        assert_eq!(env.get("PUSHER_APP_ID").as_deref(), Some("17"));
    }

    #[test]
    fn an_empty_value_counts_as_not_set() {
        let env = Env::from([("PUSHER_APP_KEY", " ")]);
        assert_eq!(env.get("PUSHER_APP_KEY"), None);
        let error = env.require("PUSHER_APP_KEY", "the app's key").unwrap_err();
        assert_eq!(error.message(), Some("PUSHER_APP_KEY is not set; set it to the app's key"));
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn the_error_of_a_malformed_file_does_not_show_its_lines() {
        let file = file("PUSHER_APP_SECRET 'hunter2\n");
        let error = Env::with_file(BTreeMap::new(), Some(file.path())).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(!error.message().unwrap().contains("hunter2"), "{error:?}");
    }

    #[test]
    fn debug_output_contains_no_value() {
        assert_eq!(
            format!("{:?}", Env::from([("PUSHER_APP_SECRET", "hunter2")])),
            r#"["PUSHER_APP_SECRET"]"#
        );
    }
}
