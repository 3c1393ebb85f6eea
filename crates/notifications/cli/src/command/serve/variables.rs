use internal_notifications_server::config::{Variable, variables};

/// Returns the list of the server's environment variables for `--help`.
pub(super) fn help() -> String {
    let entry = |Variable { name, default, allowed, purpose, .. }: &Variable| {
        let default = default.map_or(String::new(), |default| format!(" [default: {default}]"));
        let text = format!("{purpose} It must be {allowed}.").replace('`', "");
        format!("  {name}{default}\n          {text}\n")
    };
    let entries: Vec<String> = variables().iter().map(entry).collect();
    format!("Environment variables:\n{}", entries.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_lists_every_variable_with_its_default() {
        let help = help();
        for Variable { name, .. } in variables() {
            assert!(help.contains(&format!("  {name}")), "{name}");
        }
        assert!(help.contains("  INTERNAL_NOTIFICATIONS_RETENTION [default: 365d]\n"), "{help}");
    }
}
