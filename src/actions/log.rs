//! Diagnostic messages of the program itself: to stderr, redacted, and never readable as a workflow command.

use std::io::Write;
use std::sync::Arc;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::command::visible;
use super::env::Environment;
use crate::redact::Redactor;

/// Starts logging. `RUNNER_GUARD_LOG` holds a filter (`debug`, `runner_guard::source=trace`); a debug run of the job means `debug`.
pub fn init(env: &Environment, redactor: Arc<Redactor>) {
    // What a source does not answer stands in its row; the transport's own words about it are noise.
    let default =
        if env.text("RUNNER_DEBUG") == "1" { "runner_guard=debug" } else { "warn,octocrab=off" };
    let filter = env.get("RUNNER_GUARD_LOG").unwrap_or(default);
    let Ok(filter) = EnvFilter::try_new(filter) else { return };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Lines(redactor));
    drop(lines.without_time().try_init());
}

struct Lines(Arc<Redactor>);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { redactor: Arc::clone(&self.0), text: Vec::new() }
    }
}

/// One message; it is redacted as a whole when it ends, since a secret may be written in parts.
struct Line {
    redactor: Arc<Redactor>,
    text: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let text = self.redactor.redact(&String::from_utf8_lossy(&self.text));
        let safe = text.as_str().trim_end().replace("##[", "# #[").replace(['\n', '\r'], " | ");
        let safe = visible(&safe);
        drop(writeln!(std::io::stderr(), "runner-guard: {safe}"));
    }
}
