//! Frames of a hostile server, sent to the Channels client.

mod server;
mod signed_in;
mod subscribed;

use std::sync::Arc;
use std::time::Duration;

use pusher_client::{Client, ConnectionState, EncryptionMasterKey, Signer, SigningAuthorizer};
use tokio::time::timeout;

use crate::runtime;
use server::{Connections, Server};
use signed_in::SignedIn;
use subscribed::Subscribed;

/// The only text ever sealed with the key of the encrypted channel. No input can contain another
/// one.
pub const SEALED: &str = "sealed";

/// The channels that the client subscribes to.
const CHANNELS: [&str; 6] =
    ["news", "private-ada", "presence-room", "private-encrypted-ada", "cache-news", "presence-cache-room"];

/// Longer than any timeout of the client.
const LONG: Duration = Duration::from_secs(3_600);

/// Plays the input after the handshake, one step per line: `wait SECONDS` lets time pass, `cut` and
/// `close CODE` end the connection, `binary TEXT` sends a binary frame, and any other line is sent
/// as a text frame.
pub fn run(input: &[u8]) {
    let script = String::from_utf8_lossy(input);
    runtime::new().block_on(play(&script));
}

/// The app's signer, for seeds with valid signatures.
fn signer() -> Signer {
    let key = EncryptionMasterKey::new(*b"thirty-two bytes of a master key");
    Signer::new("app-key", "app-secret").with_encryption_master_key(key)
}

async fn play(script: &str) {
    let (connector, mut connections) = Connections::new();
    let ada = Arc::new(SigningAuthorizer::new(signer()).as_user("ada"));
    let builder = Client::builder("app-key").host("server.test").tls(false).connector(connector).seed(7);
    let builder = builder.authorizer(ada.clone()).user_authenticator(ada).queue_size(16);
    let client = builder.connect().unwrap();
    let mut subscribed = Vec::new();
    for channel in CHANNELS {
        subscribed.push(Subscribed::to(&client, channel).await);
    }
    let mut user = SignedIn::to(&client).await;
    let mut server = connections.accept().await;
    for line in script.lines() {
        if !server.is_connected() {
            server = reconnected(&client, &mut connections).await;
        }
        step(&mut server, line).await;
        runtime::settle().await;
        subscribed.iter_mut().for_each(Subscribed::check);
        user.check();
    }
    client.ping_now().await.expect("the client's task has ended");
    drop((subscribed, user, client));
    runtime::settle().await;
    assert!(!server.is_connected(), "the connection outlived the client");
}

async fn step(server: &mut Server, line: &str) {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "wait" => runtime::wait(rest).await,
        "cut" => server.cut(),
        "close" => server.close(rest.parse().unwrap_or(4200)).await,
        "binary" => server.binary(rest).await,
        _ => server.text(line).await,
    }
}

/// Returns the client's next connection. The client makes it by itself, unless it was refused for
/// good.
async fn reconnected(client: &Client, connections: &mut Connections) -> Server {
    runtime::settle().await;
    if let ConnectionState::Failed { .. } = client.state() {
        client.connect().await.expect("the client's task has ended");
    }
    timeout(LONG, connections.accept()).await.expect("the client does not reconnect")
}
