/// What a figure is to reach.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Goal {
    /// Prints a figure beside its goal. Infinity stands for what did not happen in time.
    pub(crate) fn print(&self, what: &str, figure: f64, unit: &str) {
        let (words, goal, is_reached) = match self {
            Self::AtMost(goal) => ("at most", goal, figure <= *goal),
            Self::AtLeast(goal) => ("at least", goal, figure >= *goal),
        };
        let verdict = if is_reached { "" } else { ": MISSED" };
        println!("  {what:<48} {figure:10.2} {unit:<8} goal: {words} {goal}{verdict}");
    }
}

/// Prints a figure without a goal.
pub(crate) fn print(what: &str, figure: f64, unit: &str) {
    println!("  {what:<48} {figure:10.2} {unit}");
}
