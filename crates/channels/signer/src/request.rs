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

/// An HTTP API request, as far as its signature is concerned (Pusher's "HTTP API reference", authentication).
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method, in either case.
    pub method: &'a str,
    /// The path as it stands in the request line, from `/apps/` on and without the query.
    pub path: &'a str,
    /// The query's parameters, decoded.
    pub query: &'a [(&'a str, &'a str)],
    /// The body's bytes.
    pub body: Option<&'a [u8]>,
}

impl Signer {
    /// The query of the signed request: the given parameters, their names in lower case, with `auth_key`,
    /// `auth_timestamp`, `auth_version` and, if there is a body, `body_md5`; `auth_signature` comes last. They are not
    /// percent-encoded yet. `now` is in Unix seconds.
    ///
    /// # Errors
    /// - [`Request`](ErrorKind::Request), [`Parameter`](ErrorKind::Parameter): something in it would let two requests
    ///   share a signature, such as a line end or a `&`; the scheme signs values without encoding them.
    /// - [`ReservedParameter`](ErrorKind::ReservedParameter): the query already has one that is set here.
    /// - [`DuplicateParameter`](ErrorKind::DuplicateParameter): a name twice that does not end in `[]`.
    pub fn sign_request(&self, request: &Request<'_>, now: u64) -> Result<Vec<(String, String)>, Error> {
        let mut parameters = lower_case(request.query);
        if parameters.iter().any(|(name, _)| name.starts_with("auth_") || name == BODY_MD5) {
            return Err(Error::new(
                ErrorKind::ReservedParameter,
                "auth_ parameters and body_md5 are set by the signer",
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

    /// Whether a received request was signed with this signer's secret, less than 600 seconds away from `now` (Unix
    /// seconds), and has the body that was signed. `request.query` holds every received parameter, decoded,
    /// `auth_signature` among them.
    ///
    /// Within those 600 seconds the same request verifies again: the scheme has no nonce.
    ///
    /// # Errors
    /// The kind says which check failed; the texts are those of Pusher's servers, without the right signature.
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

/// The method, the path and the sorted parameters, a line each. With what is refused here, no two requests have the same.
fn text_to_sign(request: &Request<'_>, parameters: &mut [(String, String)]) -> Result<String, Error> {
    let Request { method, path, .. } = request;
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(Error::new(ErrorKind::Request, "the method must have letters only"));
    }
    if !path.starts_with('/') || path.contains(|c: char| c.is_control() || c == '?' || c == '#') {
        return Err(Error::new(
            ErrorKind::Request,
            "the path must begin with / and have neither query nor control characters",
        ));
    }
    let query = canonical_query(parameters)?;
    Ok(format!("{}\n{path}\n{query}", method.to_ascii_uppercase()))
}

/// Sorts the parameters and joins them, `name=value` with `&` between, not encoded.
fn canonical_query(parameters: &mut [(String, String)]) -> Result<String, Error> {
    // Stable: the values of `name[]` keep their order.
    parameters.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut query = String::new();
    let mut previous = None;
    for (name, value) in parameters.iter() {
        let unclear = |c: char| c.is_control() || c == '&';
        if name.is_empty() || name.contains(|c| unclear(c) || c == '=') || value.contains(unclear) {
            return Err(Error::new(
                ErrorKind::Parameter,
                "a query parameter must have a name, and no control characters or & in name and value",
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

/// The MD5 of a body that has bytes is required; of an empty one it may be there, as some libraries send it.
fn check_body(body_md5: Option<&str>, body: &[u8]) -> Result<(), Error> {
    match body_md5 {
        None if body.is_empty() => Ok(()),
        None => Err(missing("Missing parameter: body_md5")()),
        Some(given) if given.eq_ignore_ascii_case(&md5_hex(body)) => Ok(()),
        Some(_) => Err(Error::new(ErrorKind::BodyMd5, "body_md5 is not that of the body")),
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
