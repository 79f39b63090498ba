//! The stream of a connection, which tells its visit what comes and goes.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::refusals::HALF_HEAD;
use super::visit::Visit;

/// A stream and its visit.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    visit: Arc<Visit>,
}

impl Wire {
    /// The stream of a visit.
    #[must_use]
    pub const fn new(stream: TcpStream, visit: Arc<Visit>) -> Self {
        Self { stream, visit }
    }

    /// Tells who sent half a head that no more is waited for, where that can be sent at once.
    pub fn farewell(&self) {
        let _ = self.stream.try_write(HALF_HEAD.as_bytes());
    }

    fn sent(&self, sent: Poll<Result<usize>>) -> Poll<Result<usize>> {
        match sent {
            Poll::Ready(_) => self.visit.took(),
            Poll::Pending => self.visit.stuck(),
        }
        sent
    }
}

impl AsyncRead for Wire {
    /// Says that the stream is at its end where the visit was asked to leave and nothing of a request is here.
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        match &read {
            Poll::Ready(Ok(())) if buf.filled().len() > before => self.visit.came(),
            Poll::Pending if self.visit.closes() => return Poll::Ready(Ok(())),
            _ => {}
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.sent(sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.sent(sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes once it has nothing left to write.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() {
            self.visit.left();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
