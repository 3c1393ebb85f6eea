use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// The names of the readers.
const READERS: [&str; 3] = ["tokio-tungstenite and serde_json", "pusher-client", "pusher-js"];

/// Runs the readers in turn, and prints their medians.
pub(crate) fn run(full: bool) {
    let (frames, runs) = if full { (200_000, 5) } else { (300, 1) };
    let pins = Command::new("taskset").arg("-V").stdout(Stdio::null()).status().is_ok();
    if !pins {
        println!("the processes are not pinned to cores: taskset is not installed");
    }
    let missing = missing_for_pusher_js();
    let mut speeds = [const { Vec::new() }; 3];
    for _ in 0..runs {
        for (reader, speeds) in speeds.iter_mut().enumerate() {
            if reader < 2 || missing.is_none() {
                speeds.push(frames as f64 / 1e3 / measure(reader, frames, pins));
            }
        }
    }
    println!("{frames} frames; medians of {runs} runs");
    for (name, speeds) in READERS.iter().zip(&speeds).filter(|(_, speeds)| !speeds.is_empty()) {
        println!("{name:<34} {:8.1} k frames/s", median(speeds.clone()));
    }
    let [bare, ours, js] = &speeds;
    println!("pusher-client to tokio-tungstenite {:8.2}", ratio(ours, bare));
    match missing {
        None => println!("pusher-client to pusher-js         {:8.2}", ratio(ours, js)),
        Some(reason) => println!("pusher-js is left out: {reason}"),
    }
}

/// Returns the seconds that one reader takes with a new server.
fn measure(reader: usize, frames: usize, pins: bool) -> f64 {
    let myself = std::env::current_exe().unwrap();
    let frames = frames.to_string();
    let serving = on_core(pins, "0", &myself).args(["serve", &frames]).stdout(Stdio::piped()).spawn();
    let mut server = serving.unwrap();
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let (program, what) = match reader {
        0 => (myself.as_path(), "bare"),
        1 => (myself.as_path(), "ours"),
        _ => (Path::new("node"), concat!(env!("CARGO_MANIFEST_DIR"), "/client/pusher-js.mjs")),
    };
    let mut reading = on_core(pins, "1", program);
    let read = reading.args([what, port.trim(), &frames]).stderr(Stdio::inherit()).output().unwrap();
    assert!(read.status.success(), "{} failed", READERS[reader]);
    server.wait().unwrap();
    String::from_utf8(read.stdout).unwrap().trim().parse().unwrap()
}

fn on_core(pins: bool, core: &str, program: &Path) -> Command {
    if !pins {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", core]).arg(program);
    command
}

fn missing_for_pusher_js() -> Option<&'static str> {
    let installed = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/interop/node_modules/pusher-js");
    match Command::new("node").arg("--version").stdout(Stdio::null()).status() {
        Err(_) => Some("node is not installed"),
        Ok(_) if !Path::new(installed).exists() => Some("`npm ci` was not run in tests/interop"),
        Ok(_) => None,
    }
}

fn ratio(of: &[f64], to: &[f64]) -> f64 {
    median(of.iter().zip(to).map(|(of, to)| of / to).collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.swap_remove(values.len() / 2)
}
