use percent_encoding::percent_decode_str;

use crate::error::{Error, ErrorKind};
use crate::signer::Signer;

impl Signer {
    /// Creates a signer from the key and secret in the value of `PUSHER_URL`, which has the form
    /// `https://KEY:SECRET@HOST[:PORT]/apps/ID`. Key and secret are percent-encoded where needed.
    ///
    /// # Errors
    /// Returns [`Url`](ErrorKind::Url) if it has another form. The text does not contain the URL.
    pub fn from_url(url: &str) -> Result<Self, Error> {
        parse(url).ok_or_else(|| {
            Error::new(ErrorKind::Url, "the URL must have the form https://KEY:SECRET@HOST[:PORT]/apps/ID")
        })
    }
}

fn parse(url: &str) -> Option<Signer> {
    let (scheme, rest) = url.trim().split_once("://")?;
    if !["https", "http"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let (authority, path) = rest.split_once('/')?;
    let (user, host) = authority.rsplit_once('@')?;
    let (key, secret) = user.split_once(':')?;
    let app_id = path.strip_prefix("apps/")?.trim_end_matches('/');
    if host.is_empty() || app_id.is_empty() || app_id.contains(['/', '?', '#']) {
        return None;
    }
    let decoded = |text: &str| {
        let text = percent_decode_str(text).decode_utf8().ok()?.into_owned();
        (!text.is_empty()).then_some(text)
    };
    Some(Signer::new(decoded(key)?, &decoded(secret)?))
}
