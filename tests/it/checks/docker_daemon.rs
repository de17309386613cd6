//! Cases of `docker-daemon`.
#![expect(clippy::disallowed_methods, reason = "each engine lives in a thread of the test")]

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;

use super::{Machine, tells};

const ID: &str = "docker-daemon";

/// A machine whose engine answers every request with this; blank means never.
fn engine(answer: &'static str) -> Machine {
    let machine = Machine::with(&[]);
    let listener = UnixListener::bind(&machine.socket).expect("socket");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            if answer.is_empty() {
                let _ = stream.read_to_end(&mut Vec::new());
            }
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    machine
}

#[tokio::test]
async fn an_engine_that_answers_passes() {
    let machine = engine(
        "HTTP/1.1 200 OK\r\ncontent-length: 43\r\n\r\n{\"Version\": \"28.1.0\", \"ApiVersion\": \"1.49\"}",
    );
    tells("there", &machine.asked(ID, "").await, ("pass", "version 28.1.0", ""));
}

#[tokio::test]
async fn no_socket_and_a_socket_without_a_listener_fail() {
    let machine = Machine::with(&[]);
    tells("absent", &machine.asked(ID, "").await, ("fail", "no such socket", "start the engine"));
    drop(UnixListener::bind(&machine.socket).expect("socket"));
    tells("dead", &machine.asked(ID, "").await, ("fail", "docker.sock", "systemctl status docker"));
}

#[tokio::test]
async fn an_engine_that_hangs_or_talks_nonsense_is_no_answer() {
    let hangs = engine("").asked(ID, "").await;
    assert_eq!(hangs.status.word(), "unknown", "{hangs:?}");
    assert!(hangs.help.is_some(), "{hangs:?}");
    let page = engine("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>");
    assert_eq!(page.asked(ID, "").await.status.word(), "unknown");
    let broken = engine("HTTP/1.1 500 X\r\ncontent-length: 4\r\n\r\nboom");
    assert_eq!(broken.asked(ID, "").await.status.word(), "unknown");
}
