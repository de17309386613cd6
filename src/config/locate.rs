//! Where a key stands in the text of a YAML file: line and column. Used only to point; what a file means is the parser's word alone.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Nothing that people write is nested deeper; what is deeper has no place.
const DEEPEST: usize = 64;

/// A key or an item of a list, by its path: `gate.mode`, `runners[1].exporter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: String,
    /// From 1.
    pub(super) line: usize,
    /// From 1, in characters.
    pub(super) column: usize,
}

/// The places of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// Line and column of each path where it stands first.
    first: BTreeMap<String, (usize, usize)>,
    repeated: Vec<Place>,
}

impl Places {
    /// Finds them; a text that is no YAML has the places that can be made out.
    pub(super) fn of(text: &str) -> Self {
        let mut scan = Scan {
            text: text.trim_start_matches('\u{feff}').chars().collect(),
            at: 0,
            line: 1,
            column: 1,
            open: Vec::new(),
            places: Vec::new(),
        };
        scan.lines();
        let mut places = Self::default();
        // The whole of the file stands where it begins.
        places.first.extend(beginning(text).map(|line| (String::new(), (line + 1, 1))));
        for place in scan.places {
            match places.first.entry(place.path.clone()) {
                Entry::Vacant(free) => drop(free.insert((place.line, place.column))),
                Entry::Occupied(_) => places.repeated.push(place),
            }
        }
        places
    }

    /// Line and column of this path; of the nearest parent when it has no place of its own, as a value behind an alias has none.
    pub(super) fn find(&self, path: &str) -> Option<(usize, usize)> {
        let mut path = path;
        loop {
            if let Some(place) = self.first.get(path) {
                return Some(*place);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// Every place whose path stood before.
    pub(super) fn repeated(&self) -> &[Place] {
        &self.repeated
    }
}

/// The first line, from 0, that says something.
fn beginning(text: &str) -> Option<usize> {
    let says = |line: &str| {
        let line = line.trim();
        !line.is_empty() && line != "---" && !line.starts_with(['#', '%'])
    };
    text.trim_start_matches('\u{feff}').lines().position(says)
}

/// The path of a key below another one.
pub(super) fn below(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}

/// A block collection that is open.
struct Open {
    column: usize,
    path: String,
    kind: Kind,
}

enum Kind {
    /// With the path of its last key.
    Map(String),
    /// With the number of items so far.
    List(usize),
}

struct Scan {
    text: Vec<char>,
    at: usize,
    line: usize,
    column: usize,
    open: Vec<Open>,
    places: Vec<Place>,
}

impl Scan {
    fn lines(&mut self) {
        while self.peek().is_some() {
            self.spaces();
            match self.peek() {
                None => return,
                Some('\n' | '#') => {}
                Some('%' | '-' | '.') if self.column == 1 && self.is_marker() => {}
                Some(_) => self.node(),
            }
            self.skip_line();
        }
    }

    /// A line that begins or ends a document.
    fn is_marker(&self) -> bool {
        self.peek() == Some('%')
            || ["---", "..."].iter().any(|m| self.text[self.at..].starts_with(&chars(m)))
    }

    /// What stands at this column of a line: an item, a key with its value, or the rest of a scalar.
    fn node(&mut self) {
        loop {
            self.properties();
            let column = self.column;
            if self.peek() == Some('-') && self.blank(1) {
                self.bump();
                self.item(column);
                self.spaces();
                if matches!(self.peek(), None | Some('\n' | '#')) {
                    return;
                }
                continue;
            }
            let start = (self.at, self.line, self.column);
            let Some(key) = self.key() else {
                (self.at, self.line, self.column) = start;
                let path = self.innermost();
                let parent = self.open.last().map_or(0, |o| o.column);
                return self.value(&path, parent);
            };
            let path = self.entry(column, &key);
            self.places.push(Place { path: path.clone(), line: start.1, column });
            self.spaces();
            return self.value(&path, column);
        }
    }

    /// Opens or continues the list at this column; its next item begins.
    fn item(&mut self, column: usize) {
        while self.open.last().is_some_and(|o| o.column > column) {
            self.open.pop();
        }
        let path = match self.open.last_mut() {
            Some(Open { column: same, kind: Kind::List(count), path }) if *same == column => {
                *count += 1;
                format!("{path}[{}]", *count - 1)
            }
            _ => {
                let parent = self.innermost();
                let path = format!("{parent}[0]");
                self.open.push(Open { column, path: parent, kind: Kind::List(1) });
                path
            }
        };
        self.spaces();
        self.places.push(Place { path, line: self.line, column: self.column });
    }

    /// The path of a key at this column.
    fn entry(&mut self, column: usize, key: &str) -> String {
        let ends =
            |o: &Open| o.column > column || (o.column == column && matches!(o.kind, Kind::List(_)));
        while self.open.last().is_some_and(ends) {
            self.open.pop();
        }
        if !matches!(self.open.last(), Some(Open { column: same, kind: Kind::Map(_), .. }) if *same == column)
        {
            let path = self.innermost();
            self.open.push(Open { column, path, kind: Kind::Map(String::new()) });
        }
        match self.open.last_mut() {
            Some(Open { path: parent, kind: Kind::Map(last), .. }) => {
                *last = below(parent, key);
                last.clone()
            }
            Some(_) | None => key.to_owned(),
        }
    }

    /// The path of what is being filled: the last key or item.
    fn innermost(&self) -> String {
        match self.open.last() {
            None => String::new(),
            Some(Open { kind: Kind::Map(last), .. }) => last.clone(),
            Some(Open { kind: Kind::List(count), path, .. }) => {
                format!("{path}[{}]", count.saturating_sub(1))
            }
        }
    }

    /// What stands after a key or a dash: a block scalar, a flow collection, a quoted text, or plain words.
    fn value(&mut self, path: &str, column: usize) {
        self.properties();
        match self.peek() {
            Some('{' | '[') => self.flow(path, 0),
            Some(quote @ ('"' | '\'')) => drop(self.quoted(quote)),
            Some('|' | '>') => self.block_scalar(column),
            Some(_) | None => {}
        }
    }

    /// An anchor and a tag before a node.
    fn properties(&mut self) {
        while matches!(self.peek(), Some('&' | '!')) {
            while self.peek().is_some_and(|c| !c.is_whitespace()) {
                self.bump();
            }
            self.spaces();
        }
    }

    /// Every line that is deeper than its key belongs to the text.
    fn block_scalar(&mut self, column: usize) {
        self.skip_line();
        loop {
            let start = (self.at, self.line, self.column);
            self.spaces();
            match self.peek() {
                None => return,
                Some('\n') => self.skip_line(),
                Some(_) if self.column > column => self.skip_line(),
                Some(_) => {
                    // The line after the text is read by the caller, who skips one line end.
                    (self.at, self.line, self.column) = start;
                    self.at = self.at.saturating_sub(1);
                    self.line = self.line.saturating_sub(1);
                    return;
                }
            }
        }
    }

    /// A key and the colon behind it; the caller goes back when it is none.
    fn key(&mut self) -> Option<String> {
        let key = match self.peek()? {
            '{' | '[' => return None,
            quote @ ('"' | '\'') => {
                let text = self.quoted(quote);
                self.spaces();
                text
            }
            _ => {
                let mut text = String::new();
                while let Some(c) = self.peek() {
                    if c == '\n' || (c == ':' && self.blank(1)) || (c == '#' && text.ends_with(' '))
                    {
                        break;
                    }
                    text.push(c);
                    self.bump();
                }
                text.trim_end().to_owned()
            }
        };
        (self.peek() == Some(':') && self.blank(1)).then(|| self.bump()).map(|()| key)
    }

    /// A collection in braces or brackets, over as many lines as it takes.
    fn flow(&mut self, path: &str, depth: usize) {
        let is_map = self.peek() == Some('{');
        self.bump();
        let mut count = 0;
        loop {
            self.space();
            match self.peek() {
                None => return,
                Some('}' | ']') => return self.bump(),
                Some(',') => {
                    self.bump();
                    continue;
                }
                Some(_) => {}
            }
            let (line, column) = (self.line, self.column);
            let place = if is_map {
                below(path, &self.flow_text())
            } else {
                count += 1;
                format!("{path}[{}]", count - 1)
            };
            self.places.push(Place { path: place.clone(), line, column });
            self.flow_value(&place, is_map, depth);
            if (line, column) == (self.line, self.column) {
                // A character that can stand nowhere must not be looked at for ever.
                self.bump();
            }
        }
    }

    fn flow_value(&mut self, place: &str, is_map: bool, depth: usize) {
        if is_map {
            self.space();
            if self.peek() != Some(':') {
                return;
            }
            self.bump();
            self.space();
        }
        self.properties();
        match self.peek() {
            Some('{' | '[') if depth < DEEPEST => self.flow(place, depth + 1),
            Some('{' | '[') => self.bump(),
            Some(',' | '}' | ']') | None => {}
            Some(_) => drop(self.flow_text()),
        }
    }

    /// A quoted text, or plain words up to what ends them inside of braces.
    fn flow_text(&mut self) -> String {
        if let Some(quote @ ('"' | '\'')) = self.peek() {
            return self.quoted(quote);
        }
        let mut text = String::new();
        while let Some(c) = self.peek() {
            let ends = matches!(c, ',' | '{' | '}' | '[' | ']' | '\n')
                || (c == ':' && (self.blank(1) || self.flow_end(1)))
                || (c == '#' && text.ends_with(' '));
            if ends {
                break;
            }
            text.push(c);
            self.bump();
        }
        text.trim().to_owned()
    }

    fn quoted(&mut self, quote: char) -> String {
        self.bump();
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.bump();
            match c {
                '\\' if quote == '"' => {
                    text.extend(self.peek());
                    self.bump();
                }
                c if c == quote => {
                    if quote == '\'' && self.peek() == Some('\'') {
                        self.bump();
                    } else {
                        return text;
                    }
                    text.push(quote);
                }
                c => text.push(c),
            }
        }
        text
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    /// Whether nothing or a blank stands so many characters ahead.
    fn blank(&self, ahead: usize) -> bool {
        self.text.get(self.at + ahead).is_none_or(|c| c.is_whitespace())
    }

    fn flow_end(&self, ahead: usize) -> bool {
        matches!(self.text.get(self.at + ahead), Some(',' | '{' | '}' | '[' | ']'))
    }

    fn bump(&mut self) {
        match self.peek() {
            None => {}
            Some('\n') => {
                self.at += 1;
                self.line += 1;
                self.column = 1;
            }
            Some(_) => {
                self.at += 1;
                self.column += 1;
            }
        }
    }

    fn spaces(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\r')) {
            self.bump();
        }
    }

    /// Blanks, line ends and comments.
    fn space(&mut self) {
        loop {
            self.spaces();
            match self.peek() {
                Some('\n') => self.bump(),
                Some('#') => self.skip_line(),
                Some(_) | None => return,
            }
        }
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|c| c != '\n') {
            self.bump();
        }
        self.bump();
    }
}

fn chars(text: &str) -> Vec<char> {
    text.chars().collect()
}

#[cfg(test)]
mod tests;
