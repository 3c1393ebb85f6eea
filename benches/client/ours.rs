use std::hint::black_box;
use std::time::Instant;

use pusher_client::{ChannelEvent, Client};

use crate::event::{CHANNEL, NAME, Notification};

/// Reads with the project's client as an app uses it.
pub(crate) async fn read(port: u16, frames: usize) -> f64 {
    let client = Client::builder("app-key").host("127.0.0.1").port(port).tls(false).connect().unwrap();
    client.connected().await.unwrap();
    let started = Instant::now();
    let mut subscription = client.subscribe(CHANNEL).await.unwrap();
    let mut read = 0;
    while read < frames {
        match subscription.next().await.unwrap() {
            ChannelEvent::Event(event) if event.name() == NAME => {
                black_box(event.json::<Notification>().unwrap());
                read += 1;
            }
            ChannelEvent::Subscribed => {}
            other => panic!("{other:?}"),
        }
    }
    started.elapsed().as_secs_f64()
}
