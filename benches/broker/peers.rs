use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use pusher_signer::Signer;
use serde_json::{Value, json};

use crate::process::{Process, free_address, this};

pub(crate) const APP_ID: &str = "17";
/// The largest number of simultaneous connections.
pub(crate) const CONNECTIONS: usize = 5_000;

pub(crate) fn signer() -> Signer {
    Signer::new("app-key", "app-secret")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Broker,
    Sockudo,
    Bare,
}

impl Peer {
    /// Returns the available servers, the broker first, and prints why sockudo is missing if it is.
    pub(crate) fn all() -> Vec<Self> {
        if std::env::var_os("SOCKUDO_BIN").is_some() {
            return vec![Self::Broker, Self::Sockudo, Self::Bare];
        }
        println!("without sockudo: set SOCKUDO_BIN to its path (docs/engines.md describes how to build it)");
        vec![Self::Broker, Self::Bare]
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::Sockudo => "sockudo",
            Self::Bare => "bare",
        }
    }

    pub(crate) fn start(self) -> Process {
        self.start_at(free_address(), &[])
    }

    /// Starts the server at an address, with more arguments.
    pub(crate) fn start_at(self, address: SocketAddr, more: &[String]) -> Process {
        let folder = tempfile::tempdir().unwrap();
        let (program, mut arguments) = self.command(address, folder.path());
        arguments.extend(more.iter().map(OsString::from));
        Process::start(&program, &arguments, address, folder)
    }

    fn command(self, address: SocketAddr, folder: &Path) -> (OsString, Vec<OsString>) {
        match self {
            Self::Broker => (this(), vec!["serve-broker".into()]),
            Self::Bare => (this(), vec!["serve-bare".into()]),
            Self::Sockudo => {
                let file = folder.join("config.json");
                std::fs::write(&file, sockudo(address).to_string()).unwrap();
                (std::env::var_os("SOCKUDO_BIN").unwrap(), vec!["--config".into(), file.into()])
            }
        }
    }
}

/// Returns a configuration with one app and without features that the other servers lack.
fn sockudo(address: SocketAddr) -> Value {
    json!({
        "host": "127.0.0.1",
        "port": address.port(),
        "metrics": {"enabled": false},
        "rate_limiter": {"enabled": false},
        "app_manager": {"driver": "memory", "array": {"apps": [{
            "id": APP_ID,
            "key": "app-key",
            "secret": "app-secret",
            "enabled": true,
            "policy": {
                "limits": {"max_connections": 100_000, "max_client_events_per_second": 10},
                "features": {"enable_client_messages": true},
            },
        }]}},
    })
}

/// Returns the resident memory of a server in KiB.
pub(crate) fn memory(server: &Process) -> f64 {
    let status = server.proc_file("status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
