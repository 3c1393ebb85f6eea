//! A minimal server without queues, signatures or limits. One slow subscriber delays all others.

use std::cell::RefCell;
use std::collections::HashMap;
use std::process::ExitCode;
use std::rc::Rc;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::process::address;

type Channels = Rc<RefCell<HashMap<String, Vec<Rc<OwnedWriteHalf>>>>>;

pub(crate) fn run() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let channels = Channels::default();
        let listener = TcpListener::bind(address()).await.unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::task::spawn_local(serve(stream, channels.clone()));
        }
    })
}

async fn serve(stream: TcpStream, channels: Channels) -> Option<()> {
    let (mut reader, writer) = stream.into_split();
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            read_more(&mut reader, &mut buffer).await?;
        };
        let head = String::from_utf8(buffer.drain(..end).collect()).unwrap();
        let header = |wanted: &str| {
            let mut headers = head.lines().filter_map(|line| line.split_once(": "));
            headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
        };
        if let Some(key) = header("sec-websocket-key") {
            let accept = derive_accept_key(key.as_bytes());
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                 sec-websocket-accept: {accept}\r\n\r\n"
            );
            write(&writer, answer.as_bytes()).await;
            return handle_subscriptions(reader, Rc::new(writer), buffer, channels).await;
        }
        let length = header("content-length").unwrap().parse().unwrap();
        while buffer.len() < length {
            read_more(&mut reader, &mut buffer).await?;
        }
        let body: Vec<u8> = buffer.drain(..length).collect();
        publish(&serde_json::from_slice(&body).unwrap(), &channels).await;
        write(&writer, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    }
}

/// Handles subscriptions. Their frames are short.
async fn handle_subscriptions(
    mut reader: OwnedReadHalf,
    writer: Rc<OwnedWriteHalf>,
    mut buffer: Vec<u8>,
    channels: Channels,
) -> Option<()> {
    let established = json!({"socket_id": "1.1", "activity_timeout": 120}).to_string();
    let established = json!({"event": "pusher:connection_established", "data": established});
    write(&writer, &frame(&established.to_string())).await;
    loop {
        let (length, start) = match buffer.get(1).map(|length| usize::from(length & 0x7f)) {
            Some(126) if buffer.len() >= 4 => (usize::from(buffer[2]) << 8 | usize::from(buffer[3]), 4),
            Some(length) if length < 126 => (length, 2),
            _ => (usize::MAX - 8, 0),
        };
        if buffer.len() < start + 4 + length {
            read_more(&mut reader, &mut buffer).await?;
            continue;
        }
        let bytes: Vec<u8> = buffer.drain(..start + 4 + length).skip(start).collect();
        let (mask, text) = bytes.split_at(4);
        let text: Vec<u8> = text.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        let Ok(request) = serde_json::from_slice::<Value>(&text) else { return None };
        let channel = request["data"]["channel"].as_str().unwrap();
        channels.borrow_mut().entry(channel.to_owned()).or_default().push(writer.clone());
        let succeeded =
            json!({"event": "pusher_internal:subscription_succeeded", "channel": channel, "data": "{}"});
        write(&writer, &frame(&succeeded.to_string())).await;
    }
}

async fn publish(body: &Value, channels: &Channels) {
    for event in body["batch"].as_array().map_or(std::slice::from_ref(body), Vec::as_slice) {
        let channel = &event["channel"];
        let text = json!({"event": event["name"], "channel": channel, "data": event["data"]}).to_string();
        let frame = frame(&text);
        let subscribers = channels.borrow().get(channel.as_str().unwrap()).cloned().unwrap_or_default();
        for subscriber in subscribers {
            write(&subscriber, &frame).await;
        }
    }
}

/// Encodes a server's text frame.
fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        length @ 0..126 => frame.push(length as u8),
        length => frame.extend([126, (length >> 8) as u8, length as u8]),
    }
    frame.extend_from_slice(text.as_bytes());
    frame
}

async fn read_more(reader: &mut OwnedReadHalf, buffer: &mut Vec<u8>) -> Option<()> {
    buffer.reserve(512);
    reader.read_buf(buffer).await.ok().filter(|read| *read > 0).map(drop)
}

async fn write(writer: &OwnedWriteHalf, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match writer.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(_) if writer.writable().await.is_ok() => {}
            Err(_) => return,
        }
    }
}
