use crate::command_runner::run;

#[test]
fn every_command_has_help() {
    let commands = [
        "",
        "serve",
        "demo",
        "push",
        "tail",
        "retract",
        "open",
        "token",
        "broker",
        "backup",
        "sign",
        "sign channel",
        "sign user",
    ];
    for command in commands {
        let mut args: Vec<&str> = command.split_whitespace().collect();
        args.push("--help");
        let ran = run(&args, &[]);
        assert!(ran.ok().contains("Usage: internal-notifications"), "{command}: {}", ran.stdout);
        assert!(ran.stdout.contains("--env-file"), "{command}");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    assert_eq!(run(&["--version"], &[]).ok(), concat!("internal-notifications ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_prints_one_line_and_exits_with_2() {
    for args in [
        &["frobnicate"][..],
        &[],
        &["sign"],
        &["tail"],
        &["tail", "--user", "not a user"],
        &["push", "no recipient"],
        &["push", "--to", "ada"],
        &["push", "--to", "ada", "--payload", "{", "c"],
        &["push", "--to", "ada", "--button", "no-text", "c"],
        &["push", "--to", "ada", "--send-after", "tomorrow", "c"],
        &["push", "--to", "ada", "--expires-at", "soon", "c"],
        &["push", "--to", "ada", ""],
        &["retract"],
        &["retract", ""],
        &["open", "--user", "ada"],
        &["open", "--user", "ada", "--all", "id"],
        &["token", "--user", "ada", "--ttl", "1 fortnight"],
        &["serve", "--listen", "everywhere"],
        &["broker"],
        &["backup"],
        &["backup", "--database", "postgres://db/inbox", "copy.db"],
    ] {
        let ran = run(args, &[]);
        ran.error(2);
        assert_eq!(ran.stdout, "", "{args:?}");
    }
}

#[test]
fn an_unknown_variable_with_our_prefix_is_a_warning() {
    let env = [
        ("INTERNAL_NOTIFICATIONS_JWT_SECRETS", "a typing error"),
        ("PUSHER_APP_KEY", "key"),
        ("PUSHER_APP_SECRET", "secret"),
    ];
    let ran = run(&["sign", "channel", "--socket-id", "1.1", "--channel", "private-ada"], &env);
    ran.ok();
    assert!(ran.stderr.contains("INTERNAL_NOTIFICATIONS_JWT_SECRETS"), "{}", ran.stderr);
    ran.does_not_show("a typing error");
}
