use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// An answered request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    /// The pattern of its path, never the path itself; `none` if no route matched.
    pub(crate) route: String,
    pub(crate) status: u16,
    /// The slug of the problem's type.
    pub(crate) problem: Option<&'static str>,
    pub(crate) took: Duration,
}

pub(super) struct Http {
    requests: Family<[(&'static str, String); 3], Counter>,
    problems: Family<[(&'static str, String); 2], Counter>,
    durations: Durations,
}

type Durations = Family<[(&'static str, String); 1], Histogram, fn() -> Histogram>;

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
        let labels = [("method", method.to_owned()), ("route", route.clone()), ("status", class.to_owned())];
        self.requests.get_or_create(&labels).inc();
        if let Some(problem) = problem {
            self.problems.get_or_create(&[("route", route.clone()), ("type", problem.to_owned())]).inc();
        }
        self.durations.get_or_create(&[("route", route)]).observe(took.as_secs_f64());
    }
}
