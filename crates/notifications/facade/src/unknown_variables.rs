use internal_notifications_models::unknown_names;

/// Logs a warning for each variable of the process that is probably misspelled.
pub(crate) fn warn_of_unknown_variables() {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for warning in unknown_names(names) {
        tracing::warn!("{warning}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_variable_is_unknown() {
        for name in ["INTERNAL_NOTIFICATIONS_TOKNE", "INTERNAL_NOTIFICATIONS_"] {
            assert_eq!(unknown_names([name]).len(), 1, "{name}");
        }
        for name in ["INTERNAL_NOTIFICATIONS_TOKEN", "INTERNAL_NOTIFICATIONS_LISTEN", "PUSHER_KEY", "PATH"] {
            assert!(unknown_names([name]).is_empty(), "{name}");
        }
    }

    #[test]
    fn every_variable_in_the_readme_is_known() {
        let readme = include_str!("../README.md");
        let names: Vec<_> =
            readme.split('`').filter(|word| word.starts_with("INTERNAL_NOTIFICATIONS_")).collect();
        assert!(names.len() > 4, "{names:?}");
        assert_eq!(unknown_names(names), Vec::<String>::new());
    }
}
