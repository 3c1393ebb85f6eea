//! Tests of the OpenAPI description. `tests/interop/python/test_openapi.py` also tries each route.

use reqwest::Method;
use serde_json::Value;

use crate::app::{TestApp, send};

fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_described_route_exists_and_requires_its_credential() {
    let app = TestApp::start().await;
    let description = send(app.request(Method::GET, "/openapi.json")).await;
    assert_eq!((description.status, description.header("content-type")), (200, "application/json"));
    let paths = description.body["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 26, "{:?}", paths.keys());
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let answer = send(app.request(method.clone(), &path.replace(['{', '}'], ""))).await;
            assert!(
                !matches!(answer.status, 404 | 405) || path.starts_with("/app"),
                "{method} {path}: {answer:?}"
            );
            let bearer = operation["security"].to_string().contains("token")
                || operation["security"].to_string().contains("api_key");
            assert_eq!(answer.status == 401, bearer, "{method} {path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn every_reference_resolves() {
    let app = TestApp::start().await;
    let body = send(app.request(Method::GET, "/openapi.json")).await.body;
    let mut found = Vec::new();
    references(&body, &mut found);
    assert!(found.len() > 20);
    for reference in found {
        assert!(body.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
}
