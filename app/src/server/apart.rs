//! Where a request is worked on: to its end, whoever goes away meanwhile, and heavy work on a thread of its own.
//!
//! A request that is here in whole is not dropped in the middle when its browser goes away: the database would go on with
//! its statement all the same, and the places that the request holds would be free for the next one before they are.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use axum::response::{IntoResponse, Response};
use eis::values::clock::Clock;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinError;
use tracing::Instrument;
use tracing::instrument::WithSubscriber;

use super::asked::Asked;
use super::errors::AppError;

/// Answers a request to its end.
pub async fn to_its_end(work: impl Future<Output = Response> + Send + 'static) -> Response {
    let work = Asked::here().answering(work).in_current_span();
    match tokio::spawn(work).await.map_err(JoinError::try_into_panic) {
        Ok(response) => response,
        Err(Ok(panic)) => go_on(panic),
        // The runtime goes down.
        Err(Err(error)) => AppError::Internal(error.to_string()).into_response(),
    }
}

/// How much heavy work gives way to pages, on the kernel's scale up to 19.
const NICE: i32 = 15;
/// A request's own calls lie deep in a build without optimisation.
const STACK: usize = 8 << 20;

/// Does heavy work on a thread of its own that gives way to pages: its computing never makes one wait.
pub async fn apart(clock: Clock, work: impl Future<Output = Response> + Send + 'static) -> Response {
    // On the heap: a thread's stack is small for what a whole request keeps.
    let work = Box::pin(Asked::here().answering(clock.run(work)).in_current_span().with_current_subscriber());
    let runtime = Handle::current();
    let (tell, told) = oneshot::channel();
    // No thread of the runtime's, since a thread that gave way cannot take it back.
    let work = move || {
        if let Err(error) = rustix::process::nice(NICE) {
            tracing::warn!(%error, "heavy work does not give way to pages");
        }
        let _ = tell.send(catch_unwind(AssertUnwindSafe(|| runtime.block_on(work))));
    };
    if let Err(error) = std::thread::Builder::new().name("heavy".to_owned()).stack_size(STACK).spawn(work) {
        return AppError::Internal(format!("the machine gives no thread: {error}")).into_response();
    }
    match told.await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => go_on(panic),
        Err(_) => AppError::Unavailable.into_response(),
    }
}

/// As [`apart`], for as long as somebody waits for the answer: what reads a body that is given up ends with it.
pub async fn apart_while_awaited(clock: Clock, work: impl Future<Output = Response> + Send + 'static) -> Response {
    let (awaited, gone) = oneshot::channel::<()>();
    let work = async move {
        tokio::select! {
            biased;
            response = work => response,
            _ = gone => AppError::Unavailable.into_response(),
        }
    };
    let response = apart(clock, work).await;
    drop(awaited);
    response
}

/// The layer around catches it and says so.
fn go_on(panic: Box<dyn Any + Send>) -> Response {
    resume_unwind(panic)
}
