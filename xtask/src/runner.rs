//! Steps, and what they need from the machine.

use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus};

/// A named step: commands that run one after another, or at the same time.
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

    /// Runs the commands at the same time.
    pub(crate) fn at_once(mut self) -> Self {
        self.at_once = true;
        self
    }

    /// Declares that the step needs `what`; `found` says whether this machine has it.
    pub(crate) fn needs(mut self, what: &'static str, found: bool) -> Self {
        self.missing.extend((!found).then_some(what));
        self
    }

    /// Returns what this machine lacks for the step.
    pub(crate) fn missing(&self) -> Option<String> {
        (!self.missing.is_empty()).then(|| self.missing.join(", "))
    }

    /// Runs the commands, in `root` unless they have their own folder.
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
            return self.commands.iter().zip(ended).try_for_each(|(command, ended)| check(command, ended));
        }
        self.commands.iter_mut().try_for_each(|command| {
            let ended = command.status();
            check(command, ended)
        })
    }
}

/// Returns an error if a command failed.
fn check(command: &Command, ended: io::Result<ExitStatus>) -> Result<(), String> {
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{status}: {}", display(command))),
        Err(error) => Err(format!("cannot start {}: {error}", display(command))),
    }
}

fn display(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
