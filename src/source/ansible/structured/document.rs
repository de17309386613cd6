//! The document of the callback `json`, taken apart while it is read: neither its text nor its tree is ever whole in memory.
//!
//! Its plays, tasks and counts are handed out as soon as they are complete. It judges nothing.

/// Most bytes of one task with the results of all hosts; a longer one is passed over.
const PIECE_CAP: usize = 8 << 20;

/// Keys with which a document begins; other JSON at the start of a line is a result that is shown.
const FIRST_KEYS: [&str; 4] =
    ["\"custom_stats\"", "\"global_custom_stats\"", "\"plays\"", "\"stats\""];

/// A document whose end has not come.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent state")]
pub(super) struct Document {
    begun: bool,
    counted: bool,
    depth: usize,
    quoted: bool,
    escaped: bool,
    /// The last string outside of pieces, and the keys at the two depths that matter.
    word: String,
    top: String,
    of_play: String,
    piece: Option<Piece>,
}

/// A part that is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What a play is.
    Play,
    /// A task with its results.
    Task,
    /// The counts of the hosts.
    Stats,
    /// A task that was too long.
    Lost,
    /// The document is over.
    End,
}

#[derive(Debug)]
struct Piece {
    part: Part,
    depth: usize,
    text: String,
    over: bool,
}

/// Whether the line begins with the first key of a document.
pub(super) fn begins(line: &str) -> bool {
    let line = line.trim_start();
    FIRST_KEYS.iter().any(|key| line.starts_with(key))
}

impl Document {
    /// A document whose brace stands on a line of its own.
    pub(super) fn opened() -> Self {
        Self { depth: 1, ..Self::default() }
    }

    /// Whether nothing of it was read but its brace.
    pub(super) fn is_new(&self) -> bool {
        !self.begun
    }

    /// Whether its counts have come, which are the last of it.
    pub(super) fn is_counted(&self) -> bool {
        self.counted
    }

    /// Reads a line and hands out what became complete with it.
    pub(super) fn take(&mut self, line: &str, mut out: impl FnMut(Part, &str)) {
        self.begun = true;
        let mut from = 0;
        for (at, byte) in line.bytes().enumerate() {
            if self.escaped {
                self.escaped = false;
            } else if self.quoted {
                match byte {
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.quoted = false;
                        self.named(line.get(from..at).unwrap_or_default());
                    }
                    _ => {}
                }
            } else {
                match byte {
                    b'"' => {
                        self.quoted = true;
                        from = if self.piece.is_some() { from } else { at + 1 };
                    }
                    b':' => self.key(),
                    b'{' | b'[' => {
                        self.depth += 1;
                        if self.open(byte) {
                            from = at;
                        }
                    }
                    b'}' | b']' => {
                        self.depth = self.depth.saturating_sub(1);
                        self.close(line.get(from..=at).unwrap_or_default(), &mut out);
                        if self.depth == 0 {
                            return out(Part::End, "");
                        }
                    }
                    _ => {}
                }
            }
        }
        // No string goes on in the next line; a mask may have taken its end.
        (self.quoted, self.escaped) = (false, false);
        if let Some(piece) = &mut self.piece {
            piece.push(line.get(from..).unwrap_or_default());
        }
    }

    /// Remembers a string that may be a key.
    fn named(&mut self, text: &str) {
        if self.piece.is_none() && matches!(self.depth, 1 | 3) {
            self.word.clear();
            self.word.push_str(text.get(..text.floor_char_boundary(64)).unwrap_or_default());
        }
    }

    fn key(&mut self) {
        if self.piece.is_some() {
            return;
        }
        match self.depth {
            1 => std::mem::swap(&mut self.top, &mut self.word),
            3 => std::mem::swap(&mut self.of_play, &mut self.word),
            _ => {}
        }
    }

    /// Begins a piece if one begins with this bracket.
    fn open(&mut self, bracket: u8) -> bool {
        if self.piece.is_some() || bracket != b'{' {
            return false;
        }
        let part = match (self.depth, self.top.as_str(), self.of_play.as_str()) {
            (2, "stats", _) => Part::Stats,
            (4, "plays", "play") => Part::Play,
            (5, "plays", "tasks") => Part::Task,
            _ => return false,
        };
        self.piece = Some(Piece { part, depth: self.depth, text: String::new(), over: false });
        true
    }

    fn close(&mut self, end: &str, out: &mut impl FnMut(Part, &str)) {
        let depth = self.depth;
        let Some(mut piece) = self.piece.take_if(|piece| depth < piece.depth) else { return };
        piece.push(end);
        self.counted |= piece.part == Part::Stats;
        out(if piece.over { Part::Lost } else { piece.part }, &piece.text);
    }
}

impl Piece {
    fn push(&mut self, text: &str) {
        self.over |= self.text.len() + text.len() > PIECE_CAP;
        if self.over {
            self.text = String::new();
        } else {
            self.text.push_str(text);
            self.text.push('\n');
        }
    }
}
