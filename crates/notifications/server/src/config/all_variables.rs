use super::{
    Variable, auth, broker_limits, ca_file, channel_prefix, confirm_clock, database, hosts, limits, listen,
    origins, outbox, position_check, realtime, retention,
};

/// Every variable of the server, in the order of its documentation.
const ALL: &[Variable] = &[
    listen::LISTEN,
    database::DATABASE_URL,
    outbox::OUTBOX_URLS,
    auth::JWT_SECRET,
    auth::JWT_PUBLIC_KEY_FILE,
    auth::JWT_ISSUER,
    auth::JWT_AUDIENCE,
    auth::API_KEYS,
    hosts::ALLOWED_HOSTS,
    origins::CORS_ORIGINS,
    realtime::REALTIME,
    realtime::APP_ID,
    realtime::APP_KEY,
    realtime::APP_SECRET,
    realtime::APP_CLUSTER,
    realtime::HOST,
    realtime::PORT,
    realtime::SCHEME,
    realtime::CLIENT_HOST,
    realtime::CLIENT_PORT,
    realtime::CLIENT_SCHEME,
    realtime::WEBHOOKS,
    realtime::BROKER_ORIGINS,
    ca_file::CA_FILE,
    broker_limits::BROKER_LIMITS,
    realtime::TRUSTED_PROXIES,
    channel_prefix::CHANNEL_PREFIX,
    position_check::POSITION_CHECK_SECONDS,
    retention::RETENTION,
    retention::RETENTION_COUNT,
    retention::LOG_RETENTION,
    retention::LOG_COUNT,
    retention::SWEEP_SECONDS,
    limits::BUFFERED_BYTES,
    limits::SHUTDOWN_SECONDS,
    confirm_clock::CONFIRM_CLOCK,
];

/// Returns every environment variable that the server reads.
pub fn variables() -> &'static [Variable] {
    ALL
}
