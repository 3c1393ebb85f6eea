use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use axum::extract::MatchedPath;
use axum::http::Method;
use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// An answered request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// The pattern of its path, never the path itself; `None` if no route matched.
    pub(crate) route: Option<MatchedPath>,
    pub(crate) status: u16,
    /// The slug of the problem's type.
    pub(crate) problem: Option<&'static str>,
    pub(crate) took: Duration,
}

pub(super) struct Http {
    requests: Family<[(&'static str, Value); 3], Counter>,
    problems: Family<[(&'static str, Value); 2], Counter>,
    durations: Durations,
}

type Durations = Family<[(&'static str, Value); 1], Histogram, fn() -> Histogram>;

/// The value of a label. Counting a request copies no text.
#[derive(Clone, Debug)]
enum Value {
    Word(&'static str),
    Route(MatchedPath),
}

impl Http {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let (requests, problems) = (Family::default(), Family::default());
        let durations =
            Durations::new_with_constructor(|| Histogram::new([0.005, 0.025, 0.1, 0.5, 2.5, 10.0]));
        registry.register(
            "http_requests",
            "Answered requests, by method, route and class of status",
            requests.clone(),
        );
        registry.register("http_problems", "Answered problems, by route and type", problems.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Duration of requests, by route",
            Unit::Seconds,
            durations.clone(),
        );
        Self { requests, problems, durations }
    }

    pub(super) fn answered(&self, Request { method, route, status, problem, took }: Request) {
        let class = match status {
            100..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        };
        let method = ("method", Value::Word(known(&method)));
        let route = ("route", route.map_or(Value::Word("none"), Value::Route));
        if let Some(problem) = problem {
            self.problems.get_or_create(&[route.clone(), ("type", Value::Word(problem))]).inc();
        }
        self.requests.get_or_create(&[method, route.clone(), ("status", Value::Word(class))]).inc();
        self.durations.get_or_create(&[route]).observe(took.as_secs_f64());
    }
}

/// Returns the method, or `other` for those that no route has, so that callers cannot create
/// metrics.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

impl Value {
    fn as_str(&self) -> &str {
        match self {
            Self::Word(word) => word,
            Self::Route(path) => path.as_str(),
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl EncodeLabelValue for Value {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.as_str().encode(encoder)
    }
}
