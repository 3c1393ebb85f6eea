use std::sync::Arc;

use async_trait::async_trait;

/// The network connection of a single device.
#[async_trait]
pub trait Connection: Send + Sync {
    /// Breaks the connection in a way that the service notices, and keeps it broken.
    async fn cut(&self);

    /// Allows the service to connect again.
    async fn mend(&self);

    /// Makes every `init` fail until [`mend`](Self::mend) is called (bullet 4). Cuts the connection
    /// by default.
    async fn fail_init(&self) {
        self.cut().await;
    }

    /// Makes the server refuse the next queued write of this device that reaches it (bullet 24).
    /// Returns false, the default, if that cannot be arranged; the suite then only tests a refused
    /// removal, not the roll-back of a mark.
    async fn refuse_next_write(&self) -> bool {
        false
    }
}

#[async_trait]
impl<C: Connection + ?Sized> Connection for Arc<C> {
    async fn cut(&self) {
        (**self).cut().await;
    }

    async fn mend(&self) {
        (**self).mend().await;
    }

    async fn fail_init(&self) {
        (**self).fail_init().await;
    }

    async fn refuse_next_write(&self) -> bool {
        (**self).refuse_next_write().await
    }
}
