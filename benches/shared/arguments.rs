/// The program's arguments.
pub(crate) struct Arguments(Vec<String>);

impl Arguments {
    pub(crate) fn read() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    /// Returns the first argument, which selects what this process does.
    pub(crate) fn command(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }

    /// Returns whether to measure. Otherwise, as under `cargo test --benches`, everything only has
    /// to run.
    pub(crate) fn is_bench_run(&self) -> bool {
        self.0.iter().any(|argument| argument == "--bench")
    }

    /// Returns whether a measurement is selected. If none is named, all are.
    pub(crate) fn selects(&self, name: &str) -> bool {
        let mut names = self.0.iter().filter(|argument| !argument.starts_with("--")).peekable();
        names.peek().is_none() || names.any(|selected| selected == name)
    }

    /// Returns the value of `--name=value`.
    #[allow(dead_code, reason = "not every bench has servers with options")]
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|argument| argument.strip_prefix(name)?.strip_prefix('='))
    }
}
