const PREFIX: &str = "INTERNAL_NOTIFICATIONS_";

/// Every variable of the project, the server's too: both sides may share one environment.
const KNOWN: [&str; 17] = [
    "API_KEY",
    "API_KEYS",
    "ALLOWED_HOSTS",
    "CHANNEL_PREFIX",
    "CORS_ORIGINS",
    "DATABASE_URL",
    "JWT_AUDIENCE",
    "JWT_ISSUER",
    "JWT_PUBLIC_KEY_FILE",
    "JWT_SECRET",
    "LISTEN",
    "POSITION_CHECK_SECONDS",
    "REALTIME",
    "SERVICE",
    "TOKEN",
    "URL",
    "USER_ID",
];

/// Warns of what is most likely a typing error.
pub(crate) fn warn_of_unknown() {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in names.filter(|name| is_unknown(name)) {
        tracing::warn!("{name} is set, but nothing reads a variable of that name");
    }
}

/// Whether it looks like a variable of the project, and is none.
fn is_unknown(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| !KNOWN.contains(&rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_is_unknown_and_one_of_the_server_or_of_others_is_not() {
        assert!(is_unknown("INTERNAL_NOTIFICATIONS_TOKNE"));
        assert!(is_unknown("INTERNAL_NOTIFICATIONS_"));
        for name in ["INTERNAL_NOTIFICATIONS_TOKEN", "INTERNAL_NOTIFICATIONS_LISTEN", "PUSHER_KEY", "PATH"] {
            assert!(!is_unknown(name), "{name}");
        }
    }

    #[test]
    fn every_variable_of_the_readme_is_known() {
        let readme = include_str!("../README.md");
        let names: Vec<_> = readme.split('`').filter(|word| word.starts_with(PREFIX)).collect();
        assert!(names.len() > 4, "{names:?}");
        assert_eq!(names.iter().find(|name| is_unknown(name)), None);
    }
}
