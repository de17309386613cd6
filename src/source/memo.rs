//! Answers that several readers need are fetched once: whoever comes first asks, the others wait for the same answer.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::error::Error;

/// One answer, perhaps still on its way.
type Cell<T> = Arc<OnceCell<Result<T, Error>>>;

/// Answers by their question. A refusal is an answer too: nobody asks again in the same round.
pub(super) struct Memo<T> {
    cells: Arc<Mutex<HashMap<String, Cell<T>>>>,
}

impl<T> Clone for Memo<T> {
    fn clone(&self) -> Self {
        Self { cells: Arc::clone(&self.cells) }
    }
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self { cells: Arc::default() }
    }
}

impl<T: Clone> Memo<T> {
    /// The answer to `question`; `ask` runs only when nobody has asked in this round.
    ///
    /// # Cancel safety
    /// Safe: when the reader that asks is dropped, the next one that waits asks in its place.
    pub(super) async fn get(
        &self,
        question: &str,
        ask: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let cell = {
            let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(question.to_owned()).or_default())
        };
        cell.get_or_init(|| ask).await.clone()
    }

    /// Begins a new round: every question is asked again.
    pub(super) fn forget(&self) {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn many_readers_ask_once_in_a_round() {
        let (memo, asked) = (Memo::default(), AtomicUsize::new(0));
        let read = || memo.get("q", async { Ok(asked.fetch_add(1, Ordering::SeqCst)) });
        let (a, b) = futures_util::join!(read(), read());
        assert_eq!((a.unwrap(), b.unwrap()), (0, 0));
        memo.forget();
        assert_eq!(read().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_reader_that_gives_up_does_not_take_the_answer_along() {
        let memo: Memo<u8> = Memo::default();
        let given_up = memo.get("q", std::future::pending());
        assert!(tokio::time::timeout(std::time::Duration::from_millis(1), given_up).await.is_err());
        assert_eq!(memo.get("q", async { Ok(7) }).await.unwrap(), 7);
    }
}
