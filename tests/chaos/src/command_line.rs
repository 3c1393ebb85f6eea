use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use std::path::PathBuf;
use std::str::FromStr;

/// Kill, stop, disconnect and restore real servers under load, and check that nothing acknowledged
/// is lost or duplicated
#[derive(Parser)]
#[command(name = "cargo xtask chaos")]
pub(crate) struct CommandLine {
    /// How long faults are injected, in seconds
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) seconds: u64,
    /// sqlite, postgres (starts its own cluster), or the URL of an empty PostgreSQL database (which
    /// is never stopped)
    #[arg(long, value_name = "sqlite|postgres|URL", default_value = "sqlite")]
    pub(crate) database: Choice,
    /// Number of server nodes; several share PostgreSQL and one `broker`
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=8))]
    pub(crate) nodes: u16,
    /// Seed that repeats the same faults in the same order; random by default, and part of the
    /// report
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// How long 99 of 100 deliveries may take beside the strains, in milliseconds
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub(crate) latency_limit: u64,
    /// Let 99 of 100 deliveries take up to half a minute instead: for machines that are busy with
    /// other work
    #[arg(long)]
    pub(crate) allow_late: bool,
    /// Write the JSON report to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

impl CommandLine {
    /// Parses the arguments. Exits the process if they are invalid.
    pub(crate) fn read() -> Self {
        let line = Self::parse();
        if line.nodes > 1 && line.database == Choice::Sqlite {
            let problem = "several nodes share PostgreSQL: use --database postgres";
            Self::command().error(ErrorKind::ArgumentConflict, problem).exit();
        }
        line
    }
}

/// The database of the inboxes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Choice {
    Sqlite,
    Postgres,
    Url(String),
}

impl FromStr for Choice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" => Ok(Self::Postgres),
            url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(Self::Url(url.to_owned()))
            }
            _ => Err("must be sqlite, postgres or postgres://…"),
        }
    }
}

impl Choice {
    /// Returns the name for the report, without a URL's secrets.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Url(_) => "postgres of the caller's",
        }
    }
}
