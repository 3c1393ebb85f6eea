//! Steps, and what they need of the machine.

use std::path::Path;
use std::process::Command;

/// One named step: commands that run one after another.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    commands: Vec<Command>,
    needs: Vec<Need>,
}

/// A program that not every machine has.
pub(crate) struct Need {
    program: &'static str,
    from: &'static str,
    there: fn() -> bool,
}

impl Need {
    pub(crate) fn new(program: &'static str, from: &'static str, there: fn() -> bool) -> Self {
        Self { program, from, there }
    }
}

impl Step {
    pub(crate) fn new(name: &'static str, commands: Vec<Command>) -> Self {
        Self { name, commands, needs: Vec::new() }
    }

    pub(crate) fn needs(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    /// What this step needs and this machine lacks, in a few words.
    pub(crate) fn missing(&self) -> Option<String> {
        let missing = self.needs.iter().filter(|need| !(need.there)());
        let words: Vec<String> = missing.map(|need| format!("{} ({})", need.program, need.from)).collect();
        (!words.is_empty()).then(|| words.join(", "))
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
