use pusher_signer::{ErrorKind, PusherUrl, Signer};

#[test]
fn app_key_secret_and_server_are_read_from_a_url() {
    for (url, key, secret, app_id, base_url) in [
        ("https://key:secret@api-eu.pusher.com/apps/1", "key", "secret", "1", "https://api-eu.pusher.com"),
        ("http://k%3Ay:s%40%2Ft@[::1]:6001/apps/a-b/", "k:y", "s@/t", "a-b", "http://[::1]:6001"),
        ("HTTPS://key:a:b@host:443/apps/1", "key", "a:b", "1", "https://host:443"),
        ("http://key:s@[::1]/apps/1", "key", "s", "1", "http://[::1]"),
    ] {
        let parsed: PusherUrl = url.parse().unwrap();
        for signer in [&parsed.signer, &Signer::from_url(url).unwrap()] {
            assert_eq!(signer.key(), key, "{url}");
            assert_eq!(signer.sign(b"x"), Signer::new(key, secret).sign(b"x"), "{url}");
        }
        assert_eq!((parsed.app_id.as_str(), parsed.base_url().as_str()), (app_id, base_url));
        assert!(!format!("{parsed:?}").contains("secret"), "{parsed:?}");
    }
}

#[test]
fn other_urls_are_refused_without_being_repeated() {
    for url in [
        "",
        "key:s3cret@host/apps/1",
        "ftp://key:s3cret@host/apps/1",
        "https://host/apps/1",
        "https://s3cret@host/apps/1",
        "https://:s3cret@host/apps/1",
        "https://key:@host/apps/s3cret",
        "https://key:s3cret@/apps/1",
        "https://key:s3cret@:80/apps/1",
        "https://key:s3cret@a:b:80/apps/1",
        "https://key:s3cret@a b/apps/1",
        "https://key:s3cret@[x]/apps/1",
        "https://key:s3cret@host:/apps/1",
        "https://key:s3cret@host:0/apps/1",
        "https://key:s3cret@host:65536/apps/1",
        "https://key:s3cret@host?x/apps/1",
        "https://key:s3cret@host",
        "https://key:s3cret@host/apps/",
        "https://key:s3cret@host/apps/1/events",
        "https://key:s3cret@host/apps/1?x",
        "https://key:%FFs3cret@host/apps/1",
    ] {
        let error = Signer::from_url(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Url, "{url}");
        assert!(!error.to_string().contains("s3cret"), "{url}");
    }
}
