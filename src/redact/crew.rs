//! Several threads that look into the chunks of one text; the caller gets them back in order.
//!
//! Who waits for a chunk that nobody has begun looks into it itself, so no thread idles while there is work. It knows nothing of secrets.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::chunk::{Before, Chunk, Found, Knowledge, Room};

/// Most threads for one text.
const THREADS_MAX: usize = 4;
/// How many chunks may be under way for each thread.
const AHEAD: usize = 2;

/// Chunks on their way.
#[derive(Default)]
pub(super) struct Crew {
    board: Mutex<Board>,
    changed: Condvar,
}

#[derive(Default)]
struct Board {
    /// Chunks that nobody has begun, the oldest first.
    waiting: VecDeque<(usize, Chunk)>,
    done: BTreeMap<usize, (Chunk, Found)>,
    /// How many chunks were given, and how many were taken back.
    given: usize,
    taken: usize,
    /// No chunk follows.
    closed: bool,
}

/// Sends the threads home when the text has ended, by whatever way.
pub(super) struct Shift<'c>(&'c Crew);

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        self.0.board().closed = true;
        self.0.changed.notify_all();
    }
}

/// How many threads work on one text, the caller's among them.
pub(super) fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX)
}

impl Crew {
    /// Starts the other threads; they end with the shift. One that can not be started is not missed.
    pub(super) fn start<'s>(
        &'s self,
        scope: &'s thread::Scope<'s, '_>,
        with: &'s Knowledge<'s>,
    ) -> Shift<'s> {
        for _ in 1..threads() {
            drop(thread::Builder::new().spawn_scoped(scope, || self.work(with)));
        }
        Shift(self)
    }

    /// Gives the next chunk of the text.
    pub(super) fn give(&self, chunk: Chunk) {
        let mut board = self.board();
        let index = board.given;
        board.given += 1;
        board.waiting.push_back((index, chunk));
        drop(board);
        self.changed.notify_one();
    }

    /// The next chunk with what was found in it, as if nothing stood before it; `None` when it is better to give more.
    pub(super) fn ready(&self, with: &Knowledge<'_>, room: &mut Room) -> Option<(Chunk, Found)> {
        self.next(with, room, AHEAD * threads())
    }

    /// The next chunk, once all are given; `None` when there is none.
    pub(super) fn last(&self, with: &Knowledge<'_>, room: &mut Room) -> Option<(Chunk, Found)> {
        self.next(with, room, 0)
    }

    fn next(
        &self,
        with: &Knowledge<'_>,
        room: &mut Room,
        under_way: usize,
    ) -> Option<(Chunk, Found)> {
        let mut board = self.board();
        loop {
            let index = board.taken;
            if let Some(ready) = board.done.remove(&index) {
                board.taken += 1;
                return Some(ready);
            }
            if board.given - board.taken <= under_way || board.closed {
                return None;
            }
            board = match board.waiting.pop_front() {
                Some(next) => self.look(board, next, with, room),
                None => self.changed.wait(board).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn work(&self, with: &Knowledge<'_>) {
        let mut room = Room::default();
        let mut board = self.board();
        while !board.closed {
            board = match board.waiting.pop_front() {
                Some(next) => self.look(board, next, with, &mut room),
                None => self.changed.wait(board).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Looks into a chunk while the others go on.
    fn look<'b>(
        &'b self,
        board: MutexGuard<'b, Board>,
        (index, chunk): (usize, Chunk),
        with: &Knowledge<'_>,
        room: &mut Room,
    ) -> MutexGuard<'b, Board> {
        drop(board);
        // A thread that ends in here would leave the others waiting for its chunk.
        let shift = Shift(self);
        let found = with.find(&chunk, Before::default(), room);
        std::mem::forget(shift);
        let mut board = self.board();
        board.done.insert(index, (chunk, found));
        self.changed.notify_all();
        board
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
