//! Small HTTP servers with one behaviour each.
#![expect(clippy::disallowed_methods, reason = "each server lives in a thread of the test")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// What a server does with every request.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// Answers with this status, type and body.
    Answer(u16, &'static str, String),
    /// Accepts and never answers.
    Hang,
    /// Answers with a body of this many bytes.
    Flood(usize),
    /// Cuts the connection after the head.
    Reset,
    /// Sends one byte a tenth of a second.
    Drip,
}

/// Starts a server on the loopback; it lives as long as the tests.
pub(crate) fn serve(behaviour: Behaviour) -> SocketAddr {
    serve_at("127.0.0.1", behaviour)
}

/// As [`serve`], on another address of this machine.
pub(crate) fn serve_at(host: &str, behaviour: Behaviour) -> SocketAddr {
    let listener = TcpListener::bind((host, 0)).expect("port");
    let address = listener.local_addr().expect("address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let behaviour = behaviour.clone();
            std::thread::spawn(move || drop(answer(stream, &behaviour)));
        }
    });
    address
}

fn answer(mut stream: TcpStream, behaviour: &Behaviour) -> std::io::Result<()> {
    let mut head = [0; 8192];
    let _ = stream.read(&mut head)?;
    match behaviour {
        Behaviour::Answer(status, kind, body) => write!(
            stream,
            "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ),
        Behaviour::Hang => stream.read_to_end(&mut Vec::new()).map(drop),
        Behaviour::Flood(bytes) => {
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n")?;
            let chunk = vec![b'x'; 1 << 16];
            (0..bytes / chunk.len()).try_for_each(|_| stream.write_all(&chunk))
        }
        Behaviour::Reset => {
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")
        }
        Behaviour::Drip => {
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")?;
            loop {
                stream.write_all(b"x")?;
                std::thread::park_timeout(std::time::Duration::from_millis(100));
            }
        }
    }
}

/// The page of a healthy exporter.
pub(crate) fn exporter_page(runner: &str, status: u8, authorized: &str) -> Behaviour {
    let labels = format!(
        r#"hostname="host-of-{runner}",environment="production",authorized_for_prod="{authorized}",runner="{runner}""#
    );
    let page = format!("# TYPE runner_status gauge\nrunner_status{{{labels}}} {status}\n");
    Behaviour::Answer(200, "text/plain; version=0.0.4", page)
}
