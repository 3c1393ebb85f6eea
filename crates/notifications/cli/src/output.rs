use std::fmt::Display;
use std::io::{self, Write};

use crate::error::Error;
use crate::escape::{escape_hidden, escape_hidden_in_json};

/// Writes results to standard output, and flushes after every line.
pub(crate) struct Output<W = io::Stdout>(W);

impl Output {
    pub(crate) fn stdout() -> Self {
        Self(io::stdout())
    }
}

impl<W: Write> Output<W> {
    /// Writes a line for people.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Error> {
        self.write(escape_hidden(text))
    }

    /// Writes a line of JSON for programs: a value that is displayed as JSON.
    pub(crate) fn json(&mut self, json: &impl Display) -> Result<(), Error> {
        self.write(escape_hidden_in_json(&json.to_string()))
    }

    fn write(&mut self, mut line: String) -> Result<(), Error> {
        line.push('\n');
        self.0.write_all(line.as_bytes())?;
        Ok(self.0.flush()?)
    }
}

/// Writes a line to standard error. Nothing can be done about a failure.
pub(crate) fn print_to_stderr(text: &str) {
    let _ = writeln!(io::stderr(), "{}", escape_hidden(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_whatever_it_contains() {
        let mut output = Output(Vec::new());
        output.line("a\nb").unwrap();
        output.json(&serde_json::json!({"a": "\n\u{202e}"})).unwrap();
        assert_eq!(String::from_utf8(output.0).unwrap(), "a\\nb\n{\"a\":\"\\n\\u202e\"}\n");
    }

    #[test]
    fn a_closed_pipe_is_distinguished_from_a_full_disk() {
        struct Fails(io::ErrorKind);
        impl Write for Fails {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert!(matches!(Output(Fails(io::ErrorKind::BrokenPipe)).line("a"), Err(Error::OutputClosed)));
        assert!(matches!(Output(Fails(io::ErrorKind::StorageFull)).line("a"), Err(Error::Failed(_))));
    }
}
