use crate::command_line::CommandLine;
use crate::failure::Failure;
use crate::load::ledger::Ledger;
use crate::network::Network;
use crate::processes::Processes;
use crate::processes::database::Database;
use crate::processes::engine::Engine;
use crate::processes::fake_clock::FakeClock;
use crate::processes::node::Node;
use crate::processes::port;
use crate::processes::program::Program;
use crate::replica::Replica;
use internal_notifications_pusher::contract::MAX_WINDOW;
use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

pub(crate) const USERS: usize = 16;
pub(crate) const API_KEY: &str = "chaos-api-key-of-more-than-32-bytes";
const JWT_SECRET: &str = "chaos-jwt-secret-of-more-than-32-bytes";
/// The prefix of users' channels.
const CHANNEL_PREFIX: &str = "private-";
const APP: [(&str, &str); 3] = [
    ("PUSHER_APP_ID", "4711"),
    ("PUSHER_APP_KEY", "chaos-app-key"),
    ("PUSHER_APP_SECRET", "chaos-app-secret"),
];

/// All parts of a run.
pub(crate) struct Testbed {
    pub(crate) processes: Processes,
    pub(crate) network: Network,
    /// The proxies through which writers and users reach the nodes.
    pub(crate) fronts: Vec<SocketAddr>,
    pub(crate) users: Arc<[String]>,
    pub(crate) tokens: Vec<String>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) ledger: Arc<Ledger>,
}

impl Testbed {
    /// Starts everything with the database and the logs in `folder`. `run` is part of the users'
    /// names, so that they differ from those of an earlier run.
    pub(crate) async fn start(line: &CommandLine, folder: &Path, run: &str) -> Result<Self, Failure> {
        let (database, mut network) = (Database::start(&line.database, folder).await?, Network::default());
        let (engine, mut env) = (start_engine(line, folder, &mut network).await?, env());
        let engine = engine.map(|(engine, more)| {
            env.extend(more);
            engine
        });
        let (mut nodes, mut fronts) = (Vec::new(), Vec::new());
        for number in 1..=line.nodes {
            let address = port::free()?;
            let listen = address.to_string();
            let args = ["serve", "--listen", &listen, "--database", &database.url()].map(str::to_owned);
            let log = folder.join(format!("node-{number}.log"));
            let mut program = Program::new(binary()?, args.to_vec(), log);
            program.env.clone_from(&env);
            let clock = FakeClock::new(folder.join(format!("node-{number}.clock")))?;
            let mut node = Node::start(address, program, clock)?;
            node.wait_until_ready().await?;
            fronts.push(network.add_front(address).await?);
            nodes.push(node);
        }
        let users: Arc<[String]> = (1..=USERS).map(|number| format!("chaos-{run}-{number}")).collect();
        let tokens = users.iter().map(|user| token(user)).collect::<Result<Vec<_>, _>>()?;
        let processes = Processes::new(database, engine, nodes, &binary()?, folder);
        let ledger = Arc::new(Ledger::new(USERS));
        let mut testbed = Self { processes, network, fronts, users, tokens, replicas: Vec::new(), ledger };
        testbed.start_replicas().await?;
        Ok(testbed)
    }

    /// Returns the channel of a user.
    pub(crate) fn channel(&self, user: usize) -> Option<String> {
        self.users.get(user).map(|user| format!("{CHANNEL_PREFIX}{user}"))
    }

    /// Returns whether clocks of nodes can be set wrong.
    pub(crate) fn has_clocks(&self) -> bool {
        self.processes.nodes.iter().all(Node::has_clock)
    }

    /// Starts one to three replicas for each user, on one node after another. Most hold as many
    /// notifications as possible.
    async fn start_replicas(&mut self) -> Result<(), Failure> {
        for (number, (user, token)) in self.users.iter().zip(&self.tokens).enumerate() {
            for device in 0..=number % 3 {
                let at = (number + device) % self.processes.nodes.len();
                let Some(node) = self.processes.nodes.get(at) else { continue };
                let server = self.network.add_device_proxy(node.address).await?;
                let window = if device == 1 { 200 } else { MAX_WINDOW };
                let name = format!("device {} of {user}, on node {}", device + 1, at + 1);
                let replica = Replica::start(server, (number, user), token, window, name).await?;
                self.replicas.push(replica);
            }
        }
        Ok(())
    }
}

/// Starts the broker that several nodes share, and returns it with their variables. Nodes and
/// clients reach it through proxies.
async fn start_engine(
    line: &CommandLine,
    folder: &Path,
    network: &mut Network,
) -> Result<Option<(Engine, Vec<(String, String)>)>, Failure> {
    if line.nodes < 2 {
        return Ok(None);
    }
    let address = port::free()?;
    let args = ["broker", "--listen", &address.to_string()].map(str::to_owned);
    let mut program = Program::new(binary()?, args.to_vec(), folder.join("broker.log"));
    program.env = env();
    let engine = Engine::start(address, program).await?;
    let mut variables = Vec::new();
    let api = engine.gate.address;
    for (prefix, address) in [("PUSHER", api), ("PUSHER_CLIENT", network.add_device_proxy(address).await?)] {
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        for (name, value) in [("HOST", host), ("PORT", port), ("SCHEME", "http".to_owned())] {
            variables.push((format!("{prefix}_{name}"), value));
        }
    }
    Ok(Some((engine, variables)))
}

fn env() -> Vec<(String, String)> {
    let auth = [
        ("INTERNAL_NOTIFICATIONS_JWT_SECRET", JWT_SECRET.to_owned()),
        ("INTERNAL_NOTIFICATIONS_API_KEYS", format!("chaos:{API_KEY}")),
    ];
    // So often that a wrong clock has time to do damage.
    let sweep = ("INTERNAL_NOTIFICATIONS_SWEEP_SECONDS", "2".to_owned());
    let app = APP.map(|(name, value)| (name, value.to_owned()));
    auth.into_iter().chain([sweep]).chain(app).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Makes a user's token with the command `token`.
fn token(user: &str) -> Result<String, Failure> {
    let mut command = Command::new(binary()?);
    // Valid also by a clock that is wrong by a year.
    command.args(["token", "--user", user, "--ttl", "1000d"]).env_clear();
    let made = command.env("INTERNAL_NOTIFICATIONS_JWT_SECRET", JWT_SECRET).output()?;
    if !made.status.success() {
        return Err(format!("the command token failed: {}", String::from_utf8_lossy(&made.stderr)).into());
    }
    Ok(String::from_utf8(made.stdout)?.trim().to_owned())
}

fn binary() -> Result<PathBuf, Failure> {
    let named = env::var_os("INTERNAL_NOTIFICATIONS_BIN").map(PathBuf::from);
    let named = named
        .ok_or("set INTERNAL_NOTIFICATIONS_BIN to the path of the binary, as `cargo xtask chaos` does")?;
    Ok(std::path::absolute(named)?)
}
