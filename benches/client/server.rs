use std::io::Write;
use std::net::{TcpListener, TcpStream};

use pusher_client::protocol::{ProtocolEvent, SocketId};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use crate::event;

/// The number of frames in one write.
const BATCH: usize = 256;

/// Prints its port, then sends this many frames to one subscriber, as fast as it reads.
pub(crate) fn run(frames: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let (stream, _) = listener.accept().unwrap();
    stream.set_nodelay(true).unwrap();
    let mut socket = tungstenite::accept(stream).unwrap();
    send(
        &mut socket,
        &ProtocolEvent::ConnectionEstablished {
            socket_id: &SocketId::from_parts(1, 1),
            activity_timeout: 120,
        },
    );
    let subscribe = socket.read().unwrap();
    assert!(subscribe.to_text().unwrap().contains("pusher:subscribe"), "{subscribe}");
    send(&mut socket, &ProtocolEvent::SubscriptionSucceeded { channel: &event::CHANNEL.parse().unwrap() });

    let prepared = frame(&event::text()).repeat(BATCH);
    let length = prepared.len() / BATCH;
    let mut left = frames;
    while left > 0 {
        let now = left.min(BATCH);
        socket.get_mut().write_all(&prepared[..now * length]).unwrap();
        left -= now;
    }
    // Wait until the subscriber disconnects.
    while socket.read().is_ok() {}
}

fn send(socket: &mut WebSocket<TcpStream>, frame: &ProtocolEvent<'_>) {
    socket.send(Message::text(frame.encode())).unwrap();
}

/// Encodes a final, unmasked text frame (RFC 6455, section 5.2).
fn frame(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    assert!(length > 125, "a shorter text has a shorter header");
    let mut frame = vec![0x81, 126];
    frame.extend(length.to_be_bytes());
    frame.extend(text.as_bytes());
    frame
}
