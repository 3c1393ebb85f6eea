/// Makes the next simulation of this process begin as the first one did: tokio ends tasks in an order that hangs on process-wide task ids, in
/// shards of which there are a power of two.
pub(crate) fn tasks() {
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
