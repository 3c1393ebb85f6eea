const PREFIX: &str = "INTERNAL_NOTIFICATIONS_";

/// The variables of server and client, which may share one environment or one `.env` file.
const KNOWN: &[&str] = &[
    "API_KEY",
    "API_KEYS",
    "ALLOWED_HOSTS",
    "BROKER_APPS",
    "BROKER_LIMITS",
    "BROKER_ORIGINS",
    "BUFFERED_BYTES",
    "CA_FILE",
    "CHANNEL_PREFIX",
    "CONFIRM_CLOCK",
    "CORS_ORIGINS",
    "DATABASE_URL",
    "JWT_AUDIENCE",
    "JWT_ISSUER",
    "JWT_PUBLIC_KEY_FILE",
    "JWT_SECRET",
    "LISTEN",
    "LOG_COUNT",
    "LOG_RETENTION",
    "OUTBOX_URLS",
    "POSITION_CHECK_SECONDS",
    "REALTIME",
    "RETENTION",
    "RETENTION_COUNT",
    "SERVICE",
    "SHUTDOWN_SECONDS",
    "STORAGE",
    "SWEEP_SECONDS",
    "TOKEN",
    "TRUSTED_PROXIES",
    "URL",
    "USER_ID",
    "WEBHOOKS",
];

/// Returns a warning for each `INTERNAL_NOTIFICATIONS_…` name that nothing reads.
///
/// Such a name is most likely a typing error.
pub fn unknown_names<I>(names: I) -> Vec<String>
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    let unknown = |name: &I::Item| {
        let ours = name.as_ref().strip_prefix(PREFIX);
        ours.is_some_and(|rest| !KNOWN.contains(&rest))
    };
    let mut names: Vec<String> =
        names.into_iter().filter(unknown).map(|name| name.as_ref().to_owned()).collect();
    names.sort();
    names.iter().map(|name| format!("{name} is set, but nothing reads a variable of that name")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_ours_that_nothing_reads_is_reported() {
        let names =
            ["PATH", "INTERNAL_NOTIFICATIONS_URL", "INTERNAL_NOTIFICATIONS_UR", "INTERNAL_NOTIFICATIONS_"];
        assert_eq!(
            unknown_names(names),
            [
                "INTERNAL_NOTIFICATIONS_ is set, but nothing reads a variable of that name",
                "INTERNAL_NOTIFICATIONS_UR is set, but nothing reads a variable of that name",
            ]
        );
    }
}
