use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use pusher_signer::Signer;
use serde_json::{Value, json};

use crate::cores;

pub(crate) const APP_ID: &str = "17";
/// The most connections at once.
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

/// A server in a process of its own. Ends when dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
    _config: tempfile::TempDir,
}

impl Peer {
    /// Those that are there; of sockudo, why not.
    pub(crate) fn all() -> Vec<Self> {
        if std::env::var_os("SOCKUDO_BIN").is_some() {
            return vec![Self::Broker, Self::Sockudo, Self::Bare];
        }
        println!(
            "without sockudo: SOCKUDO_BIN does not say where it is (docs/engines.md says how to build it)"
        );
        vec![Self::Broker, Self::Bare]
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::Sockudo => "sockudo",
            Self::Bare => "bare",
        }
    }

    pub(crate) fn start(self) -> Server {
        // None of them tells which port it was given.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = tempfile::tempdir().unwrap();
        let (program, arguments) = self.command(address, config.path());
        let mut process = cores::server(&program)
            .args(arguments)
            .env("BENCH_ADDRESS", address.to_string())
            .env("RUST_LOG", "error")
            .current_dir(config.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect(address).is_err() {
            assert!(process.try_wait().unwrap().is_none(), "{} ended before it listened", self.name());
            std::thread::sleep(Duration::from_millis(10));
        }
        Server { process, address, _config: config }
    }

    fn command(self, address: SocketAddr, folder: &Path) -> (OsString, Vec<OsString>) {
        let this = || std::env::current_exe().unwrap().into_os_string();
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

/// One app, and nothing on that the others do not do.
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

impl Server {
    /// The memory that the process has now, in KiB.
    pub(crate) fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
