//! The places where the model test plants its faults. Builds without this crate's tests have no
//! faults.

/// Evaluates to the first expression, or to the broken one while that fault is planted.
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
