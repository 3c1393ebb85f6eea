//! Steps, and what they need of the machine.

use std::path::Path;
use std::process::Command;

/// One named step: commands that run one after another.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    commands: Vec<Command>,
    missing: Vec<&'static str>,
}

impl Step {
    pub(crate) fn new(name: &'static str, commands: Vec<Command>) -> Self {
        Self { name, commands, missing: Vec::new() }
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
            match command.status() {
                Ok(status) if status.success() => {}
                Ok(status) => return Err(format!("{status}: {}", shown(command))),
                Err(error) => return Err(format!("cannot start {}: {error}", shown(command))),
            }
        }
        Ok(())
    }
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
