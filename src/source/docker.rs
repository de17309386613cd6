//! The Docker engine over its Unix socket: is it there, who are we, its containers, and a folder of the host as a tar
//! stream.

mod containers;

mod sieve;

use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use serde::Deserialize;

use super::error::{Cause, Error, chain_of};
use super::http::{Http, Reply};
use crate::task::Deadline;
use sieve::Sieve;

pub use containers::Container;

/// Where the engine listens; the runner mounts this path into every container action.
pub const SOCKET: &str = "/var/run/docker.sock";

/// Most that is kept of an archive, and most of it that passes by, in bytes.
const MAX_ARCHIVE: usize = 64 << 20;
const MAX_PASSED: usize = 4 << 30;
const MAX_JSON: usize = 2 << 20;

/// An engine.
pub struct Docker {
    http: Http,
    socket: PathBuf,
}

/// What the engine says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Version {
    /// Version of the engine.
    pub version: String,
    /// Version of its API.
    pub api_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    image: String,
    #[serde(default)]
    mounts: Vec<Mount>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mount {
    #[serde(default)]
    source: String,
    #[serde(default)]
    destination: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    id: String,
}

/// What the engine says about its state; words that it does not say stay blank.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Info {
    /// Folder of its data, as the host sees it.
    pub docker_root_dir: String,
    /// Storage driver.
    pub driver: String,
    /// `systemd` or `cgroupfs`.
    pub cgroup_driver: String,
    /// `1` or `2`.
    pub cgroup_version: String,
    /// Containers that run now.
    pub containers_running: u64,
    /// What it warns of itself.
    pub warnings: Option<Vec<String>>,
    /// Options as `name=rootless`.
    pub security_options: Option<Vec<String>>,
}

impl Info {
    /// Whether the engine runs without root.
    pub fn rootless(&self) -> bool {
        self.security_options.iter().flatten().any(|option| option == "name=rootless")
    }
}

/// Who is behind the socket, before a word is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Somebody listens.
    There,
    /// There is no socket.
    Absent,
    /// The socket is there and this user may not use it.
    Denied,
    /// The socket is there and nobody listens.
    Dead,
    /// The socket is there and does not take a connection in time.
    Silent,
}

/// Knocks at the socket.
pub async fn reach(socket: &Path, deadline: Deadline) -> Reach {
    let connect = tokio::net::UnixStream::connect(socket);
    match tokio::time::timeout_at(deadline.instant(), connect).await {
        Ok(Ok(_)) => Reach::There,
        Ok(Err(error)) => Reach::of(error.kind()),
        Err(_) => Reach::Silent,
    }
}

impl Reach {
    fn of(kind: std::io::ErrorKind) -> Self {
        match kind {
            std::io::ErrorKind::NotFound => Self::Absent,
            std::io::ErrorKind::PermissionDenied => Self::Denied,
            _ => Self::Dead,
        }
    }
}

/// This container as the engine knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnContainer {
    /// Id of its image.
    pub image: String,
    /// Host path and container path of every mount.
    pub mounts: Vec<(String, String)>,
}

impl OwnContainer {
    /// The host path that is mounted at `destination`.
    pub fn source_of(&self, destination: &str) -> Option<&str> {
        self.mounts.iter().find(|(_, d)| d == destination).map(|(source, _)| source.as_str())
    }
}

impl Docker {
    /// The engine behind this socket.
    ///
    /// # Errors
    /// There is no socket; the text says what that means.
    pub fn at(socket: &Path) -> Result<Self, Error> {
        if !socket.exists() {
            let cause = Cause::Io("no such socket".to_owned());
            return Err(Error::new(
                format!("find the Docker engine at {}", socket.display()),
                cause,
            )
            .with_help("start the engine, or mount its socket into this container"));
        }
        Ok(Self { http: Http::unix(socket)?, socket: socket.to_path_buf() })
    }

    /// Asks whether the engine is well: `/_ping`.
    ///
    /// # Errors
    /// The engine does not answer, or says that it is not well.
    pub async fn ping(&self, deadline: Deadline) -> Result<(), Error> {
        let tried = format!("ping the Docker engine at {}", self.socket.display());
        let url = "http://docker/_ping";
        let reply = self.http.get(&tried, url, deadline, MAX_JSON).await.map_err(explain)?;
        if reply.status < 300 { Ok(()) } else { Err(Error::new(tried, reply.refusal())) }
    }

    /// Asks for the engine's state: `/info`.
    ///
    /// # Errors
    /// The engine does not answer, or not in the form of one.
    pub async fn info(&self, deadline: Deadline) -> Result<Info, Error> {
        let tried = format!("ask the Docker engine at {} for its state", self.socket.display());
        let url = "http://docker/info";
        let reply = self.http.get(&tried, url, deadline, MAX_JSON).await.map_err(explain)?;
        read_json(&tried, &reply)
    }

    /// Asks for the engine's version.
    ///
    /// # Errors
    /// The engine does not answer, or the socket may not be used.
    pub async fn version(&self, deadline: Deadline) -> Result<Version, Error> {
        let tried = format!("ask the Docker engine at {} for its version", self.socket.display());
        let reply = self
            .http
            .get(&tried, "http://docker/version", deadline, MAX_JSON)
            .await
            .map_err(explain)?;
        read_json(&tried, &reply)
    }

    /// Looks this container up by its id, which is its host name unless somebody changed that.
    ///
    /// # Errors
    /// The engine does not know it: then this process is not in a container of this engine.
    pub async fn own_container(&self, id: &str, deadline: Deadline) -> Result<OwnContainer, Error> {
        let tried = format!("inspect this container ({id})");
        let valid =
            !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if !valid {
            return Err(Error::new(tried, Cause::Parse("not a container id".to_owned())));
        }
        let reply = self
            .http
            .get(&tried, &format!("http://docker/containers/{id}/json"), deadline, MAX_JSON)
            .await
            .map_err(explain)?;
        let inspected: Inspected = read_json(&tried, &reply)?;
        let mounts = inspected.mounts.into_iter().map(|m| (m.source, m.destination)).collect();
        Ok(OwnContainer { image: inspected.image, mounts })
    }

    /// Reads a folder of the host as a tar stream: a container of our own image is created with the folder mounted read-only, its
    /// archive is read, and it is removed. It is never started. Kept are the files that were written to since then (seconds since
    /// 1970), up to 64 MiB. An archive whose end does not come in time gives what came.
    ///
    /// # Errors
    /// The engine refuses, or the folder does not exist.
    pub async fn read_host_folder(
        &self,
        image: &str,
        folder: &str,
        since: i64,
        deadline: Deadline,
    ) -> Result<Vec<u8>, Error> {
        let tried = format!("read {folder} of the host through the Docker engine");
        let id = self.create(&tried, image, folder, deadline).await?;
        let archive = self.archive(&tried, &id, since, deadline).await;
        let removed = self.remove(&id, deadline).await;
        let archive = archive?;
        removed?;
        Ok(archive)
    }

    async fn archive(
        &self,
        tried: &str,
        id: &str,
        since: i64,
        deadline: Deadline,
    ) -> Result<Vec<u8>, Error> {
        let limit = deadline.remaining();
        let failed = |e: reqwest::Error| Error::new(tried, Cause::Other(chain_of(&e)));
        let late = || Error::new(tried, Cause::Timeout(limit));
        let url = format!("http://docker/containers/{id}/archive?path=/diag");
        let asked = self.http.client().get(url).send();
        let answer = tokio::time::timeout_at(deadline.instant(), asked).await;
        let answer = answer.map_err(|_| late())?.map_err(failed)?;
        let status = answer.status().as_u16();
        if status != 200 {
            let message = if status == 404 { "the folder does not exist there" } else { "" };
            return Err(Error::new(tried, Cause::Status { status, message: message.to_owned() }));
        }
        let (mut sieve, mut passed, mut stream) =
            (Sieve::new(since, MAX_ARCHIVE), 0, answer.bytes_stream());
        while let Ok(Some(chunk)) = tokio::time::timeout_at(deadline.instant(), stream.next()).await
        {
            let chunk = chunk.map_err(failed)?;
            passed += chunk.len();
            sieve.push(&chunk);
            if passed > MAX_PASSED {
                break;
            }
        }
        let kept = sieve.finish();
        if kept.is_empty() && deadline.remaining().is_zero() { Err(late()) } else { Ok(kept) }
    }

    async fn create(
        &self,
        tried: &str,
        image: &str,
        folder: &str,
        deadline: Deadline,
    ) -> Result<String, Error> {
        let body = serde_json::json!({
            "Image": image,
            "Cmd": ["never-started"],
            "NetworkDisabled": true,
            "Labels": { "runner-guard": "reader" },
            "HostConfig": { "Mounts": [{ "Type": "bind", "Source": folder, "Target": "/diag", "ReadOnly": true }] },
        });
        let request = self.http.client().post("http://docker/containers/create");
        let request = request.header("content-type", "application/json").body(body.to_string());
        let reply = self.http.send(tried, request, deadline, MAX_JSON).await.map_err(explain)?;
        let created: Created = read_json(tried, &reply)?;
        Ok(created.id)
    }

    async fn remove(&self, id: &str, deadline: Deadline) -> Result<(), Error> {
        let tried = format!("remove the reading container {}", id.get(..12).unwrap_or(id));
        // Removal must not be cut off by a spent deadline: a container left behind would outlive the job.
        let deadline = if deadline.remaining().is_zero() {
            Deadline::after(std::time::Duration::from_secs(2))
        } else {
            deadline
        };
        let request =
            self.http.client().delete(format!("http://docker/containers/{id}?force=true&v=true"));
        let reply = self.http.send(&tried, request, deadline, MAX_JSON).await?;
        if reply.status < 300 { Ok(()) } else { Err(Error::new(tried, reply.refusal())) }
    }
}

fn read_json<T: serde::de::DeserializeOwned>(tried: &str, reply: &Reply) -> Result<T, Error> {
    if reply.status >= 300 {
        return Err(Error::new(tried, reply.refusal()));
    }
    reply.json(tried)
}

fn explain(error: Error) -> Error {
    let chain = error.chain().to_ascii_lowercase();
    if chain.contains("permission denied") {
        return error.with_help("the user may not use the socket: add it to the docker group and restart the runner service");
    }
    error.with_help("the socket is there but nobody answers: check `systemctl status docker`")
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn absent_denied_and_dead_are_told_apart() {
        assert_eq!(Reach::of(ErrorKind::NotFound), Reach::Absent);
        assert_eq!(Reach::of(ErrorKind::PermissionDenied), Reach::Denied);
        assert_eq!(Reach::of(ErrorKind::ConnectionRefused), Reach::Dead);
    }

    #[test]
    fn the_state_of_an_engine_is_read_leniently() {
        let info: Info = serde_json::from_str("{}").unwrap();
        assert!(!info.rootless() && info.docker_root_dir.is_empty());
        let text =
            r#"{"Warnings":null,"SecurityOptions":["name=seccomp,profile=x","name=rootless"]}"#;
        assert!(serde_json::from_str::<Info>(text).unwrap().rootless());
    }

    /// Answers one request after the other, each over a connection of its own, and tells what was asked.
    async fn engine(listener: &tokio::net::UnixListener, answers: &[(&str, &[u8])]) -> Vec<String> {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut asked = Vec::new();
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            let text = String::from_utf8_lossy(&request[..read]).into_owned();
            asked.push(text.lines().next().unwrap_or_default().replace(" HTTP/1.1", ""));
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(body).await.unwrap();
        }
        asked
    }

    async fn read_through(answers: &[(&str, &[u8])]) -> (Result<Vec<u8>, Error>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("docker.sock");
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        let docker = Docker::at(&socket).unwrap();
        let deadline = Deadline::after(std::time::Duration::from_secs(20));
        let read = docker.read_host_folder("image", "/srv/r/_diag", 100, deadline);
        tokio::join!(read, engine(&listener, answers))
    }

    #[tokio::test]
    async fn a_folder_of_the_host_is_read_without_a_start_and_the_container_goes() {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, modified) in [("diag/Runner_1.log", 99), ("diag/Runner_2.log", 100)] {
            let mut header = tar::Header::new_gnu();
            header.set_size(3);
            header.set_mtime(modified);
            tar.append_data(&mut header, name, &b"abc"[..]).unwrap();
        }
        let packed = tar.into_inner().unwrap();
        let created = ("201 Created", &b"{\"Id\":\"c0ffee\"}"[..]);
        let removed = ("204 No Content", &b""[..]);
        let (read, asked) = read_through(&[created, ("200 OK", &packed), removed]).await;
        let read = String::from_utf8_lossy(&read.unwrap()).into_owned();
        assert!(read.contains("Runner_2.log") && !read.contains("Runner_1.log"));
        assert_eq!(
            asked,
            [
                "POST /containers/create",
                "GET /containers/c0ffee/archive?path=/diag",
                "DELETE /containers/c0ffee?force=true&v=true",
            ]
        );
        let (refused, asked) = read_through(&[created, ("404 Not Found", b"{}"), removed]).await;
        assert!(refused.unwrap_err().chain().contains("the folder does not exist there"));
        assert_eq!(asked.len(), 3);
    }
}
