//! SIGINT and SIGTERM. As process 1 of a container nothing else would handle them.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::task::CancelSource;

/// Time that a cancelled run has to write what is there; the runner kills ten seconds after its first signal.
pub(super) const GRACE: Duration = Duration::from_millis(4500);

/// Both signals, listened to from the moment of creation.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Starts to listen.
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for a signal, tells the run to stop, and completes when the grace is over.
    pub(super) async fn cancel(mut self, source: CancelSource) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        source.cancel();
        tokio::time::sleep(GRACE).await;
    }
}
