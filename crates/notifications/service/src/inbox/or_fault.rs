//! Where the model test plants its faults. Nothing of it is there elsewhere than in this crate's own tests.

/// What is right; while that fault is planted, what is broken.
#[cfg(not(test))]
macro_rules! or_fault {
    ($fault:ident => $broken:expr) => {};
    ($right:expr, $fault:ident => $broken:expr) => {
        $right
    };
}

#[cfg(test)]
macro_rules! or_fault {
    ($fault:ident => $broken:expr) => {
        or_fault!((), $fault => $broken)
    };
    ($right:expr, $fault:ident => $broken:expr) => {
        if crate::inbox::fault::Fault::$fault.is_planted() { $broken } else { $right }
    };
}
