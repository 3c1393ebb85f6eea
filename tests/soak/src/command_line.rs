use clap::Parser;

/// Let connections come, join, leave and die at the broker, and check that all observers agree
#[derive(Parser)]
#[command(name = "cargo xtask soak")]
pub(crate) struct CommandLine {
    /// How long connections come and go, in seconds
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) seconds: u64,
    /// Number of clients; the broker accepts 10,000 connections
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(10..=9_900))]
    pub(crate) connections: u16,
}
