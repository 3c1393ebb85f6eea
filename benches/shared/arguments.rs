/// What the program was called with.
pub(crate) struct Arguments(Vec<String>);

impl Arguments {
    pub(crate) fn read() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    /// The first, which says what this process is to be.
    pub(crate) fn command(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }

    /// Whether it is to measure, and not only to be tried.
    pub(crate) fn are_of_bench(&self) -> bool {
        self.0.iter().any(|argument| argument == "--bench")
    }

    /// Whether this room is wanted: all are, if none is named.
    pub(crate) fn want(&self, name: &str) -> bool {
        let mut names = self.0.iter().filter(|argument| !argument.starts_with("--")).peekable();
        names.peek().is_none() || names.any(|wanted| wanted == name)
    }
}
