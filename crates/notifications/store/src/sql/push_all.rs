use internal_notifications_models::Receipt;

use crate::rules::push::NewPush;
use crate::{Push, StoreError};

/// Prepares pushes, executes together those that are valid, and returns the answer of each.
pub(crate) async fn execute_all<F>(
    pushes: Vec<Push>,
    execute: impl FnOnce(Vec<NewPush>) -> F,
) -> Vec<Result<Receipt, StoreError>>
where
    F: Future<Output = Vec<Result<Receipt, StoreError>>>,
{
    let mut valid = Vec::with_capacity(pushes.len());
    let mut prepare = |push| match NewPush::new(push) {
        Ok(push) => {
            valid.push(push);
            None
        }
        Err(invalid) => Some(Err(invalid)),
    };
    let invalid: Vec<Option<_>> = pushes.into_iter().map(&mut prepare).collect();
    let mut answers = execute(valid).await.into_iter();
    invalid.into_iter().filter_map(|invalid| invalid.or_else(|| answers.next())).collect()
}
