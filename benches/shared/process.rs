use std::ffi::{OsStr, OsString};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::cores;

/// A server in a process of its own, on its core. Ends when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

/// The variable that tells a server where to listen.
const ADDRESS: &str = "BENCH_ADDRESS";

/// Where the server of this process is to listen.
pub(crate) fn address() -> SocketAddr {
    std::env::var(ADDRESS).unwrap().parse().unwrap()
}

/// An address that is free. Not every server tells which port it was given.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// This program.
pub(crate) fn this() -> OsString {
    std::env::current_exe().unwrap().into_os_string()
}

impl Process {
    /// Starts it in a folder of its own, and waits until it listens.
    pub(crate) fn start(
        program: &OsStr,
        arguments: &[OsString],
        address: SocketAddr,
        folder: TempDir,
    ) -> Self {
        let mut child = cores::server(program)
            .args(arguments)
            .env(ADDRESS, address.to_string())
            .env("NODE_ENV", "production")
            .env("RUST_LOG", "error")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect(address).is_err() {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "{} ended before it listened", program.display());
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, address, _folder: folder }
    }

    /// A file that the system keeps of it.
    pub(crate) fn told(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
