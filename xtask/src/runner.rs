//! Steps, and what they need of the machine.

use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus};

/// One named step: commands that run one after another, or at the same time.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    commands: Vec<Command>,
    at_once: bool,
    missing: Vec<&'static str>,
}

impl Step {
    pub(crate) fn new(name: &'static str, commands: Vec<Command>) -> Self {
        Self { name, commands, at_once: false, missing: Vec::new() }
    }

    /// Its commands run at the same time.
    pub(crate) fn at_once(mut self) -> Self {
        self.at_once = true;
        self
    }

    /// The step needs `what`, which this machine has or has not.
    pub(crate) fn needs(mut self, what: &'static str, there: bool) -> Self {
        self.missing.extend((!there).then_some(what));
        self
    }

    /// What this machine lacks for this step, in a few words.
    pub(crate) fn missing(&self) -> Option<String> {
        (!self.missing.is_empty()).then(|| self.missing.join(", "))
    }

    /// Runs the commands in `root`, unless they have a folder of their own.
    pub(crate) fn run(mut self, root: &Path) -> Result<(), String> {
        for command in &mut self.commands {
            if command.get_current_dir().is_none() {
                command.current_dir(root);
            }
        }
        if self.at_once {
            let started: Vec<_> = self.commands.iter_mut().map(Command::spawn).collect();
            let ended = started.into_iter().map(|child| child.and_then(|mut child| child.wait()));
            let ended: Vec<_> = ended.collect();
            return self.commands.iter().zip(ended).try_for_each(|(command, ended)| judge(command, ended));
        }
        self.commands.iter_mut().try_for_each(|command| {
            let ended = command.status();
            judge(command, ended)
        })
    }
}

/// What went wrong with a command that has ended.
fn judge(command: &Command, ended: io::Result<ExitStatus>) -> Result<(), String> {
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{status}: {}", shown(command))),
        Err(error) => Err(format!("cannot start {}: {error}", shown(command))),
    }
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
