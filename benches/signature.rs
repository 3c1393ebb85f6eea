//! Compares a channel authorization with the same work written by hand on `hmac` and `sha2` with a
//! prepared key, and with the bare HMAC. The three take turns, so that other load on the machine
//! affects all of them.
//!
//! `cargo bench -p benches --bench signature`

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for a terminal, with its own inputs"
)]

use std::hint::black_box;
use std::time::Instant;

use hmac::{Hmac, KeyInit, Mac};
use pusher_signer::{ChannelName, Signer, SocketId};
use sha2::Sha256;

const KEY: &str = "278d425bdf160c739803";
const SECRET: &str = "7ad3773142a6692b25b8";
const ROUNDS: usize = 301;
const CALLS: u32 = 5_000;

fn main() {
    let signer = Signer::new(KEY, SECRET);
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    let socket_id: SocketId = "1234.1234".parse().unwrap();
    let channel: ChannelName = "private-foobar".parse().unwrap();
    let text = format!("{socket_id}:{channel}");

    let authorized = signer.authorize_channel(&socket_id, &channel, None).unwrap().auth;
    assert_eq!(authorized, by_hand(&mac, KEY, &text), "both must do the same work");

    // Without `--bench`, as under `cargo test --benches`, everything only has to run.
    let (rounds, calls) =
        if std::env::args().any(|arg| arg == "--bench") { (ROUNDS, CALLS) } else { (3, 10) };
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        times[0].push(nanoseconds(calls, || bare(black_box(&mac), black_box(&text))));
        times[1].push(nanoseconds(calls, || by_hand(black_box(&mac), black_box(KEY), black_box(&text))));
        times[2].push(nanoseconds(calls, || {
            black_box(&signer).authorize_channel(black_box(&socket_id), black_box(&channel), None)
        }));
    }
    let [bare, by_hand, authorize] = times;
    let ratio = |of: &[f64], to: &[f64]| median(of.iter().zip(to).map(|(a, b)| a / b).collect());
    let (to_by_hand, to_bare) = (ratio(&authorize, &by_hand), ratio(&authorize, &bare));
    println!("HMAC alone, key prepared             {:7.1} ns", median(bare));
    println!("the same, hex and key in front       {:7.1} ns", median(by_hand));
    println!("Signer::authorize_channel            {:7.1} ns", median(authorize));
    println!("ratio to the HMAC, hex and key       {to_by_hand:7.3}");
    println!("ratio to the HMAC alone              {to_bare:7.3}");
}

fn bare(mac: &Hmac<Sha256>, text: &str) -> [u8; 32] {
    mac.clone().chain_update(text).finalize().into_bytes().into()
}

fn by_hand(mac: &Hmac<Sha256>, key: &str, text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = [0; 64];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(bare(mac, text)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0xf)];
    }
    let mut token = String::with_capacity(key.len() + 1 + hex.len());
    token.push_str(key);
    token.push(':');
    token.push_str(std::str::from_utf8(&hex).unwrap());
    token
}

fn nanoseconds<T>(calls: u32, mut call: impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        black_box(call());
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.swap_remove(values.len() / 2)
}
