//! The program that the tests of other people's libraries start: `interop broker ADDRESS` and
//! `interop signer`. Both print JSON lines, and exit when their standard input ends.
#![allow(clippy::print_stdout, reason = "a command prints")]

mod broker;
mod questions;

use std::error::Error;

use pusher_signer::{EncryptionMasterKey, Signer};

/// The app's id, key, secret and master key, as in the tests.
const APP_ID: &str = "1815";
const APP_KEY: &str = "interop-key";
const APP_SECRET: &str = "interop-secret";
const MASTER_KEY: [u8; 32] = *b"0123456789abcdef0123456789abcdef";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["broker", address] => broker::run(address).await,
        ["signer"] => questions::answer_all(),
        _ => Err("usage: interop broker ADDRESS | interop signer".into()),
    }
}

fn signer() -> Signer {
    Signer::new(APP_KEY, APP_SECRET).with_encryption_master_key(EncryptionMasterKey::new(MASTER_KEY))
}
