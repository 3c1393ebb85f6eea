//! The methods of `Config` that the table of variables names.

use super::*;

/// A variable and its value, the name of a method of [`Config`], and what the method makes of the
/// defaults.
type Twin = (&'static str, &'static str, &'static str, Config);

/// A [`Twin`], from a call of the method.
macro_rules! twin {
    ($variable:literal, $value:expr, $method:ident($argument:expr)) => {
        ($variable, $value, stringify!($method), read(&[]).unwrap().$method($argument))
    };
}

#[test]
fn the_method_of_each_variable_sets_the_same() {
    let mut tried: Vec<&str> = Vec::new();
    for (name, value, method, by_method) in plain_twins().into_iter().chain(auth_twins()).chain(limit_twins())
    {
        let known = variables().iter().find(|known| known.name == name).expect(name);
        assert_eq!(known.method, method, "{name}");
        let by_variable = read(&[(name, value)]).expect(name);
        assert_eq!(format!("{by_variable:?}"), format!("{by_method:?}"), "{name}");
        assert_ne!(format!("{by_variable:?}"), format!("{:?}", read(&[]).unwrap()), "{name} changes nothing");
        tried.push(name);
    }
    // These make one setting together.
    let engine = [
        ("INTERNAL_NOTIFICATIONS_REALTIME", "pusher"),
        ("PUSHER_APP_ID", "1"),
        ("PUSHER_APP_KEY", "key"),
        ("PUSHER_APP_SECRET", "secret"),
        ("PUSHER_HOST", "engine"),
        ("PUSHER_PORT", "6001"),
        ("PUSHER_SCHEME", "http"),
        ("PUSHER_CLIENT_HOST", "ws.example.com"),
        ("PUSHER_CLIENT_PORT", "444"),
        ("PUSHER_CLIENT_SCHEME", "https"),
    ];
    let host = ClientEndpoint::new("engine").with_port(6001).with_scheme(Scheme::Http);
    let signer = pusher_signer::Signer::new("key", "secret");
    let client = ClientEndpoint::new("ws.example.com").with_port(444);
    let by_method = EngineConfig::new("1", signer, EngineEndpoint::Host(host)).with_client(client);
    let by_method = read(&[]).unwrap().with_realtime(by_method);
    assert_eq!(format!("{:?}", read(&engine).unwrap()), format!("{by_method:?}"));
    tried.extend(engine.map(|(name, _)| name).into_iter().chain(["PUSHER_APP_CLUSTER"]));

    let realtime = [
        "INTERNAL_NOTIFICATIONS_REALTIME",
        "INTERNAL_NOTIFICATIONS_WEBHOOKS",
        "INTERNAL_NOTIFICATIONS_BROKER_ORIGINS",
        "INTERNAL_NOTIFICATIONS_TRUSTED_PROXIES",
    ];
    for known in variables() {
        let is_realtime = known.name.starts_with("PUSHER_") || realtime.contains(&known.name);
        assert_eq!(known.method == "with_realtime", is_realtime, "{}", known.name);
        assert!(tried.contains(&known.name), "add {} here", known.name);
    }
}

fn plain_twins() -> Vec<Twin> {
    let url = "sqlite://shop.db";
    let webhook = WebhookConfig::list(r#"["https://a.example/"]"#).unwrap().remove(0);
    let authorities = concat!(env!("CARGO_MANIFEST_DIR"), "/../../channels/client/tests/tls/ca.pem");
    let roots = pusher_client::Roots::platform().with_pem_file(authorities).unwrap();
    vec![
        twin!("INTERNAL_NOTIFICATIONS_CA_FILE", authorities, with_roots(roots)),
        twin!("INTERNAL_NOTIFICATIONS_LISTEN", "127.0.0.1:9", with_listen("127.0.0.1:9".parse().unwrap())),
        twin!("INTERNAL_NOTIFICATIONS_DATABASE_URL", url, with_database(url.parse().unwrap())),
        twin!("INTERNAL_NOTIFICATIONS_OUTBOX_URLS", url, with_outbox(url.parse().unwrap())),
        twin!(
            "INTERNAL_NOTIFICATIONS_ALLOWED_HOSTS",
            "a.example",
            with_allowed_hosts(AllowedHosts::Only(vec!["a.example".to_owned()]))
        ),
        twin!(
            "INTERNAL_NOTIFICATIONS_CORS_ORIGINS",
            "https://a.example",
            with_cors_origin(Origin::new("https://a.example").unwrap())
        ),
        twin!(
            "INTERNAL_NOTIFICATIONS_WEBHOOKS",
            r#"["https://a.example/"]"#,
            with_realtime(EmbeddedConfig::new().with_webhook(webhook))
        ),
        twin!(
            "INTERNAL_NOTIFICATIONS_BROKER_ORIGINS",
            "*.a.example",
            with_realtime(EmbeddedConfig::new().with_allowed_origin("*.a.example".parse().unwrap()))
        ),
        twin!(
            "INTERNAL_NOTIFICATIONS_TRUSTED_PROXIES",
            "10.0.0.7",
            with_realtime(EmbeddedConfig::new().with_trusted_proxy("10.0.0.7".parse().unwrap()))
        ),
        twin!(
            "INTERNAL_NOTIFICATIONS_CHANNEL_PREFIX",
            "private-app-",
            with_channel_prefix(ChannelPrefix::new("private-app-").unwrap())
        ),
        twin!("INTERNAL_NOTIFICATIONS_POSITION_CHECK_SECONDS", "7", with_position_check_seconds(7)),
        twin!("INTERNAL_NOTIFICATIONS_SWEEP_SECONDS", "7", with_sweep_interval(Duration::from_secs(7))),
        twin!(
            "INTERNAL_NOTIFICATIONS_CONFIRM_CLOCK",
            "2027-01-04T09:00:00Z",
            with_confirm_clock("2027-01-04T09:00:00Z".parse().unwrap())
        ),
    ]
}

fn auth_twins() -> Vec<Twin> {
    let auth = AuthConfig::new;
    let claims = RequiredClaims::new;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/ES256.pub");
    let public = PublicKey::from_pem(include_bytes!("../../../tests/keys/ES256.pub")).unwrap();
    vec![
        twin!(
            "INTERNAL_NOTIFICATIONS_JWT_SECRET",
            KEY,
            with_auth(auth().with_jwt(JwtKey::secret(KEY).unwrap()))
        ),
        twin!(
            "INTERNAL_NOTIFICATIONS_JWT_PUBLIC_KEY_FILE",
            file,
            with_auth(auth().with_jwt(JwtKey::Public(public)))
        ),
        twin!(
            "INTERNAL_NOTIFICATIONS_JWT_ISSUER",
            "i",
            with_auth(auth().with_claims(claims().with_issuer("i")))
        ),
        twin!(
            "INTERNAL_NOTIFICATIONS_JWT_AUDIENCE",
            "a",
            with_auth(auth().with_claims(claims().with_audience("a")))
        ),
        twin!(
            "INTERNAL_NOTIFICATIONS_API_KEYS",
            "shop:a-secret-of-thirty-two-bytes-or-so",
            with_auth(auth().with_api_key(ApiKey::new("shop", KEY).unwrap()))
        ),
    ]
}

fn limit_twins() -> Vec<Twin> {
    let (kept, seven) = (Retention::default, Duration::from_secs(7));
    let limits = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    };
    vec![
        twin!("INTERNAL_NOTIFICATIONS_RETENTION", "7s", with_retention(kept().with_age(Some(seven)))),
        twin!("INTERNAL_NOTIFICATIONS_RETENTION_COUNT", "7", with_retention(kept().with_count(Some(7)))),
        twin!("INTERNAL_NOTIFICATIONS_LOG_RETENTION", "7s", with_retention(kept().with_log_age(Some(seven)))),
        twin!("INTERNAL_NOTIFICATIONS_LOG_COUNT", "7", with_retention(kept().with_log_count(Some(7)))),
        twin!(
            "INTERNAL_NOTIFICATIONS_BROKER_LIMITS",
            "connections=7",
            with_limits(limits(|limits| limits.broker.connections = 7))
        ),
        twin!(
            "INTERNAL_NOTIFICATIONS_BUFFERED_BYTES",
            "7654321",
            with_limits(limits(|limits| limits.buffered_bytes = 7_654_321))
        ),
        twin!(
            "INTERNAL_NOTIFICATIONS_SHUTDOWN_SECONDS",
            "7",
            with_limits(limits(|limits| limits.shutdown_timeout = Duration::from_secs(7)))
        ),
    ]
}
