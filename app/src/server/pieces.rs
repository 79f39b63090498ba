//! A body handed on in pieces, each only when the one before is taken.
//!
//! Who takes a form with files apart keeps whatever comes until it has found the end of a field's header, and reads on as
//! long as something is there. So a header without an end, or a sender who is quicker than the disk, would fill the memory.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::{Stream, StreamExt};

/// The bytes of a piece.
const PIECE: usize = 16 * 1024;

/// The most bytes that are handed on while nothing of them is taken.
const MOST: usize = 64 * 1024;

/// Tells the body that what it gave was taken.
#[derive(Debug, Clone, Default)]
pub struct Pace(Arc<AtomicUsize>);

impl Pace {
    /// What was given is taken.
    pub fn taken(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// The body in pieces, and its pace.
pub fn in_pieces(body: Body) -> (Body, Pace) {
    let pace = Pace::default();
    let pieces = Pieces { body: body.into_data_stream(), rest: Bytes::new(), given: false, pace: pace.clone() };
    (Body::from_stream(pieces), pace)
}

struct Pieces {
    body: BodyDataStream,
    rest: Bytes,
    /// A piece was given and whoever asked has not come back yet.
    given: bool,
    pace: Pace,
}

impl Stream for Pieces {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, asker: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.pace.0.load(Ordering::Relaxed) > MOST {
            return Poll::Ready(Some(Err(axum::Error::new("a field's header goes on for more than 64 kB"))));
        }
        // Whoever asks again at once is to look at the piece first.
        if std::mem::take(&mut self.given) {
            asker.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.rest.is_empty() {
            match ready!(self.body.poll_next_unpin(asker)) {
                Some(Ok(bytes)) => self.rest = bytes,
                end => return Poll::Ready(end),
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        self.given = true;
        self.pace.0.fetch_add(length, Ordering::Relaxed);
        Poll::Ready(Some(Ok(piece)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_not_taken_is_not_followed_by_more() {
        let (body, pace) = in_pieces(Body::from(vec![b'x'; 10 * MOST]));
        let mut stream = body.into_data_stream();
        let mut given = 0;
        let fault = loop {
            match stream.next().await {
                Some(Ok(piece)) => given += piece.len(),
                end => break end,
            }
        };
        assert!(matches!(fault, Some(Err(_))) && given <= MOST + PIECE, "{given}");
        pace.taken();
        let (body, pace) = in_pieces(Body::from(vec![b'x'; 10 * MOST]));
        let mut stream = body.into_data_stream();
        let mut given = 0;
        while let Some(piece) = stream.next().await {
            given += piece.unwrap().len();
            pace.taken();
        }
        assert_eq!(given, 10 * MOST, "the positive control");
    }
}
