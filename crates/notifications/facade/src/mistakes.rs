//! What people get wrong, and how they are told. Nothing here is needed to use the crate.
//!
//! # What the compiler says
//!
//! `cargo xtask test` holds each to the error that it names; a stable `cargo test --doc` sees only that it does not compile.
//!
//! **A text is no user id.** Not every text names a channel; `"ada".parse()?` checks it.
//!
//! ```compile_fail,E0308
//! # use internal_notifications::{InternalNotification, InternalNotifications, InternalNotificationsService, ServiceError};
//! # async fn app(inbox: InternalNotifications) -> Result<(), ServiceError> {
//! inbox.push(&["ada"], InternalNotification::new("Hello")).await?;
//! # Ok(())
//! # }
//! ```
//!
//! ```
//! # use internal_notifications::{InternalNotification, InternalNotifications, InternalNotificationsService};
//! # async fn app(inbox: InternalNotifications) -> Result<(), Box<dyn std::error::Error>> {
//! inbox.push(&["ada".parse()?], InternalNotification::new("Hello")).await?;
//! # Ok(())
//! # }
//! ```
//!
//! **A call without `.await` is not made yet**, and `?` has nothing to look at.
//!
//! ```compile_fail,E0277
//! # use internal_notifications::{InternalNotifications, InternalNotificationsService, ServiceError};
//! # async fn app(inbox: InternalNotifications) -> Result<(), ServiceError> {
//! inbox.init()?;
//! # Ok(())
//! # }
//! ```
//!
//! ```
//! # use internal_notifications::{InternalNotifications, InternalNotificationsService, ServiceError};
//! # async fn app(inbox: InternalNotifications) -> Result<(), ServiceError> {
//! inbox.init().await?;
//! # Ok(())
//! # }
//! ```
//!
//! **The calls are the trait's**: without `use internal_notifications::InternalNotificationsService` there is no `init`.
//!
//! ```compile_fail,E0599
//! # use internal_notifications::{InternalNotifications, ServiceError};
//! # async fn app(inbox: InternalNotifications) -> Result<(), ServiceError> {
//! inbox.init().await?;
//! # Ok(())
//! # }
//! ```
//!
//! **A handle is moved into a task**: give it a clone, which is the same inbox.
//!
//! ```compile_fail,E0382
//! # use internal_notifications::{InternalNotifications, InternalNotificationsService};
//! # fn app(inbox: InternalNotifications) {
//! std::thread::spawn(move || inbox.snapshot());
//! println!("{} pending", inbox.snapshot().pending);
//! # }
//! ```
//!
//! ```
//! # use internal_notifications::{InternalNotifications, InternalNotificationsService};
//! # fn app(inbox: InternalNotifications) {
//! let other = inbox.clone();
//! std::thread::spawn(move || other.snapshot());
//! println!("{} pending", inbox.snapshot().pending);
//! # }
//! ```
//!
//! **Statuses and announcements may become more**: a `match` needs an arm for the rest.
//!
//! ```compile_fail,E0004
//! # use internal_notifications::Announcement;
//! # fn app(announcement: Announcement) {
//! match announcement {
//!     Announcement::Notification(notification) => println!("{}", notification.content),
//!     Announcement::Bare(notification) => println!("{}", notification.content),
//!     Announcement::Skipped => println!("there may be more"),
//!     Announcement::WriteRefused(refused) => println!("{}", refused.error),
//! }
//! # }
//! ```
//!
//! ```
//! # use internal_notifications::Announcement;
//! # fn app(announcement: Announcement) {
//! match announcement {
//!     Announcement::Notification(notification) => println!("{}", notification.content),
//!     _ => {}
//! }
//! # }
//! ```
//!
//! **A service of one's own has every method**: none has a default, so that no wrapper forgets one.
//!
//! ```compile_fail,E0046
//! # use internal_notifications::{InternalNotificationsService, ServiceError, async_trait};
//! struct Mine;
//!
//! #[async_trait]
//! impl InternalNotificationsService for Mine {
//!     async fn init(&self) -> Result<(), ServiceError> {
//!         Ok(())
//!     }
//! }
//! ```
//!
//! **An implementation needs the macro** `#[async_trait]`, which this crate re-exports.
//!
//! ```compile_fail,E0195
//! # use internal_notifications::{Credentials, Identity, ServiceError};
//! struct Mine(Credentials);
//!
//! impl Identity for Mine {
//!     async fn identity(&self, _fresh: bool) -> Result<Credentials, ServiceError> {
//!         Ok(self.0.clone())
//!     }
//! }
//! ```
//!
//! ```
//! # use internal_notifications::{Credentials, Identity, ServiceError, async_trait};
//! struct Mine(Credentials);
//!
//! #[async_trait]
//! impl Identity for Mine {
//!     async fn identity(&self, _fresh: bool) -> Result<Credentials, ServiceError> {
//!         Ok(self.0.clone())
//!     }
//! }
//! ```
//!
//! **What is given to the builder is shared by tasks**: no `Rc`, no `RefCell`.
//!
//! ```compile_fail,E0277
//! # use internal_notifications::{Credentials, Identity, ServiceError, async_trait};
//! # use std::rc::Rc;
//! struct Mine(Rc<Credentials>);
//!
//! #[async_trait]
//! impl Identity for Mine {
//!     async fn identity(&self, _fresh: bool) -> Result<Credentials, ServiceError> {
//!         Ok((*self.0).clone())
//!     }
//! }
//! ```
//!
//! # What `build` says
//!
//! | mistake | [`kind`](crate::ServiceError::kind) | what it names |
//! | --- | --- | --- |
//! | an unknown service | `Configuration` | `INTERNAL_NOTIFICATIONS_SERVICE`, the name, the services of this build |
//! | a service that is left out of the build | `Configuration` | the service, the services of this build, the feature to enable |
//! | `custom` without a service | `Configuration` | `custom` of the builder |
//! | no server | `Configuration` | `INTERNAL_NOTIFICATIONS_URL`, `url`, and what makes it live-only |
//! | nobody says who the user is | `Configuration` | the variable, the setting |
//! | a token of another user | `Unauthorized`; of the environment `Configuration` | whose it should be; never the token |
//! | a variable that cannot be used | `Configuration` | the variable and what it may be |
//! | two settings that contradict each other | `Configuration` | both |
