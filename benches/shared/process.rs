use std::ffi::{OsStr, OsString};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::cores;

/// A server in its own process, on its core. Killed when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

/// The variable with the address that a server listens on.
const ADDRESS: &str = "BENCH_ADDRESS";

/// Returns the address that the server in this process listens on.
pub(crate) fn address() -> SocketAddr {
    std::env::var(ADDRESS).unwrap().parse().unwrap()
}

/// Returns a free address. Not every server can report a port that the system chose.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Returns the path of this program.
pub(crate) fn this() -> OsString {
    std::env::current_exe().unwrap().into_os_string()
}

impl Process {
    /// Starts a server in its own folder, and waits until it listens.
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

    /// Returns the process id.
    #[allow(dead_code, reason = "not every bench traces its servers")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reads a file of `/proc` about the process.
    pub(crate) fn proc_file(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
