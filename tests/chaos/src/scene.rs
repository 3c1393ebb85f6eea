use crate::command_line::CommandLine;
use crate::database::Database;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::ledger::Ledger;
use crate::lines::Lines;
use crate::machines::Machines;
use crate::node::Node;
use crate::port;
use crate::program::Program;
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
const APP: [(&str, &str); 3] = [
    ("PUSHER_APP_ID", "4711"),
    ("PUSHER_APP_KEY", "chaos-app-key"),
    ("PUSHER_APP_SECRET", "chaos-app-secret"),
];

/// Everything that a run is made of.
pub(crate) struct Scene {
    pub(crate) machines: Machines,
    pub(crate) lines: Lines,
    /// Where writers and users reach the nodes: a proxy each.
    pub(crate) fronts: Vec<SocketAddr>,
    pub(crate) users: Arc<[String]>,
    pub(crate) tokens: Vec<String>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) ledger: Arc<Ledger>,
}

impl Scene {
    /// Starts it all; `folder` has the database and the logs. `run` makes the users' names, so that no earlier run's are met.
    pub(crate) async fn start(line: &CommandLine, folder: &Path, run: &str) -> Result<Self, Failure> {
        let (database, mut lines) = (Database::start(&line.database, folder).await?, Lines::default());
        let (engine, mut env) = (engine(line, folder, &mut lines).await?, env());
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
            let mut node = Node::start(address, program)?;
            node.ready().await?;
            fronts.push(lines.front_of(address).await?);
            nodes.push(node);
        }
        let users: Arc<[String]> = (1..=USERS).map(|number| format!("chaos-{run}-{number}")).collect();
        let tokens = users.iter().map(|user| token(user)).collect::<Result<Vec<_>, _>>()?;
        let machines = Machines::new(database, engine, nodes, &binary()?, folder);
        let ledger = Arc::new(Ledger::of(USERS));
        let mut scene = Self { machines, lines, fronts, users, tokens, replicas: Vec::new(), ledger };
        scene.start_replicas().await?;
        Ok(scene)
    }

    /// One to three for each user, some of which hold all that they may, on one node after another.
    async fn start_replicas(&mut self) -> Result<(), Failure> {
        for (number, (user, token)) in self.users.iter().zip(&self.tokens).enumerate() {
            for device in 0..=number % 3 {
                let at = (number + device) % self.machines.nodes.len();
                let Some(node) = self.machines.nodes.get(at) else { continue };
                let server = self.lines.line_to_device(node.address).await?;
                let window = if device == 1 { 200 } else { MAX_WINDOW };
                let name = format!("device {} of {user}, on node {}", device + 1, at + 1);
                let replica = Replica::start(server, (number, user), token, window, name).await?;
                self.replicas.push(replica);
            }
        }
        Ok(())
    }
}

/// The broker that several nodes share, and what tells them of it. Clients reach it through a proxy.
async fn engine(
    line: &CommandLine,
    folder: &Path,
    lines: &mut Lines,
) -> Result<Option<(Engine, Vec<(String, String)>)>, Failure> {
    if line.nodes < 2 {
        return Ok(None);
    }
    let address = port::free()?;
    let args = ["broker", "--listen", &address.to_string()].map(str::to_owned);
    let mut program = Program::new(binary()?, args.to_vec(), folder.join("broker.log"));
    program.env = env();
    let engine = Engine::start(address, program).await?;
    let mut told = Vec::new();
    for (prefix, address) in [("PUSHER", address), ("PUSHER_CLIENT", lines.line_to_device(address).await?)] {
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        for (name, value) in [("HOST", host), ("PORT", port), ("SCHEME", "http".to_owned())] {
            told.push((format!("{prefix}_{name}"), value));
        }
    }
    Ok(Some((engine, told)))
}

fn env() -> Vec<(String, String)> {
    let own = [
        ("INTERNAL_NOTIFICATIONS_JWT_SECRET", JWT_SECRET.to_owned()),
        ("INTERNAL_NOTIFICATIONS_API_KEYS", format!("chaos:{API_KEY}")),
    ];
    let app = APP.map(|(name, value)| (name, value.to_owned()));
    own.into_iter().chain(app).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The user's token, as the binary makes it.
fn token(user: &str) -> Result<String, Failure> {
    let mut command = Command::new(binary()?);
    command.args(["token", "--user", user, "--ttl", "25h"]).env_clear();
    let made = command.env("INTERNAL_NOTIFICATIONS_JWT_SECRET", JWT_SECRET).output()?;
    if !made.status.success() {
        return Err(format!("no token is made: {}", String::from_utf8_lossy(&made.stderr)).into());
    }
    Ok(String::from_utf8(made.stdout)?.trim().to_owned())
}

fn binary() -> Result<PathBuf, Failure> {
    let named = env::var_os("INTERNAL_NOTIFICATIONS_BIN").map(PathBuf::from);
    let named =
        named.ok_or("INTERNAL_NOTIFICATIONS_BIN must name the binary, as `cargo xtask chaos` does")?;
    Ok(std::path::absolute(named)?)
}
