//! Servers that speak TLS with certificates made for the test, and a proxy that leads to one of them whatever name is asked for.
#![expect(clippy::disallowed_methods, reason = "each server lives in a thread of the test")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

/// What a server shows of itself.
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
    /// The certificate that must be trusted for it, as PEM.
    pub(crate) pem: String,
}

/// An answer to the head of a request.
pub(crate) type Answer = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// What the servers of a test were asked, head by head.
pub(crate) type Heads = Arc<Mutex<Vec<String>>>;

/// The time now in seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// A certificate that signed itself.
pub(crate) fn self_signed(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    change(&mut params);
    let key = KeyPair::generate().expect("key");
    let certificate = params.self_signed(&key).expect("certificate");
    Identity { chain: vec![certificate.der().clone()], key, pem: certificate.pem() }
}

/// Ends this many days from now.
pub(crate) fn for_days(days: u64) -> impl Fn(&mut CertificateParams) {
    move |params| {
        let end = Duration::from_secs(now() + days * 24 * 3600 + 3600);
        params.not_after = date_time_ymd(1970, 1, 1) + end;
    }
}

/// A certificate below an intermediate below a root that must be trusted; the days say when the first two end.
pub(crate) fn issued(name: &str, leaf_days: u64, intermediate_days: u64) -> Identity {
    let authority = |days: u64| {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, format!("authority {days}"));
        for_days(days)(&mut params);
        (params, KeyPair::generate().expect("key"))
    };
    let (root, root_key) = authority(4000);
    let root_pem = root.self_signed(&root_key).expect("root").pem();
    let root = Issuer::new(root, root_key);
    let (middle, middle_key) = authority(intermediate_days);
    let middle_der = middle.signed_by(&middle_key, &root).expect("intermediate").der().clone();
    let middle = Issuer::new(middle, middle_key);
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("name");
    for_days(leaf_days)(&mut params);
    let key = KeyPair::generate().expect("key");
    let leaf = params.signed_by(&key, &middle).expect("leaf").der().clone();
    Identity { chain: vec![leaf, middle_der], key, pem: root_pem }
}

/// A server with this certificate; the port of `127.0.0.1` that it listens on.
pub(crate) fn serve(identity: &Identity, answer: Answer) -> SocketAddr {
    let config = config(identity);
    each(move |socket| {
        let _ = session(&config, socket, &answer);
    })
}

/// A server without TLS.
pub(crate) fn plain(answer: Answer) -> SocketAddr {
    each(move |mut socket| {
        let head = head(&mut socket);
        let _ = socket.write_all(answer(&head).as_bytes());
    })
}

/// A proxy whose tunnels all lead to one server with this certificate, where `refuse` names no status; and what was asked of both.
pub(crate) fn proxy(
    identity: &Identity,
    refuse: impl Fn(&str) -> Option<u16> + Send + Sync + 'static,
    answer: Answer,
) -> (SocketAddr, Heads) {
    let (config, heads) = (config(identity), Heads::default());
    let kept = Arc::clone(&heads);
    let address = each(move |mut socket| {
        let asked = head(&mut socket);
        kept.lock().expect("heads").push(asked.clone());
        if let Some(status) = refuse(&asked) {
            let _ = write!(socket, "HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n");
            return;
        }
        let _ = socket.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
        let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
        let noted: Answer = Arc::new(move |head| {
            kept.lock().expect("heads").push(head.to_owned());
            answer(head)
        });
        let _ = session(&config, socket, &noted);
    });
    (address, heads)
}

/// `204` with these header lines, each with its line end.
pub(crate) fn answer(headers: &str) -> Answer {
    let text = format!("HTTP/1.1 204 X\r\nconnection: close\r\n{headers}\r\n");
    Arc::new(move |_| text.clone())
}

/// The line of a `Date` header that many seconds from now.
pub(crate) fn date_line(ahead: i64) -> String {
    let now = i64::try_from(now()).expect("a time");
    let time = jiff::Timestamp::from_second(now + ahead).expect("a time");
    format!("date: {}\r\n", time.strftime("%a, %d %b %Y %H:%M:%S GMT"))
}

fn config(identity: &Identity) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(identity.key.serialize_der()).expect("key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(identity.chain.clone(), key)
        .expect("configuration");
    Arc::new(config)
}

fn each(act: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = listener.local_addr().expect("address");
    let act = Arc::new(act);
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let act = Arc::clone(&act);
            std::thread::spawn(move || act(socket));
        }
    });
    address
}

fn session(
    config: &Arc<ServerConfig>,
    mut socket: TcpStream,
    answer: &Answer,
) -> std::io::Result<()> {
    let mut session = ServerConnection::new(Arc::clone(config)).expect("session");
    let mut stream = Stream::new(&mut session, &mut socket);
    let head = head(&mut stream);
    if !head.is_empty() {
        stream.write_all(answer(&head).as_bytes())?;
        stream.conn.send_close_notify();
        stream.flush()?;
    }
    Ok(())
}

fn head(stream: &mut impl Read) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|bytes| bytes > 0) {
        head.extend_from_slice(&byte);
    }
    String::from_utf8_lossy(&head).into_owned()
}
