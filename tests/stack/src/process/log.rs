//! What a child printed: its last lines, and a way to wait for the next ones.

use std::{
    collections::VecDeque,
    fmt,
    fs::File,
    io::Write,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::timeout};

/// So many lines are kept in memory; a file and a reader get all.
const KEPT: usize = 1_000;

type Reader = Box<dyn Fn(&str) + Send + Sync>;

/// A child's lines, from both of its streams. Cheap to clone: all clones are the same log.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

struct Inner {
    lines: Mutex<VecDeque<String>>,
    /// How many lines there were; changes with each.
    seen: watch::Sender<usize>,
    /// How many streams still write to it.
    writers: watch::Sender<usize>,
    file: Option<Mutex<File>>,
    reader: Option<Reader>,
}

impl Default for Log {
    fn default() -> Self {
        Self::new(None, None)
    }
}

impl Log {
    fn new(file: Option<File>, reader: Option<Reader>) -> Self {
        Self(Arc::new(Inner {
            lines: Mutex::default(),
            seen: watch::Sender::new(0),
            writers: watch::Sender::new(0),
            file: file.map(Mutex::new),
            reader,
        }))
    }

    /// A log that is written to a file as well, which is emptied first.
    pub fn to_file(path: &Path) -> anyhow::Result<Self> {
        Ok(Self::new(Some(File::create(path)?), None))
    }

    /// The same, and each line is shown to `reader` as it comes.
    pub fn to_file_and(
        path: &Path,
        reader: impl Fn(&str) + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        Ok(Self::new(Some(File::create(path)?), Some(Box::new(reader))))
    }

    /// The last lines, oldest first.
    pub fn lines(&self) -> Vec<String> {
        self.kept().iter().cloned().collect()
    }

    /// The last few lines, for the end of an error message.
    pub fn tail(&self) -> String {
        let lines = self.kept();
        let last = lines.iter().skip(lines.len().saturating_sub(8));
        last.fold(String::new(), |text, line| text + "\n    " + &message(line))
    }

    /// Waits for a line that holds `text`; one that is kept already counts.
    pub(super) async fn line_with(&self, text: &str) -> String {
        let mut seen = self.0.seen.subscribe();
        loop {
            seen.borrow_and_update();
            if let Some(line) = self.kept().iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            // The sender lives in `self`, so there is always a next change to wait for.
            seen.changed().await.ok();
        }
    }

    /// Waits until what an ended child printed last has been read. Bounded, because a child of that
    /// child may hold the stream open.
    pub(crate) async fn settle(&self) {
        let mut writers = self.0.writers.subscribe();
        let closed = async {
            while *writers.borrow_and_update() > 0 {
                writers.changed().await.ok();
            }
        };
        timeout(Duration::from_secs(1), closed).await.ok();
    }

    /// One more stream writes to it, until what this returns is dropped.
    pub(super) fn open(&self) -> Open {
        self.0.writers.send_modify(|writers| *writers += 1);
        Open(self.clone())
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Log").field("kept", &self.kept().len()).finish_non_exhaustive()
    }
}

/// What a structured line says; any other line as it is.
fn message(line: &str) -> String {
    serde_json::from_str::<serde_json::Value>(line)
        .ok()
        .and_then(|line| Some(line.get("message")?.as_str()?.to_owned()))
        .unwrap_or_else(|| line.to_owned())
}

/// A stream that still writes to the log.
pub(super) struct Open(Log);

impl Open {
    pub(super) fn add(&self, line: &str) {
        let Self(log) = self;
        let mut lines = log.kept();
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
        drop(lines);
        if let Some(file) = &log.0.file {
            writeln!(file.lock().unwrap_or_else(PoisonError::into_inner), "{line}").ok();
        }
        if let Some(reader) = &log.0.reader {
            reader(line);
        }
        log.0.seen.send_modify(|seen| *seen += 1);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.writers.send_modify(|writers| *writers -= 1);
    }
}
