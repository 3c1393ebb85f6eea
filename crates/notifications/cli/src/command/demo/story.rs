use crate::error::Error;
use crate::output::Output;

/// Prints what happens, as it happens.
pub(super) struct Story<'o> {
    output: &'o mut Output,
    step: u32,
}

impl<'o> Story<'o> {
    pub(super) fn new(output: &'o mut Output) -> Self {
        Self { output, step: 0 }
    }

    /// The next step begins.
    pub(super) fn step(&mut self, what: &str) -> Result<(), Error> {
        self.step += 1;
        self.output.line(&format!("{}. {what}", self.step))
    }

    /// Something of it happened.
    pub(super) fn saw(&mut self, what: &str) -> Result<(), Error> {
        self.output.line(&format!("   {what}"))
    }

    pub(super) fn how_to_go_on(
        &mut self,
        url: &str,
        page: &str,
        program: &str,
        database: &str,
    ) -> Result<(), Error> {
        for line in [
            "",
            "To see both users side by side, open in a browser:",
            &format!("  {page}"),
            "",
            "To go on, in another shell:",
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
