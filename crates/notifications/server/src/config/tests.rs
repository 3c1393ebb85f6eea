mod methods;

use std::collections::BTreeMap;

use super::*;

const KEY: &str = "a-secret-of-thirty-two-bytes-or-so";

fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let map: BTreeMap<&str, &str> = variables.iter().copied().collect();
    Config::from_env(|name| map.get(name).map(|value| (*value).to_owned()))
}

fn refused(variables: &[(&str, &str)]) -> String {
    read(variables).expect_err("it must be refused").to_string()
}

#[test]
fn the_default_is_a_server_on_loopback_with_the_embedded_broker() {
    let config = read(&[]).expect("the defaults are good");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.database, Some(Database::Sqlite("internal-notifications.db".into())));
    assert!(matches!(config.realtime, RealtimeConfig::Embedded(_)));
    assert!(config.auth.jwt.is_none() && config.auth.api_keys.is_empty() && config.cors_origins.is_empty());
    assert_eq!(config.channel_prefix, ChannelPrefix::default());
    assert_eq!(config.position_check_seconds, 60);
    assert_eq!(config.allowed_hosts, None);
    assert_eq!(
        format!("{config:?}"),
        format!("{:?}", Config::new().with_database("sqlite://internal-notifications.db".parse().unwrap()))
    );
}

#[test]
fn empty_values_count_as_unset() {
    let config =
        read(&[("PUSHER_HOST", ""), ("PUSHER_APP_CLUSTER", " "), ("INTERNAL_NOTIFICATIONS_LISTEN", "")]);
    assert!(matches!(config.expect("as if not set").realtime, RealtimeConfig::Embedded(_)));
}

#[test]
fn an_error_names_the_variable_and_the_allowed_values() {
    for (name, value, allowed) in [
        ("INTERNAL_NOTIFICATIONS_LISTEN", "localhost:8080", "127.0.0.1:8080"),
        ("INTERNAL_NOTIFICATIONS_LISTEN", "127.0.0.1", "127.0.0.1:8080"),
        ("INTERNAL_NOTIFICATIONS_DATABASE_URL", "mysql://root:pass@db", "sqlite://PATH"),
        ("INTERNAL_NOTIFICATIONS_DATABASE_URL", "postgres://root:pass@db:port/d", "postgres://USER"),
        ("INTERNAL_NOTIFICATIONS_DATABASE_URL", "sqlite::memory:", "in-memory"),
        ("INTERNAL_NOTIFICATIONS_DATABASE_URL", "sqlite://file::memory:", "in-memory"),
        ("INTERNAL_NOTIFICATIONS_DATABASE_URL", "sqlite://a.db?mode=memory", "in-memory"),
        ("INTERNAL_NOTIFICATIONS_DATABASE_URL", "sqlite://a.db?mode=rwc", "no parameters"),
        ("INTERNAL_NOTIFICATIONS_DATABASE_URL", "sqlite://", "sqlite://PATH"),
        ("INTERNAL_NOTIFICATIONS_DATABASE_URL", "inbox.db", "sqlite://PATH"),
        ("INTERNAL_NOTIFICATIONS_OUTBOX_URLS", "sqlite://a.db,mysql://root:pass@db", "sqlite://PATH"),
        ("INTERNAL_NOTIFICATIONS_OUTBOX_URLS", "postgres://root:pass@db:port/d", "postgres://USER"),
        ("INTERNAL_NOTIFICATIONS_OUTBOX_URLS", "sqlite::memory:", "in-memory"),
        ("INTERNAL_NOTIFICATIONS_OUTBOX_URLS", "app.db", "sqlite://PATH"),
        ("INTERNAL_NOTIFICATIONS_WEBHOOKS", "http://a.example", "event_types"),
        ("INTERNAL_NOTIFICATIONS_WEBHOOKS", r#"["ftp://a.example"]"#, "http://"),
        (
            "INTERNAL_NOTIFICATIONS_BROKER_ORIGINS",
            "https://a.example,https://b.example/",
            "https://app.example",
        ),
        ("INTERNAL_NOTIFICATIONS_BROKER_ORIGINS", ",", "https://app.example"),
        ("INTERNAL_NOTIFICATIONS_TRUSTED_PROXIES", "10.0.0.7,proxy", "10.0.0.0/8"),
        ("INTERNAL_NOTIFICATIONS_TRUSTED_PROXIES", "0.0.0.0/0", "10.0.0.0/8"),
        ("INTERNAL_NOTIFICATIONS_BROKER_LIMITS", "connections=0", "at least 1"),
        ("INTERNAL_NOTIFICATIONS_BROKER_LIMITS", "sockets=1", "connections, connections_per_address"),
        ("INTERNAL_NOTIFICATIONS_REALTIME", "reverb", "`embedded` or `pusher`"),
        ("INTERNAL_NOTIFICATIONS_REALTIME", "Embedded", "`embedded` or `pusher`"),
        ("INTERNAL_NOTIFICATIONS_CHANNEL_PREFIX", "presence-", "begins with private-"),
        ("INTERNAL_NOTIFICATIONS_CORS_ORIGINS", "https://a.example/path", "https://app.example.com"),
        ("INTERNAL_NOTIFICATIONS_CORS_ORIGINS", "*", "https://app.example.com"),
        ("INTERNAL_NOTIFICATIONS_ALLOWED_HOSTS", "https://a.example", "inbox.example.com"),
        ("INTERNAL_NOTIFICATIONS_POSITION_CHECK_SECONDS", "0", "at least 1"),
        ("INTERNAL_NOTIFICATIONS_RETENTION", "0d", "at least 1"),
        ("INTERNAL_NOTIFICATIONS_RETENTION", "365", "365d"),
        ("INTERNAL_NOTIFICATIONS_RETENTION", "-1d", "365d"),
        ("INTERNAL_NOTIFICATIONS_RETENTION", "1.5d", "365d"),
        ("INTERNAL_NOTIFICATIONS_RETENTION", "+1d", "365d"),
        ("INTERNAL_NOTIFICATIONS_RETENTION", "1 d", "365d"),
        ("INTERNAL_NOTIFICATIONS_RETENTION", "d", "365d"),
        ("INTERNAL_NOTIFICATIONS_RETENTION", "999999999999999d", "365d"),
        ("INTERNAL_NOTIFICATIONS_LOG_RETENTION", "unlimited", "forever"),
        ("INTERNAL_NOTIFICATIONS_RETENTION_COUNT", "forever", "unlimited"),
        ("INTERNAL_NOTIFICATIONS_RETENTION_COUNT", "0", "at least 1"),
        ("INTERNAL_NOTIFICATIONS_LOG_COUNT", "18446744073709551616", "at least 1"),
        ("INTERNAL_NOTIFICATIONS_SWEEP_SECONDS", "0", "at least 1"),
        ("INTERNAL_NOTIFICATIONS_BUFFERED_BYTES", "2097151", "at least 2097152"),
        ("INTERNAL_NOTIFICATIONS_BUFFERED_BYTES", "64MiB", "a number of bytes"),
        ("INTERNAL_NOTIFICATIONS_SHUTDOWN_SECONDS", "0", "at least 1"),
        ("INTERNAL_NOTIFICATIONS_CONFIRM_CLOCK", "yes", "2027-01-04T09:00:00Z"),
        ("INTERNAL_NOTIFICATIONS_CONFIRM_CLOCK", "2027-01-04T09:00:00", "2027-01-04T09:00:00Z"),
        ("INTERNAL_NOTIFICATIONS_JWT_SECRET", "short", "32"),
        ("INTERNAL_NOTIFICATIONS_JWT_PUBLIC_KEY_FILE", "/nowhere/key.pem", "/nowhere/key.pem"),
        ("INTERNAL_NOTIFICATIONS_API_KEYS", "shop", "NAME:KEY"),
        ("INTERNAL_NOTIFICATIONS_API_KEYS", "shop:short", "32"),
        ("PUSHER_PORT", "0", "1 to 65535"),
        ("PUSHER_SCHEME", "wss", "`https` or `http`"),
        ("PUSHER_APP_ID", "a/b", "letters"),
    ] {
        let text = refused(&[(name, value)]);
        assert!(text.starts_with(&format!("{name}: ")) && text.contains(allowed), "{text}");
        assert!(!text.contains("root:pass") && !text.contains("short"), "{text}");
    }
}

#[test]
fn a_cluster_or_a_host_selects_the_engine_and_requires_the_app() {
    let app = [("PUSHER_APP_ID", "1"), ("PUSHER_APP_KEY", "k"), ("PUSHER_APP_SECRET", "hush")];
    let with = |more: &[(&'static str, &'static str)]| read(&[&app, more].concat());
    let endpoint = |config: Config| match config.realtime {
        RealtimeConfig::Engine(engine) => engine.endpoint,
        RealtimeConfig::Embedded(_) => panic!("an engine was named"),
    };
    let cluster = with(&[("PUSHER_APP_CLUSTER", "eu")]).expect("complete");
    assert_eq!(endpoint(cluster), EngineEndpoint::Cluster("eu".into()));
    let host =
        with(&[("PUSHER_APP_CLUSTER", "mt1"), ("PUSHER_HOST", "ws.example"), ("PUSHER_SCHEME", "http")]);
    let expected = ClientEndpoint { host: "ws.example".into(), port: 80, scheme: Scheme::Http };
    assert_eq!(endpoint(host.expect("complete")), EngineEndpoint::Host(expected));
    let embedded = with(&[("PUSHER_APP_CLUSTER", "eu"), ("INTERNAL_NOTIFICATIONS_REALTIME", "embedded")]);
    assert!(matches!(embedded.expect("complete").realtime, RealtimeConfig::Embedded(_)));

    for (name, value) in [
        ("INTERNAL_NOTIFICATIONS_BROKER_ORIGINS", "https://app.example"),
        ("INTERNAL_NOTIFICATIONS_TRUSTED_PROXIES", "10.0.0.7"),
        ("INTERNAL_NOTIFICATIONS_WEBHOOKS", r#"["https://a.example/"]"#),
    ] {
        let error = with(&[("PUSHER_HOST", "ws.example"), (name, value)]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{name}: applies only to the embedded broker")), "{error}");
        assert!(with(&[(name, value)]).is_ok() && with(&[("PUSHER_HOST", "ws.example"), (name, "")]).is_ok());
    }

    assert!(refused(&[("INTERNAL_NOTIFICATIONS_REALTIME", "pusher")]).starts_with("PUSHER_APP_CLUSTER"));
    for missing in ["PUSHER_APP_ID", "PUSHER_APP_KEY", "PUSHER_APP_SECRET"] {
        let rest = app.iter().copied().filter(|(name, _)| *name != missing);
        let variables: Vec<_> = rest.chain([("PUSHER_APP_CLUSTER", "eu")]).collect();
        assert!(refused(&variables).starts_with(missing), "{missing}");
    }
}

#[test]
fn clients_reach_the_engine_where_the_server_does_unless_configured() {
    let engine = [
        ("PUSHER_APP_ID", "1"),
        ("PUSHER_APP_KEY", "k"),
        ("PUSHER_APP_SECRET", "hush"),
        ("PUSHER_HOST", "reverb"),
        ("PUSHER_PORT", "8080"),
        ("PUSHER_SCHEME", "http"),
    ];
    let client = |variables: &[(&str, &str)]| match read(variables).expect("complete").realtime {
        RealtimeConfig::Engine(engine) => engine.client,
        RealtimeConfig::Embedded(embedded) => embedded.client,
    };
    let client_of = |more: &[(&'static str, &'static str)]| client(&[&engine, more].concat());
    let at = |host: &str, port, scheme| Some(ClientEndpoint { host: host.into(), port, scheme });
    assert_eq!(client_of(&[]), None);
    let host = ("PUSHER_CLIENT_HOST", "ws.example");
    assert_eq!(client_of(&[host]), at("ws.example", 8080, Scheme::Http));
    let port = ("PUSHER_CLIENT_PORT", "9000");
    assert_eq!(client_of(&[port]), at("reverb", 9000, Scheme::Http));
    let scheme = ("PUSHER_CLIENT_SCHEME", "https");
    assert_eq!(client_of(&[host, port, scheme]), at("ws.example", 9000, Scheme::Https));
    assert_eq!(client_of(&[scheme]), at("reverb", 8080, Scheme::Https));
    assert_eq!(client(&[host]), at("ws.example", 443, Scheme::Https), "the embedded broker's");
    assert_eq!(client(&[host, ("PUSHER_CLIENT_SCHEME", "http")]), at("ws.example", 80, Scheme::Http));
    let cluster = ("PUSHER_APP_CLUSTER", "eu");
    for (name, value) in [port, scheme] {
        for engine in [&[][..], &[engine[0], engine[1], engine[2], cluster]] {
            let text = refused(&[engine, &[(name, value)]].concat());
            assert!(text.starts_with(&format!("{name}: ")) && text.contains("PUSHER_CLIENT_HOST"), "{text}");
        }
    }
}

#[test]
fn a_host_has_no_port_and_only_ipv6_addresses_have_colons() {
    for name in ["PUSHER_HOST", "PUSHER_CLIENT_HOST"] {
        let variables = |host| {
            [("PUSHER_APP_ID", "1"), ("PUSHER_APP_KEY", "k"), ("PUSHER_APP_SECRET", "s"), (name, host)]
        };
        for host in
            ["reverb:8080", "127.0.0.1:80", "[::1]:80", "[reverb]", "https://reverb", "a@b", "a b", ":"]
        {
            assert!(refused(&variables(host)).starts_with(&format!("{name}: ")), "{host}");
        }
        for host in ["reverb", "ws.example", "127.0.0.1", "::1", "[::1]"] {
            assert!(read(&variables(host)).is_ok(), "{host}");
        }
    }
}

#[test]
fn beyond_loopback_authentication_is_required() {
    let open = ("INTERNAL_NOTIFICATIONS_LISTEN", "0.0.0.0:8080");
    assert!(refused(&[open]).contains("INTERNAL_NOTIFICATIONS_JWT_SECRET"));
    assert!(refused(&[("INTERNAL_NOTIFICATIONS_LISTEN", "[::]:1")]).contains("127.0.0.1"));
    let keys = format!("shop:{KEY}");
    assert!(read(&[open, ("INTERNAL_NOTIFICATIONS_API_KEYS", &keys)]).is_ok());
    assert!(read(&[open, ("INTERNAL_NOTIFICATIONS_JWT_SECRET", KEY)]).is_ok());
    assert!(read(&[("INTERNAL_NOTIFICATIONS_LISTEN", "[::1]:0")]).is_ok());
    assert!(read(&[("INTERNAL_NOTIFICATIONS_LISTEN", "[::ffff:127.0.0.1]:0")]).is_ok());
}

#[test]
fn the_memory_for_bodies_and_the_time_of_a_shutdown_can_be_set() {
    let limits = read(&[]).expect("the defaults are good").limits;
    assert_eq!(limits, crate::Limits::default());
    let limits = read(&[
        ("INTERNAL_NOTIFICATIONS_BUFFERED_BYTES", "2097152"),
        ("INTERNAL_NOTIFICATIONS_SHUTDOWN_SECONDS", "18446744073709551615"),
    ]);
    let limits = limits.expect("both are allowed").limits;
    assert_eq!(
        (limits.buffered_bytes, limits.shutdown_timeout),
        (2 * 1024 * 1024, Duration::from_secs(u64::MAX))
    );
}

#[test]
fn retention_has_an_age_and_a_count_and_can_be_disabled() {
    let kept = read(&[]).expect("the defaults are good");
    assert_eq!((kept.retention, kept.sweep_interval), (Retention::default(), Duration::from_secs(60)));
    let kept = read(&[
        ("INTERNAL_NOTIFICATIONS_RETENTION", "90d"),
        ("INTERNAL_NOTIFICATIONS_RETENTION_COUNT", "500"),
        ("INTERNAL_NOTIFICATIONS_LOG_RETENTION", "12h"),
        ("INTERNAL_NOTIFICATIONS_LOG_COUNT", "7"),
        ("INTERNAL_NOTIFICATIONS_SWEEP_SECONDS", "5"),
    ])
    .expect("complete");
    let hours = |hours: u64| Some(Duration::from_secs(hours * 3600));
    assert_eq!((kept.retention.age, kept.retention.count), (hours(90 * 24), Some(500)));
    assert_eq!((kept.retention.log_age, kept.retention.log_count), (hours(12), Some(7)));
    assert_eq!(kept.sweep_interval, Duration::from_secs(5));
    let minutes = read(&[("INTERNAL_NOTIFICATIONS_RETENTION", "30m")]).expect("a unit");
    assert_eq!(minutes.retention.age, Some(Duration::from_secs(1800)));
    let off = read(&[
        ("INTERNAL_NOTIFICATIONS_RETENTION", "forever"),
        ("INTERNAL_NOTIFICATIONS_RETENTION_COUNT", "unlimited"),
        ("INTERNAL_NOTIFICATIONS_LOG_RETENTION", "forever"),
        ("INTERNAL_NOTIFICATIONS_LOG_COUNT", "unlimited"),
    ])
    .expect("switched off")
    .retention;
    assert_eq!((off.age, off.count, off.log_age, off.log_count), (None, None, None, None));
}

#[test]
fn a_secret_and_a_public_key_together_are_refused() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/ES256.pub");
    let key_file = ("INTERNAL_NOTIFICATIONS_JWT_PUBLIC_KEY_FILE", file);
    assert!(matches!(read(&[key_file]).expect("a key").auth.jwt, Some(JwtKey::Public(_))));
    assert!(refused(&[key_file, ("INTERNAL_NOTIFICATIONS_JWT_SECRET", KEY)]).contains("not both"));
}

#[cfg(unix)]
#[test]
fn a_file_too_large_for_a_key_is_not_read() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    // A hole, and more than there is memory for.
    file.as_file().set_len(1 << 42).expect("a hole");
    let path = file.path().to_str().expect("text");
    assert!(refused(&[("INTERNAL_NOTIFICATIONS_JWT_PUBLIC_KEY_FILE", path)]).contains("too large for a key"));
}

#[test]
fn api_keys_have_different_names_and_keys() {
    let read_keys =
        |keys: &str| read(&[("INTERNAL_NOTIFICATIONS_API_KEYS", keys)]).map(|config| config.auth.api_keys);
    let two = read_keys(&format!("shop:{KEY}, mail:{KEY}:2,")).expect("two keys");
    let names: Vec<&str> = two.iter().map(|key| key.name.as_str()).collect();
    assert_eq!((names, two[1].key.as_str()), (vec!["shop", "mail"], &*format!("{KEY}:2")));
    for wrong in [
        format!("shop:{KEY},shop:{KEY}2"),
        format!("shop:{KEY},mail:{KEY}"),
        format!(":{KEY}"),
        format!("a\tb:{KEY}"),
        format!("shop:{KEY} x"),
    ] {
        let text = read_keys(&wrong).expect_err(&wrong).to_string();
        assert!(!text.contains(KEY), "{text}");
    }
}

#[test]
fn a_configuration_built_in_code_has_the_same_bounds() {
    let key = |name| ApiKey::new(name, KEY).expect("long");
    let mut no_memory = crate::Limits::default();
    no_memory.buffered_bytes = no_memory.body_bytes - 1;
    let same_key = AuthConfig::new().with_api_key(key("shop")).with_api_key(key("mail"));
    for (config, variable) in [
        (Config::new().with_auth(same_key), "INTERNAL_NOTIFICATIONS_API_KEYS"),
        (Config::new().with_position_check_seconds(0), "INTERNAL_NOTIFICATIONS_POSITION_CHECK_SECONDS"),
        (Config::new().with_sweep_interval(Duration::ZERO), "INTERNAL_NOTIFICATIONS_SWEEP_SECONDS"),
        (
            Config::new().with_sweep_interval(Duration::from_millis(999)),
            "INTERNAL_NOTIFICATIONS_SWEEP_SECONDS",
        ),
        (Config::new().with_limits(no_memory), "INTERNAL_NOTIFICATIONS_BUFFERED_BYTES"),
    ] {
        assert_eq!(config.check().expect_err(variable).variable(), variable);
    }
    let most = Config::new().with_position_check_seconds(u64::MAX).with_sweep_interval(Duration::MAX);
    assert!(most.check().is_ok());
}

#[test]
fn the_variables_are_exactly_those_that_are_read() {
    let read = std::cell::RefCell::new(std::collections::BTreeSet::new());
    Config::from_env(|name| {
        read.borrow_mut().insert(name.to_owned());
        None
    })
    .expect("the defaults are valid");
    let listed: std::collections::BTreeSet<_> =
        variables().iter().map(|known| known.name.to_owned()).collect();
    assert_eq!(read.into_inner(), listed);
    assert_eq!(listed.len(), variables().len(), "each is listed once");
    assert_eq!(unknown_names(listed), [""; 0], "every variable is known to the project");
}

#[test]
fn a_default_has_the_same_effect_as_an_unset_variable() {
    let unset = format!("{:?}", read(&[]).expect("the defaults are valid"));
    for Variable { name, default, .. } in variables() {
        let Some(default) = default else { continue };
        assert_eq!(format!("{:?}", read(&[(name, default)]).expect(name)), unset, "{name}");
    }
}

#[test]
fn the_readme_has_a_row_for_each_variable() {
    let row = |known: &Variable| {
        let default = known.default.map_or("–".to_owned(), |default| format!("`{default}`"));
        let Variable { name, method, allowed, purpose, .. } = known;
        format!("| `{name}` | `{method}` | {default} | {allowed} | {purpose} |\n")
    };
    let table: String = variables().iter().map(row).collect();
    assert!(include_str!("../../README.md").contains(&table), "copy this into the README:\n{table}");
}

#[test]
fn misspelled_names_are_warned_about() {
    let names = [
        "INTERNAL_NOTIFICATIONS_LISTEN",
        "INTERNAL_NOTIFICATIONS_USER_ID",
        "PATH",
        "INTERNAL_NOTIFICATIONS_LISTNE",
    ];
    let warnings = unknown_names(names);
    assert!(
        matches!(&*warnings, [warning] if warning.contains("INTERNAL_NOTIFICATIONS_LISTNE")),
        "{warnings:?}"
    );
}

#[test]
fn debug_output_contains_no_secret() {
    let keys = format!("shop:{KEY}-api");
    let embedded = read(&[
        ("INTERNAL_NOTIFICATIONS_JWT_SECRET", KEY),
        ("INTERNAL_NOTIFICATIONS_API_KEYS", &keys),
        ("PUSHER_APP_SECRET", "thirty-app"),
    ]);
    let engine = read(&[
        ("PUSHER_APP_ID", "1"),
        ("PUSHER_APP_KEY", "k"),
        ("PUSHER_APP_SECRET", "thirty-app"),
        ("PUSHER_HOST", "ws.example"),
    ]);
    for config in [embedded, engine] {
        let shown = format!("{:?}", config.expect("complete"));
        assert!(!shown.contains("thirty"), "{shown}");
    }
}
