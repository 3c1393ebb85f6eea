use std::path::Path;
use std::process::{Command, Stdio};

use crate::process::{Process, free_address, this};

const EXPRESS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/auth/express");

#[derive(Clone, Copy)]
pub(crate) enum Peer {
    Ours,
    Bare,
    Express,
}

impl Peer {
    /// Returns the available servers, ours first, and prints why Express is missing if it is.
    pub(crate) fn all() -> Vec<Self> {
        let node = Command::new("node").arg("--version").stdout(Stdio::null()).status();
        let missing = match node.is_ok_and(|status| status.success()) {
            false => "node is not installed",
            true if !Path::new(EXPRESS).join("node_modules").is_dir() => {
                "run npm ci in benches/auth/express first"
            }
            true => return vec![Self::Ours, Self::Bare, Self::Express],
        };
        println!("without Express: {missing}");
        vec![Self::Ours, Self::Bare]
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Bare => "bare",
            Self::Express => "Express",
        }
    }

    pub(crate) fn start(self) -> Process {
        let (program, argument) = match self {
            Self::Ours => (this(), "serve-ours".into()),
            Self::Bare => (this(), "serve-bare".into()),
            Self::Express => ("node".into(), format!("{EXPRESS}/server.js").into()),
        };
        Process::start(&program, &[argument], free_address(), tempfile::tempdir().unwrap())
    }
}

/// Returns the processor time that a server has used so far in seconds; 0 if the system does not
/// report it.
pub(crate) fn cpu_seconds(server: &Process) -> f64 {
    let stat = server.proc_file("stat");
    // The name may contain spaces. After it, fields 12 and 13 are hundredths of seconds in user and
    // kernel mode.
    let times = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    times.filter_map(|time| time.parse::<f64>().ok()).sum::<f64>() / 100.0
}
