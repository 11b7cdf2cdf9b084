//! The guard: refuses requests that are meant for another server, and those that a page of another site makes
//! a browser send.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};

use crate::catalog::Quoted;
use crate::server::hosts::Hosts;
use crate::server::http::plain;

/// The media types of requests that may change something. A browser asks before it sends one of them to
/// another site, and this server permits nothing; forms have other types.
const CONTENT_TYPES: [&str; 5] = [
    "application/json",
    "application/proto",
    "application/connect+json",
    "application/connect+proto",
    "application/octet-stream",
];

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Why the guard refuses a request.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("o pedido não diz para que servidor é: falta um cabeçalho Host, e um só. Nada foi feito.")]
    NoHost,
    #[error(
        "este servidor não se chama {}. Nada foi feito; use localhost, o endereço ou o nome da máquina, ou inicie \
         o servidor com --public-name.",
        Quoted(.0)
    )]
    OtherHost(String),
    #[error("o pedido vem de uma página de outro site. Nada foi feito; abra o painel deste servidor.")]
    OtherSite,
    #[error("este servidor atende só GET, HEAD e POST. Nada foi feito.")]
    OtherMethod,
    #[error(
        "um POST precisa de um destes content-type: {}. Nada foi feito; envie de novo com um deles.",
        CONTENT_TYPES.join(", ")
    )]
    OtherType,
}

impl Refused {
    pub(super) fn answer(&self) -> Response<Body> {
        let status = match self {
            Refused::NoHost => StatusCode::BAD_REQUEST,
            Refused::OtherHost(_) => StatusCode::MISDIRECTED_REQUEST,
            Refused::OtherSite => StatusCode::FORBIDDEN,
            Refused::OtherMethod => StatusCode::METHOD_NOT_ALLOWED,
            Refused::OtherType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        };
        let mut answer = plain::answer(status, &self.to_string());
        if *self == Refused::OtherMethod {
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        }
        answer
    }
}

/// Checks a request that arrived at the address `local`.
///
/// # Errors
/// If the request is for another server, from another site, or of a kind that no route serves.
pub(super) fn check<B>(request: &Request<B>, hosts: &Hosts, local: Option<IpAddr>) -> Result<(), Refused> {
    let authority = authority(request).ok_or(Refused::NoHost)?;
    if !hosts.has(authority.host(), local) {
        return Err(Refused::OtherHost(authority.host().to_owned()));
    }
    if !is_own_site(request, hosts, &authority) {
        return Err(Refused::OtherSite);
    }
    match *request.method() {
        Method::GET | Method::HEAD => Ok(()),
        Method::POST if has_known_type(request.headers()) => Ok(()),
        Method::POST => Err(Refused::OtherType),
        _ => Err(Refused::OtherMethod),
    }
}

/// The host with its port that a request names, if it names exactly one.
fn authority<B>(request: &Request<B>) -> Option<Authority> {
    let host = one(request.headers(), &header::HOST).ok()?;
    let host = host.map(|host| Authority::try_from(host.as_bytes())).transpose().ok()?;
    let authority = match (request.uri().authority(), host) {
        (Some(authority), Some(host)) if *authority != host => None,
        (Some(authority), _) => Some(authority.clone()),
        (None, host) => host,
    };
    authority.filter(|authority| !authority.as_str().contains('@'))
}

/// Whether no page of another site has a browser send the request.
fn is_own_site<B>(request: &Request<B>, hosts: &Hosts, own: &Authority) -> bool {
    let headers = request.headers();
    let is_own_origin = match one(headers, &header::ORIGIN) {
        Ok(None) => true,
        Ok(Some(origin)) => origin.to_str().is_ok_and(|origin| is_own_origin(origin, own, hosts)),
        Err(_) => false,
    };
    let is_own_fetch = match one(headers, &SEC_FETCH_SITE) {
        Ok(None) => true,
        Ok(Some(site)) => {
            matches!(site.as_bytes(), b"same-origin" | b"none") || is_navigation(request.method(), headers)
        }
        Err(_) => false,
    };
    is_own_origin && is_own_fetch
}

/// Whether an origin (RFC 6454) is the server that the request names, or a public name of this one.
fn is_own_origin(origin: &str, own: &Authority, hosts: &Hosts) -> bool {
    let Some((scheme, rest)) = origin.split_once("://") else { return false };
    let default_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let Ok(origin) = rest.parse::<Authority>() else { return false };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(default_port);
    let is_named = origin.host().eq_ignore_ascii_case(own.host()) && port(&origin) == port(own);
    // A proxy may ask under a name of its own.
    is_named || (hosts.is_public(origin.host()) && port(&origin) == default_port)
}

/// Whether a person follows a link from another site: the browser leaves that site, whose page sees nothing
/// of the answer.
fn is_navigation(method: &Method, headers: &HeaderMap) -> bool {
    let is = |name, value: &str| headers.get(name).is_some_and(|given| given == value);
    matches!(*method, Method::GET | Method::HEAD)
        && is(SEC_FETCH_MODE, "navigate")
        && is(SEC_FETCH_DEST, "document")
}

fn has_known_type(headers: &HeaderMap) -> bool {
    let Ok(Some(value)) = one(headers, &header::CONTENT_TYPE) else { return false };
    let essence = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    CONTENT_TYPES.iter().any(|known| essence.eq_ignore_ascii_case(known.as_bytes()))
}

/// A header field that is given several times.
#[derive(Debug)]
struct Several;

/// The value of a header field, if it is given.
///
/// # Errors
/// If it is given several times.
fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h HeaderValue>, Several> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Several),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Why a request with this method, target and these fields is refused.
    fn refused(method: &str, target: &str, fields: &[(&str, &str)]) -> Option<Refused> {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let hosts = Hosts::new(vec!["loja.example".to_owned()]);
        check(&request.body(()).unwrap(), &hosts, "192.0.2.7".parse().ok()).err()
    }

    const HOST: (&str, &str) = ("host", "localhost:8082");

    #[test]
    fn a_request_names_this_server_and_no_other() {
        assert_eq!(refused("GET", "/", &[HOST]), None);
        assert_eq!(refused("GET", "http://localhost:8082/", &[HOST]), None);
        assert_eq!(refused("GET", "http://192.0.2.7/", &[]), None);
        assert_eq!(refused("GET", "/", &[]), Some(Refused::NoHost));
        assert_eq!(refused("GET", "/", &[HOST, HOST]), Some(Refused::NoHost));
        assert_eq!(refused("GET", "/", &[("host", "a@localhost")]), Some(Refused::NoHost));
        assert_eq!(refused("GET", "/", &[("host", "local host")]), Some(Refused::NoHost));
        assert_eq!(refused("GET", "http://evil.example/", &[HOST]), Some(Refused::NoHost));
        let other = Some(Refused::OtherHost("evil.example".to_owned()));
        assert_eq!(refused("GET", "/", &[("host", "evil.example:8082")]), other);
    }

    #[test]
    fn a_page_of_another_site_gets_nothing() {
        let post = |fields: &[(&str, &str)]| {
            let fields = [&[HOST, ("content-type", "application/json")], fields].concat();
            refused("POST", "/", &fields)
        };
        for own in ["http://localhost:8082", "http://LOCALHOST:8082", "https://loja.example"] {
            assert_eq!(post(&[("origin", own)]), None, "{own}");
        }
        for other in [
            "null",
            "",
            "http://localhost",
            "http://localhost:3000",
            "https://evil.example",
            "https://loja.example:8443",
            "http://localhost:8082.evil.example",
            "file://localhost:8082",
        ] {
            assert_eq!(post(&[("origin", other)]), Some(Refused::OtherSite), "{other}");
        }
        for (site, is_own) in
            [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false), ("", false)]
        {
            assert_eq!(post(&[("sec-fetch-site", site)]).is_none(), is_own, "{site}");
        }
        // A link is followed by a person; a script, a frame or a picture is not.
        let link = [HOST, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        let to = |kind| [&link[..], &[("sec-fetch-dest", kind)]].concat();
        assert_eq!(refused("GET", "/", &to("document")), None);
        assert_eq!(refused("GET", "/", &to("iframe")), Some(Refused::OtherSite));
        assert_eq!(refused("POST", "/", &to("document")), Some(Refused::OtherSite));
    }

    #[test]
    fn no_form_changes_anything() {
        let post = |kind| refused("POST", "/", &[HOST, ("content-type", kind)]);
        for known in ["application/json", "Application/JSON; charset=utf-8", "application/connect+json"] {
            assert_eq!(post(known), None, "{known}");
        }
        for other in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "json"] {
            assert_eq!(post(other), Some(Refused::OtherType), "{other}");
        }
        assert_eq!(refused("POST", "/", &[HOST]), Some(Refused::OtherType));
        assert_eq!(refused("DELETE", "/", &[HOST]), Some(Refused::OtherMethod));
        assert_eq!(refused("OPTIONS", "/", &[HOST]), Some(Refused::OtherMethod));
    }
}
