use crate::error::Error;
use crate::output::Output;

/// Prints the steps of the demo as they happen.
pub(super) struct Transcript<'o> {
    output: &'o mut Output,
    step: u32,
}

impl<'o> Transcript<'o> {
    pub(super) fn new(output: &'o mut Output) -> Self {
        Self { output, step: 0 }
    }

    /// Prints the title of the next step.
    pub(super) fn step(&mut self, title: &str) -> Result<(), Error> {
        self.step += 1;
        self.output.line(&format!("{}. {title}", self.step))
    }

    /// Prints what happened in the current step.
    pub(super) fn result(&mut self, text: &str) -> Result<(), Error> {
        self.output.line(&format!("   {text}"))
    }

    /// Prints how to try the running server.
    pub(super) fn next_steps(
        &mut self,
        url: &str,
        page: &str,
        program: &str,
        database: &str,
    ) -> Result<(), Error> {
        for line in [
            "",
            "To see both users side by side, open this page in a browser:",
            &format!("  {page}"),
            "",
            "To try the commands, run these in another shell:",
            &format!("  export INTERNAL_NOTIFICATIONS_URL={url}"),
            &format!(
                "  export INTERNAL_NOTIFICATIONS_TOKEN=$({program} token --user ada --push --database {database})"
            ),
            &format!("  {program} tail --user ada &"),
            &format!("  {program} push --to ada \"Hello from a shell\""),
            "",
            &format!("serving on {url} until Ctrl-C"),
        ] {
            self.output.line(line)?;
        }
        Ok(())
    }
}
