use std::fmt;

use md5::{Digest, Md5};
use pusher_protocol::limits::REQUEST_AGE_SECONDS;

use crate::error::{Error, ErrorKind};
use crate::hex;
use crate::signer::Signer;

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
    /// `auth_signature` at the end. The values still need percent-encoding. `now` is in Unix
    /// seconds.
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
        let mut add = |name: &str, value: String| parameters.push((name.to_owned(), value));
        add(KEY, self.key().to_owned());
        add(TIMESTAMP, now.to_string());
        add(VERSION, "1.0".to_owned());
        if let Some(body) = request.body {
            add(BODY_MD5, md5_hex(body));
        }
        let text = text_to_sign(request, &mut parameters)?;
        parameters.push((SIGNATURE.to_owned(), self.sign(text.as_bytes())));
        Ok(parameters)
    }

    /// Verifies a received request: its key, signature and body, and that it was signed less than
    /// 600 seconds before or after `now` (Unix seconds). `request.query` must contain all received
    /// parameters, decoded, including `auth_signature`.
    ///
    /// Within those 600 seconds the same request verifies again: the scheme has no nonce.
    ///
    /// # Errors
    /// Returns an error whose kind names the failed check. The texts are those of Pusher's servers,
    /// without the right signature.
    pub fn verify_request(&self, request: &Request<'_>, now: u64) -> Result<(), Error> {
        let (signatures, mut parameters): (Vec<_>, Vec<_>) =
            lower_case(request.query).into_iter().partition(|(name, _)| name == SIGNATURE);
        let text = text_to_sign(request, &mut parameters)?;
        let find =
            |wanted| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());

        if find(KEY).ok_or_else(missing("Missing parameter: auth_key"))? != self.key() {
            return Err(Error::unknown_key());
        }
        if find(VERSION).ok_or_else(missing("Version required"))? != "1.0" {
            return Err(Error::new(ErrorKind::Version, "Version not supported"));
        }
        check_timestamp(find(TIMESTAMP).ok_or_else(missing("Timestamp required"))?, now)?;
        let signature = match signatures.as_slice() {
            [(_, signature)] => signature,
            [] => return Err(missing("Missing parameter: auth_signature")()),
            _ => return Err(duplicate(SIGNATURE)),
        };
        if !self.verify(text.as_bytes(), signature) {
            return Err(Error::signature());
        }
        check_body(find(BODY_MD5), request.body.unwrap_or_default())
    }
}

/// Returns the text to sign: method, path and sorted parameters, one line each. The checks ensure
/// that no two requests have the same text.
fn text_to_sign(request: &Request<'_>, parameters: &mut [(String, String)]) -> Result<String, Error> {
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
    let query = canonical_query(parameters)?;
    Ok(format!("{}\n{path}\n{query}", method.to_ascii_uppercase()))
}

/// Sorts the parameters and joins them as `name=value`, separated by `&`, without encoding them.
fn canonical_query(parameters: &mut [(String, String)]) -> Result<String, Error> {
    // A stable sort, so that the values of `name[]` stay in order.
    parameters.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut query = String::new();
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
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        query.push_str(value);
    }
    Ok(query)
}

fn lower_case(query: &[(&str, &str)]) -> Vec<(String, String)> {
    query.iter().map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned())).collect()
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

/// Checks `body_md5`, which is required unless the body is empty. Some libraries send it even then.
fn check_body(body_md5: Option<&str>, body: &[u8]) -> Result<(), Error> {
    match body_md5 {
        None if body.is_empty() => Ok(()),
        None => Err(missing("Missing parameter: body_md5")()),
        Some(given) if given.eq_ignore_ascii_case(&md5_hex(body)) => Ok(()),
        Some(_) => Err(Error::new(ErrorKind::BodyMd5, "body_md5 does not match the body")),
    }
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
