use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::cores;

const EXPRESS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/auth/express");

#[derive(Clone, Copy)]
pub(crate) enum Peer {
    Ours,
    Bare,
    Express,
}

/// A server in a process of its own. Ends when dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
    _folder: tempfile::TempDir,
}

/// Where the server of this process is to listen.
pub(crate) fn address() -> SocketAddr {
    std::env::var("BENCH_ADDRESS").unwrap().parse().unwrap()
}

impl Peer {
    /// Those that are there, ours first; of Express, why not.
    pub(crate) fn all() -> Vec<Self> {
        let node = Command::new("node").arg("--version").stdout(Stdio::null()).status();
        let missing = match node.is_ok_and(|status| status.success()) {
            false => "there is no node",
            true if !Path::new(EXPRESS).join("node_modules").is_dir() => {
                "npm ci in benches/auth/express first"
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

    pub(crate) fn start(self) -> Server {
        // None of them tells which port it was given.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let this = || std::env::current_exe().unwrap().into_os_string();
        let (program, argument) = match self {
            Self::Ours => (this(), "serve-ours".to_owned()),
            Self::Bare => (this(), "serve-bare".to_owned()),
            Self::Express => ("node".into(), format!("{EXPRESS}/server.js")),
        };
        let mut process = cores::server(&program)
            .arg(argument)
            .env("BENCH_ADDRESS", address.to_string())
            .env("NODE_ENV", "production")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect(address).is_err() {
            assert!(process.try_wait().unwrap().is_none(), "{} ended before it listened", self.name());
            std::thread::sleep(Duration::from_millis(10));
        }
        Server { process, address, _folder: folder }
    }
}

impl Server {
    /// The processor time that it took so far, in seconds, as far as the system tells.
    pub(crate) fn busy(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap_or_default();
        // After the name, which may have spaces: the twelfth and thirteenth are hundredths of seconds in the process and in the kernel.
        let times = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
        times.filter_map(|time| time.parse::<f64>().ok()).sum::<f64>() / 100.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
