use serde_json::{Value, json};

use crate::command_runner::{Finished, env_file, run};

/// The example app of Pusher's documentation ("auth signatures").
const KEY: &str = "278d425bdf160c739803";
const SECRET: &str = "7ad3773142a6692b25b8";

fn sign(args: &[&str]) -> Finished {
    let ran = run(&[&["sign"], args].concat(), &[("PUSHER_APP_KEY", KEY), ("PUSHER_APP_SECRET", SECRET)]);
    ran.does_not_show(SECRET);
    ran
}

fn json_of(ran: &Finished) -> Value {
    serde_json::from_str(ran.ok()).unwrap()
}

#[test]
fn a_private_channel_gets_the_published_signature() {
    let ran = sign(&["channel", "--socket-id", "1234.1234", "--channel", "private-foobar"]);
    let auth = format!("{KEY}:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4");
    assert_eq!(json_of(&ran), json!({"auth": auth}));
}

#[test]
fn a_presence_channel_gets_the_published_signature_and_its_data_as_written() {
    let data = r#"{"user_id":10,"user_info":{"name":"Mr. Pusher"}}"#;
    let args =
        ["channel", "--socket-id", "1234.1234", "--channel", "presence-foobar", "--channel-data", data];
    let auth = format!("{KEY}:afaed3695da2ffd16931f457e338e6c9f2921fa133ce7dac49f529792be6304c");
    assert_eq!(json_of(&sign(&args)), json!({"auth": auth, "channel_data": data}));
}

#[test]
fn a_user_gets_the_published_signature() {
    let data = r#"{"id":"12345"}"#;
    let ran = sign(&["user", "--socket-id", "1234.1234", "--user-data", data]);
    let auth = format!("{KEY}:4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba");
    assert_eq!(json_of(&ran), json!({"auth": auth, "user_data": data}));
}

#[test]
fn invalid_input_is_not_signed() {
    for args in [
        &["channel", "--socket-id", "1234", "--channel", "private-foobar"][..],
        &["channel", "--socket-id", "1.1:private-x", "--channel", "private-foobar"],
        &["channel", "--socket-id", "1.1", "--channel", "private foobar"],
        &["channel", "--socket-id", "1.1", "--channel", "public"],
        &["channel", "--socket-id", "1.1", "--channel", "presence-foobar"],
        &["channel", "--socket-id", "1.1", "--channel", "private-foobar", "--channel-data", "{}"],
        &["user", "--socket-id", "1.1", "--user-data", "{}"],
    ] {
        sign(args).error(2);
    }
}

#[test]
fn the_error_names_a_missing_variable() {
    let args = ["sign", "channel", "--socket-id", "1.1", "--channel", "private-ada"];
    assert!(run(&args, &[]).error(2).contains("PUSHER_APP_KEY"));
    assert!(run(&args, &[("PUSHER_APP_KEY", "key")]).error(2).contains("PUSHER_APP_SECRET"));
}

#[test]
fn an_env_file_is_read_and_the_environment_overrides_it() {
    let file = env_file(&format!("PUSHER_APP_KEY=another\nPUSHER_APP_SECRET=\"{SECRET}\" # of the docs\n"));
    let path = file.path().to_str().unwrap();
    let args =
        ["sign", "channel", "--socket-id", "1234.1234", "--channel", "private-foobar", "--env-file", path];
    let ran = run(&args, &[("PUSHER_APP_KEY", KEY)]);
    assert!(ran.ok().contains("58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"));
    let missing = run(&[&args[..7], &["/nowhere/.env"]].concat(), &[]);
    assert!(missing.error(2).contains("/nowhere/.env"));
}
