use std::borrow::Cow;
use std::fmt;

use md5::{Digest, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pusher_protocol::limits::REQUEST_AGE_SECONDS;

use crate::error::{Error, ErrorKind};
use crate::hex;
use crate::signer::Signer;

/// All but the characters that never need encoding (RFC 3986, "unreserved").
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const KEY: &str = "auth_key";
const TIMESTAMP: &str = "auth_timestamp";
const VERSION: &str = "auth_version";
const SIGNATURE: &str = "auth_signature";
const BODY_MD5: &str = "body_md5";

/// The parts of an HTTP API request that its signature covers (Pusher's "HTTP API reference",
/// authentication). `Debug` shows method and path alone.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Request<'a> {
    /// The method, in upper or lower case.
    pub method: &'a str,
    /// The path of the request line without the query, beginning with `/apps/`.
    pub path: &'a str,
    /// The decoded query parameters.
    pub query: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    /// Creates a request without query and body.
    pub fn new(method: &'a str, path: &'a str) -> Self {
        Self { method, path, query: &[], body: None }
    }

    /// Sets the decoded query parameters.
    #[must_use]
    pub fn with_query(self, query: &'a [(&'a str, &'a str)]) -> Self {
        Self { query, ..self }
    }

    /// Sets the body, if there is one.
    #[must_use]
    pub fn with_body(self, body: impl Into<Option<&'a [u8]>>) -> Self {
        Self { body: body.into(), ..self }
    }
}

impl Signer {
    /// Signs a request and returns its whole query: the given parameters with names in lower case,
    /// `auth_key`, `auth_timestamp`, `auth_version`, `body_md5` if there is a body, and
    /// `auth_signature` at the end. The values still need percent-encoding, as
    /// [`sign_query`](Self::sign_query) does it. `now` is in Unix seconds.
    ///
    /// # Errors
    /// - Returns [`Request`](ErrorKind::Request) or [`Parameter`](ErrorKind::Parameter) if method,
    ///   path or a parameter contains something, such as a line end or `&`, that would let two
    ///   requests share a signature: the scheme signs values without encoding them.
    /// - Returns [`ReservedParameter`](ErrorKind::ReservedParameter) if the query has a parameter
    ///   that is set here.
    /// - Returns [`DuplicateParameter`](ErrorKind::DuplicateParameter) if a name that does not end
    ///   in `[]` occurs twice.
    pub fn sign_request(&self, request: &Request<'_>, now: u64) -> Result<Vec<(String, String)>, Error> {
        let mut parameters = lower_case(request.query);
        if parameters.iter().any(|(name, _)| name.starts_with("auth_") || name == BODY_MD5) {
            return Err(Error::new(
                ErrorKind::ReservedParameter,
                "the signer sets body_md5 and the parameters beginning with auth_",
            ));
        }
        let (now, md5) = (now.to_string(), request.body.map(md5_hex));
        let own = [
            (KEY, Some(self.key())),
            (TIMESTAMP, Some(&now)),
            (VERSION, Some("1.0")),
            (BODY_MD5, md5.as_deref()),
        ];
        parameters.extend(own.into_iter().filter_map(|(name, value)| Some((Cow::Borrowed(name), value?))));
        let text = text_to_sign(request, &mut parameters)?;
        let parameters = parameters.into_iter().map(|(name, value)| (name.into_owned(), value.to_owned()));
        let signature = (SIGNATURE.to_owned(), self.sign(text.as_bytes()));
        Ok(parameters.chain([signature]).collect())
    }

    /// Signs a request as [`sign_request`](Self::sign_request) does, and returns the whole query,
    /// percent-encoded, to be appended to the path after `?`.
    ///
    /// # Errors
    /// As [`sign_request`](Self::sign_request).
    pub fn sign_query(&self, request: &Request<'_>, now: u64) -> Result<String, Error> {
        let parameters = self.sign_request(request, now)?.into_iter();
        let pairs = parameters.map(|(name, value)| {
            let [name, value] = [&name, &value].map(|text| utf8_percent_encode(text, ENCODED));
            format!("{name}={value}")
        });
        Ok(pairs.collect::<Vec<_>>().join("&"))
    }

    /// Verifies a received request: its key, signature and body, and that it was signed less than
    /// 600 seconds before or after `now` (Unix seconds). `request.query` must contain all received
    /// parameters, decoded, including `auth_signature`.
    ///
    /// Within those 600 seconds the same request verifies again: the scheme has no nonce. To verify
    /// a request before its body is read, use [`verify_request_head`](Self::verify_request_head).
    ///
    /// # Errors
    /// Returns an error whose kind names the failed check. The texts are those of Pusher's servers,
    /// without the right signature.
    pub fn verify_request(&self, request: &Request<'_>, now: u64) -> Result<(), Error> {
        self.verify_request_head(request, now)?.verify(request.body.unwrap_or_default())
    }

    /// Verifies a received request as [`verify_request`](Self::verify_request) does, but for its
    /// body, which the caller then reads and passes to [`ExpectedBody::verify`]. So nobody without
    /// the secret can make a server read a body.
    ///
    /// # Errors
    /// As [`verify_request`](Self::verify_request).
    pub fn verify_request_head<'a>(
        &self,
        request: &Request<'a>,
        now: u64,
    ) -> Result<ExpectedBody<'a>, Error> {
        let mut parameters = lower_case(request.query);
        let signature = parameters.iter().position(|(name, _)| name == SIGNATURE);
        let signature = signature.map(|place| parameters.remove(place).1);
        let text = text_to_sign(request, &mut parameters)?;
        let find = |wanted| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value);

        if find(KEY).ok_or_else(missing("Missing parameter: auth_key"))? != self.key() {
            return Err(Error::unknown_key());
        }
        if find(VERSION).ok_or_else(missing("Version required"))? != "1.0" {
            return Err(Error::new(ErrorKind::Version, "Version not supported"));
        }
        check_timestamp(find(TIMESTAMP).ok_or_else(missing("Timestamp required"))?, now)?;
        let signature = signature.ok_or_else(missing("Missing parameter: auth_signature"))?;
        if find(SIGNATURE).is_some() {
            return Err(duplicate(SIGNATURE));
        }
        if !self.verify(text.as_bytes(), signature) {
            return Err(Error::signature());
        }
        Ok(ExpectedBody { md5: find(BODY_MD5) })
    }
}

/// What the signature of a request says of its body; see [`Signer::verify_request_head`].
#[derive(Clone, Copy, Debug)]
#[must_use = "the body is not verified yet"]
pub struct ExpectedBody<'a> {
    md5: Option<&'a str>,
}

impl ExpectedBody<'_> {
    /// Verifies the body against `body_md5`, which is required unless the body is empty. Some
    /// libraries send it even then.
    ///
    /// # Errors
    /// Returns [`MissingParameter`](ErrorKind::MissingParameter) or
    /// [`BodyMd5`](ErrorKind::BodyMd5).
    pub fn verify(self, body: &[u8]) -> Result<(), Error> {
        match self.md5 {
            None if body.is_empty() => Ok(()),
            None => Err(missing("Missing parameter: body_md5")()),
            Some(given) if given.eq_ignore_ascii_case(&md5_hex(body)) => Ok(()),
            Some(_) => Err(Error::new(ErrorKind::BodyMd5, "body_md5 does not match the body")),
        }
    }
}

/// Returns the text to sign: method, path and sorted parameters, one line each. The checks ensure
/// that no two requests have the same text.
fn text_to_sign(request: &Request<'_>, parameters: &mut [(Cow<'_, str>, &str)]) -> Result<String, Error> {
    let Request { method, path, .. } = request;
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(Error::new(ErrorKind::Request, "the method must consist of letters"));
    }
    if !path.starts_with('/') || path.contains(|c: char| c.is_control() || c == '?' || c == '#') {
        return Err(Error::new(
            ErrorKind::Request,
            "the path must begin with / and contain neither a query nor control characters",
        ));
    }
    let query: usize = parameters.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    let mut text = String::with_capacity(method.len() + path.len() + 2 + query);
    text.push_str(method);
    text.make_ascii_uppercase();
    for part in ["\n", path, "\n"] {
        text.push_str(part);
    }
    push_canonical_query(&mut text, parameters)?;
    Ok(text)
}

/// Sorts the parameters and appends them as `name=value`, separated by `&`, without encoding them.
fn push_canonical_query(text: &mut String, parameters: &mut [(Cow<'_, str>, &str)]) -> Result<(), Error> {
    // A stable sort, so that the values of `name[]` stay in order.
    parameters.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut previous = None;
    for (name, value) in parameters.iter() {
        let separates = |c: char| c.is_control() || c == '&';
        if name.is_empty() || name.contains(|c| separates(c) || c == '=') || value.contains(separates) {
            return Err(Error::new(
                ErrorKind::Parameter,
                "a query parameter needs a name, and must not contain & or control characters",
            ));
        }
        if previous == Some(name) && !name.ends_with("[]") {
            return Err(duplicate(name));
        }
        if previous.replace(name).is_some() {
            text.push('&');
        }
        for part in [name, "=", value] {
            text.push_str(part);
        }
    }
    Ok(())
}

fn lower_case<'a>(query: &[(&'a str, &'a str)]) -> Vec<(Cow<'a, str>, &'a str)> {
    let lower_case = |name: &'a str| match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    };
    query.iter().map(|(name, value)| (lower_case(name), *value)).collect()
}

fn check_timestamp(timestamp: &str, now: u64) -> Result<(), Error> {
    let seconds =
        timestamp.parse::<u64>().ok().filter(|_| timestamp.bytes().all(|byte| byte.is_ascii_digit()));
    let Some(seconds) = seconds else {
        return Err(Error::new(ErrorKind::Timestamp, "Timestamp must be a number of Unix seconds"));
    };
    if seconds.abs_diff(now) < REQUEST_AGE_SECONDS {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Expired,
        format!(
            "Timestamp expired: Given timestamp ({seconds}) not within {REQUEST_AGE_SECONDS}s of server time ({now})"
        ),
    ))
}

fn md5_hex(body: &[u8]) -> String {
    let mut digits = String::with_capacity(32);
    hex::push::<16>(&mut digits, Md5::digest(body).into());
    digits
}

fn missing(text: &'static str) -> impl Fn() -> Error {
    move || Error::new(ErrorKind::MissingParameter, text)
}

fn duplicate(name: &str) -> Error {
    Error::new(ErrorKind::DuplicateParameter, format!("Parameter given twice: {name}"))
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
