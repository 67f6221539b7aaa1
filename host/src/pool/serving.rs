//! The task of one call.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::Pool;
use crate::call::{Call, CallState, Outcome, lost};
use crate::executor::{self, slice};
use crate::faults;
use crate::instance::Instance;
use crate::plugin_spec::Identity;
use crate::threads::panicked;
use crate::ticker;

type Inner = Pin<Box<dyn Future<Output = (Option<Instance>, Outcome)> + Send>>;

/// Polls a call until it is over, and stops it where it is to be stopped. However it ends, dropped
/// included, the call is settled once.
pub struct Serving {
    pool: Arc<Pool>,
    call: Arc<CallState>,
    function: Option<usize>,
    /// `None` once the call is over.
    inner: Option<Inner>,
    /// How long it was polled, without the time it took to make its instance.
    computed: Duration,
    moved: bool,
}

impl Serving {
    pub fn new(
        pool: Arc<Pool>,
        call: Call,
        running: Arc<CallState>,
        instance: Option<Instance>,
        identity: Identity,
    ) -> Self {
        let function = call.function;
        let inner = run(pool.clone(), call, running.clone(), instance, identity);
        Self {
            pool,
            call: running,
            function,
            inner: Some(Box::pin(inner)),
            computed: Duration::ZERO,
            moved: false,
        }
    }

    fn finish(&mut self, instance: Option<Instance>, outcome: Outcome) {
        if let Some(inner) = self.inner.take() {
            // What was dropped in the middle can be large.
            if instance.is_none() {
                executor::discard(inner);
            }
            let computed = self.computed.saturating_sub(self.call.building());
            self.pool.times.record(self.function, computed);
            if self.moved {
                self.pool.stats.moved();
            }
            self.pool
                .finished(&self.call, self.function, instance, outcome);
        }
    }
}

impl Future for Serving {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(());
        };
        this.call.register(context.waker());
        if let Some(failure) = this.call.stop_reason() {
            this.finish(None, Err(failure));
            return Poll::Ready(());
        }
        let begun = Instant::now();
        this.moved |= this.call.place.is_on_worker();
        slice::begin(begun);
        let ticking = ticker::running();
        let polled = catch_unwind(AssertUnwindSafe(|| {
            faults::point("serve");
            inner.as_mut().poll(context)
        }));
        drop(ticking);
        this.computed += begun.elapsed();
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready((instance, outcome))) => {
                this.finish(instance, outcome);
                Poll::Ready(())
            }
            Err(panic) => {
                this.finish(None, Err(panicked(&*panic)));
                Poll::Ready(())
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let failure = self.call.stop_reason().unwrap_or_else(lost);
        self.finish(None, Err(failure));
    }
}

async fn run(
    pool: Arc<Pool>,
    call: Call,
    running: Arc<CallState>,
    instance: Option<Instance>,
    identity: Identity,
) -> (Option<Instance>, Outcome) {
    let instance = match instance {
        Some(instance) => Ok(instance),
        None => build(&pool, identity, running.clone()).await,
    };
    let mut instance = match instance {
        Ok(instance) => instance,
        Err(failure) => return (None, Err(failure)),
    };
    let outcome = match call.function {
        Some(function) => instance.call(running, function, call.input).await,
        None => Ok(None),
    };
    faults::point("settle");
    (Some(instance), outcome)
}

async fn build(
    pool: &Arc<Pool>,
    identity: Identity,
    running: Arc<CallState>,
) -> Result<Instance, crate::error::Failure> {
    let begun = Instant::now();
    let plugin = pool.code.get()?;
    let instance = Instance::new(plugin, identity, running.clone()).await?;
    running.set_building(begun.elapsed());
    pool.times.record_building(running.building());
    Ok(instance)
}
