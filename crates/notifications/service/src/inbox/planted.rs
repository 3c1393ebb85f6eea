//! Plants the faults of the model test. Builds without this crate's tests have no faults.

/// Evaluates broken code while a fault is planted.
///
/// The right code comes after it and outside of it, so that mutation testing covers it.
#[cfg(not(test))]
macro_rules! planted {
    ($fault:ident => $broken:expr) => {};
}

#[cfg(test)]
macro_rules! planted {
    ($fault:ident => $broken:expr) => {
        if crate::inbox::fault::Fault::$fault.is_planted() {
            $broken;
        }
    };
}
