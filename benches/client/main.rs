//! Compares how fast the WebSocket client turns frames into events of an app's type with
//! tokio-tungstenite and serde_json alone, and with pusher-js under Node. The three take turns.
//!
//! `cargo bench -p benches --bench client`
//!
//! A server writes prepared frames on one core and the reader runs on the other, each in its own
//! process. pusher-js needs Node, and `npm ci` in tests/interop. To profile one reader, start the
//! program with `serve FRAMES`, which prints its port, and then with `ours PORT FRAMES` or `bare
//! PORT FRAMES`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for a terminal, with its own inputs"
)]

mod bare;
mod comparison;
mod event;
mod ours;
mod server;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<usize>().unwrap();
    match words[..] {
        ["serve", frames] => server::run(number(frames)),
        ["ours", port, frames] => read(ours::read(port.parse().unwrap(), number(frames))),
        ["bare", port, frames] => read(bare::read(port.parse().unwrap(), number(frames))),
        _ => comparison::run(words.contains(&"--bench")),
    }
}

/// Runs a reader on this thread alone, and prints how many seconds it took.
fn read(reader: impl Future<Output = f64>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("{}", runtime.block_on(reader));
}
