//! HTTP over mutual TLS: one small server and one small client, for agents and witness.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::error::AgentError;
use crate::tls::Control;

/// Largest body that is read, bytes.
const BODY_LARGEST: usize = 1 << 20;
/// Connections that are served at once.
const CONNECTIONS_MOST: usize = 64;
/// How long a handshake or the head of a request may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A request, read whole.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) body: Bytes,
}

impl Call {
    /// The body as JSON, or the answer that says why it is none.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Reply> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Reply::refused(StatusCode::BAD_REQUEST, &format!("the body is not what this path takes: {error}"))
        })
    }
}

/// An answer: a status and JSON.
pub(crate) struct Reply {
    status: StatusCode,
    body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json<T: Serialize>(status: StatusCode, value: &T) -> Reply {
        match serde_json::to_vec(value) {
            Ok(body) => Reply { status, body },
            Err(error) => Reply::refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        }
    }

    pub(crate) fn ok<T: Serialize>(value: &T) -> Reply {
        Reply::json(StatusCode::OK, value)
    }

    pub(crate) fn refused(status: StatusCode, message: &str) -> Reply {
        Reply { status, body: serde_json::json!({ "message": message }).to_string().into_bytes() }
    }

    pub(crate) fn not_found() -> Reply {
        Reply::refused(StatusCode::NOT_FOUND, "there is nothing at this path")
    }
}

/// Listens on `address`.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, AgentError> {
    TcpListener::bind(address).await.map_err(|cause| AgentError::Listen { address, cause })
}

/// Serves until the listener fails. Runs inside a `LocalSet`.
pub(crate) async fn serve<F, A>(listener: TcpListener, control: Control, answer: F)
where
    F: Fn(Call) -> A + 'static,
    A: Future<Output = Reply> + 'static,
{
    let acceptor = TlsAcceptor::from(control.server);
    let answer = Rc::new(answer);
    let room = Arc::new(Semaphore::new(CONNECTIONS_MOST));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: give some time to come back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let acceptor = acceptor.clone();
        let answer = Rc::clone(&answer);
        tokio::task::spawn_local(async move {
            serve_connection(stream, acceptor, answer).await;
            drop(permit);
        });
    }
}

async fn serve_connection<F, A>(stream: TcpStream, acceptor: TlsAcceptor, answer: Rc<F>)
where
    F: Fn(Call) -> A + 'static,
    A: Future<Output = Reply> + 'static,
{
    // A peer that does not prove itself gets no answer and no log line: it could flood the log.
    drop(stream.set_nodelay(true));
    let Ok(Ok(stream)) = timeout(PATIENCE, acceptor.accept(stream)).await else { return };
    let service = service_fn(move |request| {
        let answer = Rc::clone(&answer);
        async move { Ok::<_, Infallible>(reply(request, answer.as_ref()).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(60))
        .serve_connection(TokioIo::new(stream), service);
    // The caller went away: nothing to tell anybody.
    drop(connection.await);
}

async fn reply<F, A>(request: Request<Incoming>, answer: &F) -> Response<Full<Bytes>>
where
    F: Fn(Call) -> A,
    A: Future<Output = Reply>,
{
    let (head, body) = request.into_parts();
    let reply = match timeout(PATIENCE, Limited::new(body, BODY_LARGEST).collect()).await {
        Ok(Ok(body)) => {
            let call = Call {
                method: head.method,
                path: head.uri.path().to_owned(),
                query: head.uri.query().map(str::to_owned),
                body: body.to_bytes(),
            };
            answer(call).await
        }
        _ => Reply::refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large or too slow"),
    };
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() = reply.status;
    response
        .headers_mut()
        .insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    response
}

/// One kept connection to one server; calls wait for each other.
#[derive(Debug)]
pub(crate) struct Channel {
    address: SocketAddr,
    control: Control,
    kept: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

impl Channel {
    pub(crate) fn new(address: SocketAddr, control: Control) -> Channel {
        Channel { address, control, kept: Mutex::new(None) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends one request and returns status and body within `bound`. A kept connection that turns out to
    /// be closed is replaced once.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        bound: Duration,
    ) -> Result<(StatusCode, Bytes), AgentError> {
        match timeout(bound, self.exchange(method, path, body)).await {
            Ok(result) => result,
            Err(_) => {
                let cause = io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {bound:?}"));
                Err(AgentError::Unreachable { address: self.address, cause })
            }
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<(StatusCode, Bytes), AgentError> {
        let mut kept = self.kept.lock().await;
        // Taken out while in use: a call that is given up leaves no half-used connection behind.
        let mut sender = match kept.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => self.connect().await?,
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "twinlock")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| self.unreachable(io::Error::other(error)))?;
        if sender.ready().await.is_err() {
            sender = self.connect().await?;
        }
        let response =
            sender.send_request(request).await.map_err(|error| self.unreachable(io::Error::other(error)))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), BODY_LARGEST)
            .collect()
            .await
            .map_err(|error| self.unreachable(io::Error::other(error.to_string())))?
            .to_bytes();
        *kept = Some(sender);
        Ok((status, body))
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, AgentError> {
        let stream = TcpStream::connect(self.address).await.map_err(|error| self.unreachable(error))?;
        drop(stream.set_nodelay(true));
        let stream = TlsConnector::from(Arc::clone(&self.control.client))
            .connect(self.control.name.clone(), stream)
            .await
            .map_err(|error| self.unreachable(error))?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.unreachable(io::Error::other(error)))?;
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    fn unreachable(&self, cause: io::Error) -> AgentError {
        AgentError::Unreachable { address: self.address, cause }
    }
}
