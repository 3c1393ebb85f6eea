use pusher_signer::{AuthRequest, ErrorKind};

fn parse(body: &str) -> Result<(String, Option<String>), String> {
    AuthRequest::parse(body.as_bytes())
        .map(|request| (request.socket_id.to_string(), request.channel.map(|channel| channel.to_string())))
        .map_err(|error| {
            assert_eq!(error.kind(), ErrorKind::AuthRequest);
            error.to_string()
        })
}

#[test]
fn forms_and_json_are_read() {
    let both = Ok(("1.2".to_owned(), Some("private-ada@x".to_owned())));
    for body in [
        "socket_id=1.2&channel_name=private-ada%40x",
        "channelName=private-ada%40x&socketId=1.2&other=%FF",
        r#"{"socket_id":"1.2","channel_name":"private-ada@x"}"#,
        r#" {"socketId":"1.2","channelName":"private-ada@x","other":[1]}"#,
    ] {
        assert_eq!(parse(body), both, "{body}");
    }
    for body in [
        "socket_id=1.2",
        "socket_id=1.2&channel_name=",
        r#"{"socket_id":"1.2"}"#,
        r#"{"socket_id":"1.2","channel_name":null}"#,
    ] {
        assert_eq!(parse(body), Ok(("1.2".to_owned(), None)), "{body}");
    }
}

#[test]
fn anything_else_is_refused_without_being_repeated() {
    for body in [
        "",
        "{",
        "[]",
        "{}",
        "null",
        r#"["1.2","private-s3cret"]"#,
        r#"{"socket_id":1.2,"channel_name":"private-s3cret"}"#,
        r#"{"socket_id":"1.2","socketId":"1.3","channel_name":"private-s3cret"}"#,
        r#"{"socket_id":"1.2","channel_name":["private-s3cret"]}"#,
        r#"{"socket_id":"1.2","channel_name":"private-s3cret"} x"#,
        "socket_id=",
        "channel_name=private-s3cret",
        "socket_id=1.2&socket_id=1.2&channel_name=private-s3cret",
        "socket_id=1.2&channel_name=private-s3cret&channelName=private-ada",
        "socket_id=1.2:private-s3cret",
        "socket_id=1.2&channel_name=private-s3cret%0A",
        "socket_id=1.2&channel_name=private-%FFs3cret",
        "socket_id=1.2&channel_name=private s3cret",
    ] {
        let error = parse(body).unwrap_err();
        assert!(!error.contains("s3cret") && !error.is_empty(), "{body}: {error}");
    }
}
