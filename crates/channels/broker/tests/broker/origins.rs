use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::*;

async fn open_from(broker: &pusher_broker::Broker, origin: Option<&str>) -> WebSocketStream<DuplexStream> {
    let mut request = format!("ws://broker{APP}").into_client_request().unwrap();
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    tokio_tungstenite::client_async(request, stream(broker)).await.unwrap().0
}

#[tokio::test]
async fn a_page_of_another_origin_gets_an_error_and_is_closed_with_4009() {
    let broker = builder()
        .allowed_origin("https://app.example".parse().unwrap())
        .allowed_origin("*.dev.example".parse().unwrap())
        .build();
    for allowed in [Some("https://app.example"), Some("http://a.dev.example:3000"), None] {
        establish(open_from(&broker, allowed).await).await;
    }
    for refused in ["https://evil.example", "http://app.example", "null", ""] {
        let mut ws = open_from(&broker, Some(refused)).await;
        let frame: Value =
            serde_json::from_str(&ws.next().await.unwrap().unwrap().into_text().unwrap()).unwrap();
        let error = json!({"code": 4009, "message": "Origin not allowed"});
        assert_eq!((&frame["event"], &frame["data"]), (&json!("pusher:error"), &error), "{refused}");
        assert_eq!(close_code(&mut ws).await, 4009, "{refused}");
    }
}

#[tokio::test]
async fn without_allowed_origins_every_page_may_connect() {
    establish(open_from(&broker(), Some("https://any.example")).await).await;
}
