//! What the WebSocket client makes of frames as they come: events of a type of the app, in a subscriber's hands. Beside the same
//! read with tokio-tungstenite and serde_json alone, and beside pusher-js under Node. They take turns.
//!
//! `cargo bench -p benches --bench client`
//!
//! A bare loop writes prepared frames on one core, the reader runs on the other, each a process of its own. For pusher-js: Node,
//! and `npm ci` in tests/interop. To profile one reader: start the program with `serve FRAMES`, which tells its port, and
//! then with `ours PORT FRAMES` or `bare PORT FRAMES`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for a terminal, with inputs of its own"
)]

mod bare;
mod event;
mod ours;
mod race;
mod server;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<usize>().unwrap();
    match words[..] {
        ["serve", frames] => server::run(number(frames)),
        ["ours", port, frames] => read(ours::read(port.parse().unwrap(), number(frames))),
        ["bare", port, frames] => read(bare::read(port.parse().unwrap(), number(frames))),
        _ => race::run(words.contains(&"--bench")),
    }
}

/// Runs a reader on this thread alone, and tells how many seconds it took.
fn read(reader: impl Future<Output = f64>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("{}", runtime.block_on(reader));
}
