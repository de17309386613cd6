//! Where a digest is read from: one file, or a folder whose files are read one after another as one text.
//!
//! A folder may be what ansible-runner leaves (`job_events/`, `rc`, `status`), JUnit XML, or what the callback `tree` writes.

use std::borrow::Borrow;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::source::files::{self, Folder, Keep};
use crate::source::{Cause, Error};

/// Names of a folder that are looked at.
const NAMES: usize = 100_000;
const DEPTH: usize = 6;
/// Most of one event, JUnit file or result that is read.
const PART: usize = 4 << 20;

/// An opened place.
#[derive(Debug)]
pub struct Input {
    path: PathBuf,
    parts: Vec<Part>,
    folder: Option<Folder>,
}

#[derive(Debug)]
enum Part {
    /// A file whose text is read as it is.
    File(PathBuf),
    /// The last result of this host.
    Result(String, PathBuf),
    /// A text of ours.
    Text(String),
}

impl Input {
    /// Opens a file or a folder.
    ///
    /// # Errors
    /// When it can not be opened, or when a folder holds nothing of Ansible.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if !path.is_dir() {
            files::open(path)?;
            return Ok(Self { path: path.to_owned(), parts: Vec::new(), folder: None });
        }
        Self::of_folder(Folder::open(path)?)
    }

    /// As [`Input::open`], of a folder that is open already.
    ///
    /// # Errors
    /// When it holds nothing of Ansible.
    pub fn of_folder(folder: Folder) -> Result<Self, Error> {
        let path = folder.path().to_owned();
        let parts = parts(&folder)?;
        if parts.is_empty() {
            let why =
                "it holds no events of ansible-runner, no JUnit files and no results of hosts";
            return Err(Error::new(
                format!("read {}", path.display()),
                Cause::Other(why.to_owned()),
            ));
        }
        Ok(Self { path, parts, folder: Some(folder) })
    }

    /// The whole text, from its beginning.
    pub fn reader(&self) -> Box<dyn Read + '_> {
        match &self.folder {
            None => match files::open(&self.path) {
                Ok(file) => Box::new(file),
                Err(error) => Box::new(Refused(Some(io::Error::other(error)))),
            },
            Some(folder) => {
                Box::new(Joined { folder, left: self.parts.iter(), text: io::Cursor::default() })
            }
        }
    }

    /// As [`Self::reader`], for who keeps it.
    pub fn into_reader(self) -> Box<dyn Read + Send> {
        let (left, text) = (self.parts.into_iter(), io::Cursor::default());
        match self.folder.map(|folder| Joined { folder, left, text }) {
            Some(joined) => Box::new(joined),
            None => match files::open(&self.path) {
                Ok(file) => Box::new(file),
                Err(error) => Box::new(Refused(Some(io::Error::other(error)))),
            },
        }
    }
}

/// A file that can not be opened any more.
struct Refused(Option<io::Error>);

impl Read for Refused {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

struct Joined<F, L> {
    folder: F,
    left: L,
    text: io::Cursor<Vec<u8>>,
}

impl<F: Borrow<Folder>, L: Iterator<Item: Borrow<Part>>> Read for Joined<F, L> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.text.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(part) = self.left.next() else { return Ok(0) };
            self.text = io::Cursor::new(load(self.folder.borrow(), part.borrow()));
        }
    }
}

/// The part, with a line end. What can not be read is left out: one lost event must not hide the others.
fn load(folder: &Folder, part: &Part) -> Vec<u8> {
    let read = |path: &Path| folder.read(path, PART, Keep::Head).map(|r| r.bytes);
    let mut bytes = match part {
        Part::Text(text) => text.clone().into_bytes(),
        Part::File(path) => read(path).unwrap_or_default(),
        Part::Result(host, path) => {
            let read = read(path).unwrap_or_default();
            let result = serde_json::from_slice::<serde_json::Value>(&read);
            result.map_or_else(
                |_| Vec::new(),
                |r| json!({"_tree": host, "result": r}).to_string().into_bytes(),
            )
        }
    };
    bytes.push(b'\n');
    bytes
}

fn parts(folder: &Folder) -> Result<Vec<Part>, Error> {
    let files = folder.list(NAMES, DEPTH)?.files;
    let names = |test: &dyn Fn(&Path) -> bool| -> Vec<PathBuf> {
        files.iter().map(|f| &f.path).filter(|p| test(p)).cloned().collect()
    };
    let events = names(&is_event);
    if !events.is_empty() || folder.folder(Path::new("job_events")).is_ok() {
        return Ok(of_runner(folder, events));
    }
    let junit = names(&|p| p.extension().is_some_and(|e| e == "xml"));
    if !junit.is_empty() {
        return Ok(junit.into_iter().map(Part::File).collect());
    }
    let single = |p: &Path| p.components().count() == 1;
    let logs = names(&|p| p.extension().is_some_and(|e| e == "log") && single(p));
    if !logs.is_empty() {
        return Ok(logs.into_iter().map(Part::File).collect());
    }
    let results = names(&single).into_iter().filter_map(|path| {
        let host = path.file_name()?.to_str()?.to_owned();
        let read = folder.read(&path, PART, Keep::Head).ok()?;
        let is_result = read.bytes.starts_with(b"{")
            && serde_json::from_slice::<serde::de::IgnoredAny>(&read.bytes).is_ok();
        is_result.then_some(Part::Result(host, path))
    });
    Ok(results.collect())
}

/// `job_events/12-0d3e….json`, complete.
fn is_event(path: &Path) -> bool {
    let inside = path.parent().and_then(Path::file_name).is_some_and(|p| p == "job_events");
    number(path).is_some() && (inside || path.components().count() == 1)
}

fn number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
    let (number, id) = name.split_once('-')?;
    (!id.ends_with("-partial") && id.len() >= 32).then(|| number.parse().ok())?
}

/// The events of every run in their order, each run with the exit code that ansible-runner noted.
fn of_runner(folder: &Folder, mut events: Vec<PathBuf>) -> Vec<Part> {
    events.sort_by_key(|path| (path.parent().map(Path::to_owned), number(path)));
    let mut parts = Vec::new();
    let note = |place: &Path| {
        let word = |name: &str| {
            let read = folder.read(&place.join(name), 64, Keep::Head).ok();
            read.map(|r| r.text().trim().to_owned()).unwrap_or_default()
        };
        let rc = word("rc").parse::<i64>().ok();
        Part::Text(json!({"_runner": {"rc": rc, "status": word("status")}}).to_string())
    };
    let mut place: Option<PathBuf> = None;
    for event in events {
        let run = event.parent().and_then(Path::parent).map(Path::to_owned);
        if place != run {
            parts.extend(place.take().map(|p| note(&p)));
            place = run;
        }
        parts.push(Part::File(event));
    }
    parts.push(note(&place.unwrap_or_default()));
    parts
}
