//! Runs every target with its seeds, which include all inputs that once crashed.

use std::fs;
use std::path::Path;

fn play(target: &str, run: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    for seed in seeds {
        println!("{}", seed.display());
        run(&fs::read(&seed).unwrap());
    }
}

#[test]
fn client_frames() {
    play("client_frames", crate::client_frames::run);
}

#[test]
fn broker_frames() {
    play("broker_frames", crate::broker_frames::run);
}

#[test]
fn auth_form() {
    play("auth_form", crate::auth_form::run);
}

#[test]
fn http_api() {
    play("http_api", crate::http_api::run);
}

#[test]
fn webhooks() {
    play("webhooks", crate::webhooks::run);
}

#[test]
fn live_events() {
    play("live_events", crate::live_events::run);
}
