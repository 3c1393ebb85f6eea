use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use std::path::PathBuf;
use std::str::FromStr;

/// Kill, stop, cut and restore real servers while writers write, and see that nothing acknowledged is lost or doubled
#[derive(Parser)]
#[command(name = "cargo xtask chaos")]
pub(crate) struct CommandLine {
    /// How long faults go on
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) seconds: u64,
    /// sqlite; postgres, a cluster of its own; or the URL of an empty PostgreSQL database, which is then not stopped
    #[arg(long, value_name = "sqlite|postgres|URL", default_value = "sqlite")]
    pub(crate) database: Choice,
    /// Server nodes; more than one share PostgreSQL and one `broker`
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=8))]
    pub(crate) nodes: u16,
    /// Repeats the same faults, in the same order; random by default, and in the report
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Write the JSON report there instead of to stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

impl CommandLine {
    /// What was typed. Ends the process where that cannot be done.
    pub(crate) fn read() -> Self {
        let line = Self::parse();
        if line.nodes > 1 && line.database == Choice::Sqlite {
            let told = "several nodes share PostgreSQL: give --database postgres";
            Self::command().error(ErrorKind::ArgumentConflict, told).exit();
        }
        line
    }
}

/// Where the inboxes are kept.
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
            _ => Err("it is sqlite, postgres or postgres://…"),
        }
    }
}

impl Choice {
    /// Its name in the report, without what a URL may hold.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Url(_) => "postgres of the caller's",
        }
    }
}
