//! Small servers with one behaviour each: over TCP, over TLS, and over a Unix socket.
#![expect(clippy::disallowed_methods, reason = "each server lives in a thread of the test")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What a server does with every request.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// Answers with this status, type and body.
    Answer(u16, &'static str, String),
    /// Answers with this status, these header lines and this body.
    Refuse(u16, &'static str, &'static str),
    /// Answers 200 with the JSON or text that belongs to the first line of the request.
    Asked(fn(&str) -> String),
    /// Accepts and never answers.
    Hang,
    /// Answers with a body of this many bytes.
    Flood(usize),
    /// Cuts the connection after the head.
    Reset,
    /// Resets the connection in the middle of the answer, as a peer that dies does.
    Abort,
    /// Sends one byte a tenth of a second.
    Drip,
    /// Answers 200 with these header lines and bytes.
    Bytes(&'static str, &'static [u8]),
    /// Behaves in another way for every request, in the last way from then on; the number counts the requests.
    InTurn(Arc<AtomicUsize>, Vec<Behaviour>),
}

impl Behaviour {
    /// One request goes wrong, the next ones do not.
    pub(crate) fn once(first: Self, later: Self) -> Self {
        Self::InTurn(Arc::default(), vec![first, later])
    }
}

/// Starts a server on the loopback; it lives as long as the tests.
pub(crate) fn serve(behaviour: Behaviour) -> SocketAddr {
    serve_at("127.0.0.1", behaviour)
}

/// As [`serve`], on another address of this machine.
pub(crate) fn serve_at(host: &str, behaviour: Behaviour) -> SocketAddr {
    listen(host, move |mut socket| answer(&mut socket, &behaviour))
}

/// As [`serve`], over TLS.
pub(crate) fn serve_tls(tls: Arc<ServerConfig>, behaviour: Behaviour) -> SocketAddr {
    listen("127.0.0.1", move |socket| {
        let session = ServerConnection::new(Arc::clone(&tls)).map_err(std::io::Error::other)?;
        answer(&mut StreamOwned::new(session, socket), &behaviour)
    })
}

/// As [`serve`], on a Unix socket.
pub(crate) fn serve_unix(path: &Path, behaviour: Behaviour) {
    let listener = UnixListener::bind(path).expect("socket");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let behaviour = behaviour.clone();
            std::thread::spawn(move || drop(answer(&mut stream, &behaviour)));
        }
    });
}

/// The address of a port where nobody listens.
pub(crate) fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("port")
}

fn listen(
    host: &str,
    act: impl Fn(TcpStream) -> std::io::Result<()> + Clone + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind((host, 0)).expect("port");
    let address = listener.local_addr().expect("address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let act = act.clone();
            std::thread::spawn(move || drop(act(stream)));
        }
    });
    address
}

fn answer(stream: &mut (impl Read + Write), behaviour: &Behaviour) -> std::io::Result<()> {
    if let Behaviour::InTurn(count, ways) = behaviour {
        let at = count.fetch_add(1, Ordering::SeqCst).min(ways.len() - 1);
        return answer(stream, &ways[at]);
    }
    if matches!(behaviour, Behaviour::Abort) {
        // What is left unread makes the kernel reset the connection when the socket is closed.
        let _ = stream.read(&mut [0; 16])?;
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")?;
        return stream.flush();
    }
    let mut head = [0; 8192];
    let read = stream.read(&mut head)?;
    match behaviour {
        Behaviour::Answer(status, kind, body) => {
            full(stream, *status, &format!("content-type: {kind}\r\n"), body.as_bytes())
        }
        Behaviour::Refuse(status, headers, body) => full(stream, *status, headers, body.as_bytes()),
        Behaviour::Bytes(headers, body) => full(stream, 200, headers, body),
        Behaviour::Asked(body) => {
            let text = String::from_utf8_lossy(&head[..read]).into_owned();
            full(stream, 200, "", body(text.lines().next().unwrap_or_default()).as_bytes())
        }
        Behaviour::Hang => stream.read_to_end(&mut Vec::new()).map(drop),
        Behaviour::Flood(bytes) => {
            write!(stream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
            let chunk = "x".repeat(1 << 16);
            (0..bytes / chunk.len()).try_for_each(|_| write!(stream, "10000\r\n{chunk}\r\n"))?;
            write!(stream, "0\r\n\r\n")
        }
        Behaviour::Reset => {
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")?;
            stream.flush()
        }
        Behaviour::Drip => {
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")?;
            loop {
                stream.write_all(b"x")?;
                std::thread::park_timeout(std::time::Duration::from_millis(100));
            }
        }
        Behaviour::Abort | Behaviour::InTurn(..) => Ok(()),
    }
}

fn full(stream: &mut impl Write, status: u16, headers: &str, body: &[u8]) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body)?;
    stream.flush()
}

/// The page of a healthy exporter.
pub(crate) fn exporter_page(runner: &str, status: u8, authorized: &str) -> Behaviour {
    let labels = format!(
        r#"hostname="host-of-{runner}",environment="production",authorized_for_prod="{authorized}",runner="{runner}""#
    );
    let page = format!("# TYPE runner_status gauge\nrunner_status{{{labels}}} {status}\n");
    Behaviour::Answer(200, "text/plain; version=0.0.4", page)
}
