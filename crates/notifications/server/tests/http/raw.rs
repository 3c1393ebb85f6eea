use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::app::TestApp;

/// A raw TCP connection.
pub(crate) struct Raw(pub(crate) TcpStream);

/// Far longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(20);

impl Raw {
    pub(crate) async fn connect(app: &TestApp) -> Self {
        Self(TcpStream::connect(app.server.local_addr()).await.unwrap())
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// Returns everything until the server closes the connection.
    pub(crate) async fn read_to_end(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await;
        // A reset after the answer also ends it.
        let _ = read.expect("the server should close the connection");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Returns the whole answer to one request, which must contain `connection: close`.
pub(crate) async fn ask(app: &TestApp, request: &str) -> String {
    let mut raw = Raw::connect(app).await;
    raw.write(request.as_bytes()).await;
    raw.read_to_end().await
}

pub(crate) fn status(answer: &str) -> u16 {
    let line = answer.lines().next().unwrap_or_default();
    line.split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("no answer: {answer:?}"))
}
