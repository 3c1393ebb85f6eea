use std::process::ExitCode;

use axum::serve::ListenerExt;
use pusher_broker::Broker;
use tokio::net::TcpListener;

use crate::peers::{APP_ID, signer};
use crate::process::address;

/// Runs the broker as its README does.
pub(crate) fn run() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let broker = Broker::builder(APP_ID, signer()).client_events(true).build();
        let listener = TcpListener::bind(address()).await.unwrap();
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        axum::serve(listener, broker.router()).await.unwrap();
    });
    ExitCode::SUCCESS
}
