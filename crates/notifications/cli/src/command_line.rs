use std::path::PathBuf;

use clap::Parser;
use clap::error::ErrorKind;

use crate::command::Command;
use crate::env::Env;
use crate::error::Error;
use crate::output::{Output, print_to_stderr};

/// Reliable in-app notifications over Pusher Channels: the inbox server, and tools for it
#[derive(Parser)]
#[command(name = "internal-notifications", version, propagate_version = true)]
pub(crate) struct CommandLine {
    /// Read variables from a .env file; the environment overrides them
    #[arg(long, value_name = "PATH", global = true)]
    env_file: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

impl CommandLine {
    /// Parses the arguments. Prints the help or the version if asked for, and then returns none.
    pub(crate) fn read() -> Result<Option<Self>, Error> {
        match Self::try_parse() {
            Ok(line) => Ok(Some(line)),
            Err(error) if !error.use_stderr() => {
                error.print()?;
                Ok(None)
            }
            Err(error) => Err(Error::usage(one_line(&error))),
        }
    }

    pub(crate) fn run(self) -> Result<(), Error> {
        let env = Env::read(self.env_file.as_deref())?;
        for warning in internal_notifications_server::unknown_names(env.names()) {
            print_to_stderr(&format!("internal-notifications: warning: {warning}"));
        }
        self.command.run(env, &mut Output::stdout())
    }
}

/// Returns clap's message, up to its usage, in one line.
fn one_line(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "a command is missing; see --help".to_owned();
    }
    let text = error.to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let words: Vec<_> = lines.filter(|line| !line.is_empty() && !line.starts_with("For more")).collect();
    format!("{}; see --help", words.join(" ").trim_start_matches("error: "))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn an_error_of_clap_becomes_one_line() {
        let error =
            |line: &str| CommandLine::try_parse_from(line.split(' ')).err().map(|error| one_line(&error));
        let missing = error("internal-notifications token").unwrap();
        assert_eq!(missing, "the following required arguments were not provided: --user <USER>; see --help");
        let unknown = error("internal-notifications token --usr ada").unwrap();
        assert!(
            unknown.starts_with("unexpected argument '--usr' found") && !unknown.contains('\n'),
            "{unknown}"
        );
        assert_eq!(error("internal-notifications").unwrap(), "a command is missing; see --help");
    }
}
