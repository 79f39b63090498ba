//! Bodies that tell their visit how they get on.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use super::visit::Visit;

/// The body of a request, while it comes in.
#[derive(Debug)]
pub struct Awaited {
    body: Incoming,
    visit: Arc<Visit>,
}

impl Awaited {
    /// The body of a visit's request.
    #[must_use]
    pub const fn new(body: Incoming, visit: Arc<Visit>) -> Self {
        Self { body, visit }
    }
}

impl HttpBody for Awaited {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let came = Pin::new(&mut self.body).poll_frame(cx);
        match &came {
            Poll::Pending => self.visit.body_awaited(),
            Poll::Ready(Some(Ok(frame))) => self.visit.body_came(frame.data_ref().map_or(0, Bytes::len)),
            Poll::Ready(Some(Err(_)) | None) => self.visit.body_over(),
        }
        came
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.visit.body_over();
    }
}

/// The body of an answer: gone once all of it was handed over.
#[derive(Debug)]
pub struct Answered {
    body: Body,
    visit: Arc<Visit>,
}

impl Answered {
    /// The body of the answer to a visit's request.
    #[must_use]
    pub const fn new(body: Body, visit: Arc<Visit>) -> Self {
        Self { body, visit }
    }
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.visit.answered();
    }
}
