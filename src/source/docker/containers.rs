//! The containers of an engine: which there are, how they ended, and their last words.
//!
//! Of a container only its name, image and state are read: its command and its environment may hold secrets.

use serde::Deserialize;

use super::{Cause, Docker, Error, MAX_JSON, explain, read_json};
use crate::task::Deadline;

/// Largest log that is read of one container, in bytes.
const MAX_LOG: usize = 2 << 20;
/// Lines that are asked for when the wanted ones were too large.
const FEWER: usize = 20;
/// The head of a frame: one byte for the stream, three of zero, four for the length.
const HEAD: usize = 8;

/// One container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    /// Its full id.
    pub id: String,
    /// Its name, without the leading slash.
    pub name: String,
    /// The name of its image.
    pub image: String,
    /// `running`, `exited`, `restarting`, `created`, `paused`, `dead`.
    pub state: String,
    /// The code it ended with.
    pub exit_code: i64,
    /// Whether the kernel killed it for want of memory.
    pub oom_killed: bool,
    /// How often the engine started it again.
    pub restarts: u64,
    /// When it ended last, in seconds since 1970; `None` when it never did.
    pub finished: Option<i64>,
    /// What the engine says about a start that failed.
    pub error: String,
    /// Whether it writes to a terminal: then its log has no frames.
    pub tty: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    restart_count: u64,
    #[serde(default)]
    state: State,
    #[serde(default)]
    config: Config,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct State {
    status: String,
    exit_code: i64,
    #[serde(rename = "OOMKilled")]
    oom_killed: bool,
    finished_at: String,
    error: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Config {
    image: String,
    tty: bool,
}

impl Docker {
    /// The newest `most` containers, running or not. One that is removed meanwhile is passed over.
    ///
    /// # Errors
    /// The engine does not answer, or not in the form of one.
    pub async fn containers(
        &self,
        most: usize,
        deadline: Deadline,
    ) -> Result<Vec<Container>, Error> {
        let tried =
            format!("list the containers of the Docker engine at {}", self.socket.display());
        let url = format!("http://docker/containers/json?all=1&limit={most}");
        let reply = self.http.get(&tried, &url, deadline, MAX_JSON).await.map_err(explain)?;
        let listed: Vec<Listed> = read_json(&tried, &reply)?;
        let mut all = Vec::new();
        for Listed { id } in listed.into_iter().filter(|l| is_id(&l.id)).take(most) {
            match self.inspect(&id, deadline).await {
                Ok(container) => all.push(container),
                Err(error) if error.status() == Some(404) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    async fn inspect(&self, id: &str, deadline: Deadline) -> Result<Container, Error> {
        let tried = format!("inspect the container {}", short(id));
        let url = format!("http://docker/containers/{id}/json");
        let reply = self.http.get(&tried, &url, deadline, MAX_JSON).await.map_err(explain)?;
        let Inspected { id, name, restart_count, state, config } = read_json(&tried, &reply)?;
        // What never ended has a time in the year 1.
        let finished = state.finished_at.parse::<jiff::Timestamp>().ok();
        let finished = finished.map(jiff::Timestamp::as_second).filter(|at| *at > 0);
        Ok(Container {
            id,
            name: name.trim_start_matches('/').to_owned(),
            image: config.image,
            state: state.status,
            exit_code: state.exit_code,
            oom_killed: state.oom_killed,
            restarts: restart_count,
            finished,
            error: state.error,
            tty: config.tty,
        })
    }

    /// The last `lines` lines that a container wrote to its output and its errors, with times; fewer when those are over 2 MiB.
    ///
    /// # Errors
    /// The engine refuses, as with a log driver that can not be read, or even the last few lines are too large.
    pub async fn log(
        &self,
        container: &Container,
        lines: usize,
        deadline: Deadline,
    ) -> Result<String, Error> {
        let id = &container.id;
        let tried = format!("read the log of the container {}", container.name);
        if !is_id(id) {
            return Err(Error::new(tried, Cause::Parse("not a container id".to_owned())));
        }
        let url = |tail: usize| {
            format!("http://docker/containers/{id}/logs?stdout=1&stderr=1&timestamps=1&tail={tail}")
        };
        let mut reply = self.http.get(&tried, &url(lines), deadline, MAX_LOG).await;
        if reply.as_ref().is_err_and(|e| matches!(e.cause(), Cause::TooLarge(_))) {
            reply = self.http.get(&tried, &url(FEWER), deadline, MAX_LOG).await;
        }
        let reply = reply?;
        if reply.status != 200 {
            return Err(Error::new(tried, reply.refusal()));
        }
        let bytes = if container.tty { reply.body } else { unframed(&reply.body) };
        // A terminal ends its lines with both characters.
        Ok(String::from_utf8_lossy(&bytes).replace("\r\n", "\n"))
    }
}

/// The content of the frames in which the engine sends output and errors over one stream. What has not the form of a frame is
/// taken as it is: some engines send logs without frames.
fn unframed(stream: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(stream.len());
    let mut rest = stream;
    while !rest.is_empty() {
        let Some((head, after)) = rest.split_first_chunk::<HEAD>() else { break };
        let [kind, 0, 0, 0, a, b, c, d] = *head else {
            content.extend_from_slice(rest);
            break;
        };
        if kind > 3 {
            content.extend_from_slice(rest);
            break;
        }
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let (frame, later) = after.split_at(length.min(after.len()));
        content.extend_from_slice(frame);
        rest = later;
    }
    content
}

/// What may stand in a path of the engine's API.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 128 && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, text: &str) -> Vec<u8> {
        let mut bytes = vec![kind, 0, 0, 0];
        bytes.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
        bytes.extend(text.as_bytes());
        bytes
    }

    #[test]
    fn frames_are_taken_off() {
        let stream = [frame(1, "out\n"), frame(2, "err\n"), frame(1, "")].concat();
        assert_eq!(unframed(&stream), b"out\nerr\n");
    }

    #[test]
    fn a_frame_that_is_cut_keeps_what_came_and_text_without_frames_stays() {
        let mut stream = frame(1, "whole\n");
        stream.extend(frame(2, "only a part").get(..12).unwrap());
        assert_eq!(unframed(&stream), b"whole\nonly");
        assert_eq!(unframed(b"2026-01-01 plain text\n"), b"2026-01-01 plain text\n");
    }

    proptest! {
        #[test]
        fn no_stream_grows_or_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(unframed(&bytes).len() <= bytes.len());
        }
    }

    #[test]
    fn only_an_id_is_put_into_a_path() {
        assert!(is_id("0123abc") && !is_id("") && !is_id("../x") && !is_id("a?b"));
    }
}
