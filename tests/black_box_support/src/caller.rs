use crate::http::{Answer, Http};
use bytes::Bytes;
use hyper::Request;
use serde_json::{Value, json};
use std::error::Error;

/// A caller with a credential.
pub struct Caller {
    http: Http,
    bearer: String,
}

impl Caller {
    /// Creates a caller that sends this bearer token with every request.
    pub fn new(http: Http, bearer: &str) -> Self {
        Self { http, bearer: bearer.to_owned() }
    }

    /// Sends a GET request. Panics if there is no answer, as `post` and `delete` do.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &Value::Null).await.unwrap()
    }

    /// Sends a POST request with a JSON body.
    pub async fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, body).await.unwrap()
    }

    /// Sends a DELETE request without a body.
    pub async fn delete(&mut self, path: &str) -> Answer {
        self.send("DELETE", path, &Value::Null).await.unwrap()
    }

    /// Pushes a notification, and returns whether the push was acknowledged.
    ///
    /// # Errors
    /// Returns an error if there is no answer.
    pub async fn push(
        &mut self,
        users: &[&str],
        notification: &Value,
    ) -> Result<bool, Box<dyn Error + Send + Sync>> {
        let body = json!({"user_ids": users, "notification": notification});
        let answer = self.send("POST", "/v1/notifications", &body).await?;
        Ok(matches!(answer.status, 200 | 201))
    }

    /// Sends a request, with an empty body if `body` is null.
    ///
    /// # Errors
    /// Returns an error if there is no answer.
    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("authorization", format!("Bearer {}", self.bearer))
            .header("content-type", "application/json");
        self.http.send(request.body(body.into()).unwrap()).await
    }
}
