//! The tower layer: who comes without a good token does not reach the service behind it (RFC 6750, RFC 9449 section 7).

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower::{Layer, Service};

use crate::{
    claims::Claims,
    presented::{Presented, presented},
    refusal::Refusal,
    scheme::Scheme,
    sender::Sender,
    server::ResourceServer,
};

/// Puts a check of the access token in front of a service.
#[derive(Clone, Debug)]
pub struct BearerLayer {
    server: ResourceServer,
    scopes: Arc<[String]>,
}

impl BearerLayer {
    pub(crate) fn new(server: ResourceServer) -> Self {
        Self { server, scopes: Arc::new([]) }
    }

    /// Lets only tokens in that have this scope too.
    #[must_use]
    pub fn requiring(mut self, scope: &str) -> Self {
        self.scopes = self.scopes.iter().cloned().chain([scope.to_owned()]).collect();
        self
    }
}

impl<S> Layer<S> for BearerLayer {
    type Service = BearerService<S>;

    fn layer(&self, inner: S) -> BearerService<S> {
        BearerService { inner, layer: self.clone() }
    }
}

/// A service behind a check. It answers what it refuses without a body, and puts the [`Claims`] of what it lets in among the request's
/// extensions.
#[derive(Clone, Debug)]
pub struct BearerService<S> {
    inner: S,
    layer: BearerLayer,
}

impl<S, B, R> Service<Request<B>> for BearerService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The one that is ready is called; its clone waits for the next request.
        let waiting = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, waiting);
        let layer = self.layer.clone();
        Box::pin(async move {
            let presented = match presented(request.headers()) {
                Ok(presented) => presented,
                Err(refusal) => return Ok(refused(&refusal, Scheme::Bearer)),
            };
            let sender = Sender::of(&request, layer.server.settings());
            match layer.check(&presented, &sender).await {
                Ok(claims) => {
                    request.extensions_mut().insert(claims);
                    inner.call(request).await
                }
                Err(refusal) => Ok(refused(&refusal, presented.scheme)),
            }
        })
    }
}

impl BearerLayer {
    async fn check(&self, presented: &Presented, sender: &Sender) -> Result<Claims, Refusal> {
        let claims = self.server.check_from(presented, sender).await?;
        match self.scopes.iter().find(|scope| !claims.has_scope(scope)) {
            None => Ok(claims),
            Some(missing) => Err(Refusal::InsufficientScope(missing.clone())),
        }
    }
}

fn refused<R: Default>(refusal: &Refusal, presented: Scheme) -> Response<R> {
    let mut response = Response::new(R::default());
    *response.status_mut() = refusal.status();
    *response.headers_mut() = refusal.headers_for(presented);
    response
}
