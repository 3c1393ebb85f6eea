/// Implements methods of [`InternalNotificationsService`](crate::InternalNotificationsService) by
/// calling another service.
///
/// Use it inside the `impl`, with an expression for the other service. List the methods to forward,
/// and write the others yourself; without a list it forwards all fourteen.
///
/// ```
/// use internal_notifications_service::{
///     InternalNotificationsService, ServiceError, async_trait, delegate_service,
/// };
///
/// /// Forwards everything.
/// struct Wrapper<S>(S);
///
/// impl<S: InternalNotificationsService> InternalNotificationsService for Wrapper<S> {
///     delegate_service!(|this| this.0);
/// }
///
/// /// Loads older notifications ten at a time, and forwards the rest.
/// struct TenAtATime<S>(S);
///
/// #[async_trait]
/// impl<S: InternalNotificationsService> InternalNotificationsService for TenAtATime<S> {
///     async fn load_older(&self, count: usize) -> Result<(), ServiceError> {
///         self.0.load_older(count.next_multiple_of(10)).await
///     }
///
///     delegate_service!(|this| this.0; init, dispose, subscribe, unsubscribe, wake, push,
///         snapshot, snapshots, announcements, mark_opened, mark_unopened, mark_all_opened,
///         remove);
/// }
/// ```
// The signatures of asynchronous methods are those that `#[async_trait]` generates: the attribute
// does not look into macros.
#[macro_export]
macro_rules! delegate_service {
    (|$this:ident| $service:expr) => {
        $crate::delegate_service!(|$this| $service; init, dispose, subscribe, unsubscribe, wake,
            push, snapshot, snapshots, announcements, mark_opened, mark_unopened, mark_all_opened, remove,
            load_older);
    };
    (|$this:ident| $service:expr; $($method:ident),+ $(,)?) => {
        $($crate::delegate_service!(@$method |$this| $service);)+
    };
    (@init $($to:tt)+) => {
        $crate::delegate_service!(@async init() -> ::core::result::Result<(), $crate::ServiceError>, $($to)+);
    };
    (@dispose $($to:tt)+) => {
        $crate::delegate_service!(@async dispose() -> (), $($to)+);
    };
    (@subscribe $($to:tt)+) => {
        $crate::delegate_service!(@async subscribe() -> ::core::result::Result<(), $crate::ServiceError>, $($to)+);
    };
    (@unsubscribe $($to:tt)+) => {
        $crate::delegate_service!(@async unsubscribe() -> ::core::result::Result<(), $crate::ServiceError>, $($to)+);
    };
    (@wake $($to:tt)+) => {
        $crate::delegate_service!(@async wake() -> ::core::result::Result<(), $crate::ServiceError>, $($to)+);
    };
    (@push $($to:tt)+) => {
        $crate::delegate_service!(
            @async push['life1](
                user_ids: &'life1 [$crate::models::UserId],
                notification: $crate::models::InternalNotification
            ) -> ::core::result::Result<$crate::models::Receipt, $crate::ServiceError>, $($to)+
        );
    };
    (@snapshot $($to:tt)+) => {
        $crate::delegate_service!(@sync snapshot -> $crate::Snapshot, $($to)+);
    };
    (@snapshots $($to:tt)+) => {
        $crate::delegate_service!(@sync snapshots -> $crate::BoxStream<'static, $crate::Snapshot>, $($to)+);
    };
    (@announcements $($to:tt)+) => {
        $crate::delegate_service!(
            @sync announcements -> $crate::BoxStream<'static, $crate::Announcement>, $($to)+
        );
    };
    (@mark_opened $($to:tt)+) => {
        $crate::delegate_service!(@mark mark_opened, $($to)+);
    };
    (@mark_unopened $($to:tt)+) => {
        $crate::delegate_service!(@mark mark_unopened, $($to)+);
    };
    (@mark $method:ident, $($to:tt)+) => {
        $crate::delegate_service!(
            @async $method['life1](ids: &'life1 [$crate::models::NotificationId])
                -> ::core::result::Result<$crate::Written, $crate::ServiceError>, $($to)+
        );
    };
    (@mark_all_opened $($to:tt)+) => {
        $crate::delegate_service!(
            @async mark_all_opened() -> ::core::result::Result<$crate::Written, $crate::ServiceError>, $($to)+
        );
    };
    (@remove $($to:tt)+) => {
        $crate::delegate_service!(
            @async remove['life1](id: &'life1 $crate::models::NotificationId)
                -> ::core::result::Result<$crate::Written, $crate::ServiceError>, $($to)+
        );
    };
    (@load_older $($to:tt)+) => {
        $crate::delegate_service!(
            @async load_older(count: usize) -> ::core::result::Result<(), $crate::ServiceError>, $($to)+
        );
    };
    (@sync $method:ident -> $output:ty, |$this:ident| $service:expr) => {
        fn $method(&self) -> $output {
            let $this = self;
            $crate::InternalNotificationsService::$method(&$service)
        }
    };
    (@async $method:ident $([$life:lifetime])? ($($argument:ident: $type:ty),*) -> $output:ty,
        |$this:ident| $service:expr) => {
        fn $method<'life0, $($life,)? 'async_trait>(
            &'life0 self,
            $($argument: $type),*
        ) -> $crate::BoxFuture<'async_trait, $output>
        where
            'life0: 'async_trait,
            $($life: 'async_trait,)?
            Self: 'async_trait,
        {
            let $this = self;
            $crate::InternalNotificationsService::$method(&$service, $($argument),*)
        }
    };
}
