use std::io::Write;
use std::net::{TcpListener, TcpStream};

use pusher_client::protocol::{ProtocolEvent, SocketId};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use crate::event;

/// Frames that are written at once.
const TOGETHER: usize = 256;

/// Tells its port, then serves one subscriber: so many frames, as fast as they are taken.
pub(crate) fn run(frames: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let (stream, _) = listener.accept().unwrap();
    stream.set_nodelay(true).unwrap();
    let mut socket = tungstenite::accept(stream).unwrap();
    say(
        &mut socket,
        &ProtocolEvent::ConnectionEstablished {
            socket_id: &SocketId::from_parts(1, 1),
            activity_timeout: 120,
        },
    );
    let subscribe = socket.read().unwrap();
    assert!(subscribe.to_text().unwrap().contains("pusher:subscribe"), "{subscribe}");
    say(&mut socket, &ProtocolEvent::SubscriptionSucceeded { channel: &event::CHANNEL.parse().unwrap() });

    let prepared = frame(&event::text()).repeat(TOGETHER);
    let length = prepared.len() / TOGETHER;
    let mut left = frames;
    while left > 0 {
        let now = left.min(TOGETHER);
        socket.get_mut().write_all(&prepared[..now * length]).unwrap();
        left -= now;
    }
    // Until the subscriber goes.
    while socket.read().is_ok() {}
}

fn say(socket: &mut WebSocket<TcpStream>, frame: &ProtocolEvent<'_>) {
    socket.send(Message::text(frame.encode())).unwrap();
}

/// A server's frame of a text, final and not masked (RFC 6455, 5.2).
fn frame(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    assert!(length > 125, "shorter ones have a shorter head");
    let mut frame = vec![0x81, 126];
    frame.extend(length.to_be_bytes());
    frame.extend(text.as_bytes());
    frame
}
