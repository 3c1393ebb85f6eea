use pusher_signer::{ErrorKind, Signer};

#[test]
fn key_and_secret_are_read_from_a_url() {
    for (url, key, secret) in [
        ("https://key:secret@api-eu.pusher.com/apps/1", "key", "secret"),
        ("http://k%3Ay:s%40%2Ft@[::1]:6001/apps/app-id/", "k:y", "s@/t"),
        ("HTTPS://key:a:b@host/apps/1", "key", "a:b"),
    ] {
        let signer = Signer::from_url(url).unwrap();
        assert_eq!(signer.key(), key, "{url}");
        assert_eq!(signer.sign(b"x"), Signer::new(key, secret).sign(b"x"), "{url}");
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
