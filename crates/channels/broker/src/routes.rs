use axum::Router;
use axum::routing::{get, post};

use crate::apps::Apps;
use crate::broker::Broker;
use crate::{http_api, upgrade};

impl Broker {
    /// Returns the broker's routes: the WebSocket at `GET /app/{key}`, and the HTTP API below
    /// `/apps/{id}` with `POST events`, `POST batch_events`, `GET channels`, `GET channels/{name}`,
    /// `GET channels/{name}/users` and `POST users/{id}/terminate_connections`.
    ///
    /// If the router is nested below a path, callers of the HTTP API still sign the path from
    /// `/apps/` on.
    pub fn router(&self) -> Router {
        Apps::from(self.clone()).router()
    }
}

impl Apps {
    /// Returns the routes of [`Broker::router`] for all apps.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/app/{key}", get(upgrade::accept))
            .route("/apps/{id}/events", post(http_api::events))
            .route("/apps/{id}/batch_events", post(http_api::batch_events))
            .route("/apps/{id}/channels", get(http_api::channels))
            .route("/apps/{id}/channels/{name}", get(http_api::channel))
            .route("/apps/{id}/channels/{name}/users", get(http_api::users))
            .route("/apps/{id}/users/{user}/terminate_connections", post(http_api::terminate_connections))
            .with_state(self.clone())
    }
}
