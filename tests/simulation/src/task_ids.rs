/// Aligns tokio's task ids, so that the next simulation in this process runs like the first. Tokio
/// ends tasks in an order that depends on process-wide task ids, in shards whose number is a power
/// of two.
pub(crate) fn align() {
    const SHARDS: u64 = 64;
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    runtime.block_on(async {
        loop {
            let id = tokio::spawn(async { tokio::task::id() }).await;
            let number = id.ok().and_then(|id| id.to_string().parse::<u64>().ok());
            if number.is_none_or(|number| number % SHARDS == 0) {
                return;
            }
        }
    });
}
