use internal_notifications::with_causes;
use pusher_broker::{Builder, Webhook};
use pusher_client::Roots;

use crate::error::Error;

/// Makes the broker send its webhooks to these URLs.
pub(super) fn add(builder: Builder, urls: &[String]) -> Result<Builder, Error> {
    urls.iter().try_fold(builder, |builder, url| {
        let unusable = |why: &str| Error::usage(format!("{url:?} is not a valid webhook URL: {why}"));
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(unusable("it must begin with https:// or http://"));
        }
        let client = Roots::new()
            .http_client(host(url))
            .map_err(|error| Error::failed(with_causes(&error)))?
            .build()
            .map_err(|error| Error::failed(with_causes(&error)))?;
        client.post(url).build().map_err(|_| unusable("it is malformed"))?;
        let url = url.clone();
        Ok(builder.webhook(move |webhook: Webhook| {
            let request = webhook
                .headers()
                .into_iter()
                .fold(client.post(&url), |request, (name, value)| request.header(name, value))
                .body(webhook.body().to_owned());
            async move {
                let response = request.send().await.map_err(|error| with_causes(&error.without_url()))?;
                match response.status() {
                    status if status.is_success() => Ok(()),
                    status => Err(format!("the response was {status}")),
                }
            }
        }))
    })
}

/// Returns the host of a URL, which decides whether a proxy is used.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    match address.strip_prefix('[') {
        Some(ipv6) => ipv6.split(']').next().unwrap_or_default(),
        None => address.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_found_in_a_url() {
        for (url, expected) in [
            ("http://127.0.0.1:80/a", "127.0.0.1"),
            ("https://[::1]:80?x", "::1"),
            ("https://a:b@app.example", "app.example"),
            ("http://localhost#x", "localhost"),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }
}
