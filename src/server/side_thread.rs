//! A thread for long work that cannot be cut into turns. Large messages are read, checked and answered there,
//! so that a worker's other clients do not wait for them.

use std::thread::JoinHandle;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// The side thread, until it is joined.
pub(super) struct SideThread {
    tasks: SideTasks,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// A handle for sending tasks to the side thread.
#[derive(Clone)]
pub(super) struct SideTasks(Handle);

impl SideThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system refuses a runtime or a thread.
    pub(super) fn start() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let tasks = SideTasks(runtime.handle().clone());
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("hortifruti-side".to_owned()).spawn(move || {
            let _ = runtime.block_on(stopped);
        })?;
        Ok(Self { tasks, stop, thread })
    }

    pub(super) fn tasks(&self) -> SideTasks {
        self.tasks.clone()
    }

    /// Ends the thread, with the tasks that still run on it.
    pub(super) fn join(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("the side thread panicked");
        }
    }
}

impl SideTasks {
    /// Runs a task on the side thread. If the returned future is dropped, the task ends. If the thread
    /// ends before the task, the future never completes.
    pub(super) async fn run<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> T {
        let mut tasks = JoinSet::new();
        tasks.spawn_on(task, &self.0);
        match tasks.join_next().await {
            Some(Ok(answer)) => answer,
            Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Some(Err(_)) | None => std::future::pending().await,
        }
    }

    /// A handle on the runtime of a test.
    #[cfg(test)]
    pub(super) fn here() -> Self {
        Self(Handle::current())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_runs_elsewhere_and_ends_with_who_waits_for_it() {
        let side = SideThread::start().unwrap();
        let tasks = side.tasks();
        let elsewhere = tasks.run(async { std::thread::current().id() }).await;
        assert_ne!(elsewhere, std::thread::current().id());
        let (held, dropped) = oneshot::channel::<()>();
        let waiting = tasks.run(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        let given_up = tokio::select! {
            biased;
            () = waiting => false,
            () = tokio::task::yield_now() => true,
        };
        assert!(given_up);
        assert!(tokio::time::timeout(std::time::Duration::from_secs(30), dropped).await.unwrap().is_err());
        side.join();
    }
}
