use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::sleep;

use crate::goal::{Goal, print};
use crate::peers::Peer;
use crate::process::Process;
use crate::publisher::{Publisher, batch};
use crate::subscriber::{CountedSubscribers, Subscriber};

const CHANNEL: &str = "news";

/// Counts the calls with which a server writes many batches of events of one channel.
pub(crate) async fn run(peers: &[Peer], full: bool) {
    let batches = if full { 200 } else { 2 };
    println!("{batches} batches of ten events of one channel, each answered, to one subscriber");
    for peer in peers {
        let server = peer.start();
        let subscriber = Subscriber::connect(server.address, CHANNEL).await;
        let subscribed = CountedSubscribers::new(vec![subscriber]);
        let request = batch(&vec![CHANNEL.to_owned(); 10]);
        let mut publisher = Publisher::connect(server.address).await;
        let Some(trace) = Trace::start(&server).await else {
            println!("  left out: strace is missing or may not trace");
            return;
        };
        let publishing = async {
            for _ in 0..batches {
                publisher.send(&request).await;
            }
        };
        subscribed.rate(batches * 10, publishing).await;
        let writes = trace.end() as f64;
        match peer {
            Peer::Broker => {
                Goal::AtMost(2.5).print("writes a batch, broker", writes / batches as f64, "calls")
            }
            _ => print(peer.name(), writes / batches as f64, "calls"),
        }
    }
}

/// An strace of a server's writes to sockets.
struct Trace {
    strace: Child,
    log: tempfile::NamedTempFile,
}

impl Trace {
    async fn start(server: &Process) -> Option<Self> {
        let log = tempfile::NamedTempFile::new().unwrap();
        let strace = Command::new("strace")
            .args(["-f", "-qq", "-e", "trace=sendto,sendmsg,writev", "-o"])
            .arg(log.path())
            .args(["-p", &server.id().to_string()])
            .stderr(Stdio::null())
            .spawn();
        let mut this = Self { strace: strace.ok()?, log };
        // It attaches to all threads.
        sleep(Duration::from_secs(1)).await;
        matches!(this.strace.try_wait(), Ok(None)).then_some(this)
    }

    /// Detaches, and returns the number of calls.
    fn end(mut self) -> usize {
        let _ = Command::new("kill").args(["-INT", &self.strace.id().to_string()]).status();
        let _ = self.strace.wait();
        let log = std::fs::read_to_string(self.log.path()).unwrap_or_default();
        // A call that another thread interrupts has two lines.
        log.lines().filter(|line| !line.contains(" resumed>") && !line.contains(" = -1 ")).count()
    }
}
