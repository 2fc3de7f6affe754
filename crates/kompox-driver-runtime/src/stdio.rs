//! A guest's stdout and stderr: whole lines go to the log, redacted and bounded; the end of stderr is
//! kept, since that is where a panic is explained.

use crate::{
    convert::single_line,
    redact::{Redactor, prefix},
};
use bytes::Bytes;
use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

/// Longest line that is logged, in bytes; what is beyond is dropped.
const LINE_BYTES: usize = 4 << 10;
/// Lines of one call that are logged.
const LINES: u32 = 200;
/// Bytes kept of the end of stderr.
const TAIL_BYTES: usize = 8 << 10;

/// One of the two streams of a call.
#[derive(Clone)]
pub(crate) struct GuestOutput(Arc<Mutex<State>>);

struct State {
    stream: &'static str,
    redactor: Arc<Redactor>,
    line: Vec<u8>,
    /// Whether the line has lost its end.
    cut: bool,
    lines: u32,
    tail: Vec<u8>,
}

impl GuestOutput {
    /// `stream` is `stdout` or `stderr`.
    pub(crate) fn new(stream: &'static str, redactor: Arc<Redactor>) -> Self {
        let state = State { stream, redactor, line: Vec::new(), cut: false, lines: 0, tail: Vec::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// The end of what was written, redacted, as one line.
    pub(crate) fn tail(&self) -> String {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        single_line(&state.redactor.redact(&String::from_utf8_lossy(&state.tail)))
    }

    /// Logs what is left of an unfinished line.
    pub(crate) fn finish(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).end_line();
    }

    fn write_all(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes);
    }
}

impl State {
    fn write(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
        let excess = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..excess);
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = (2 * LINE_BYTES).saturating_sub(self.line.len());
            self.cut |= part.len() > room;
            self.line.extend(part.iter().take(room));
            if part.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let cut = std::mem::take(&mut self.cut);
        if line.iter().all(u8::is_ascii_whitespace) || self.lines > LINES {
            return;
        }
        self.lines += 1;
        if self.lines > LINES {
            tracing::warn!(stream = self.stream, "driver writes too much, dropped");
            return;
        }
        let text = String::from_utf8_lossy(&line);
        let text = if cut { self.redactor.redact_cut(&text) } else { self.redactor.redact(&text) };
        tracing::info!(stream = self.stream, "{}", prefix(&single_line(&text), LINE_BYTES));
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    // Written at once and not by a task: the text of a panic must be there when the trap is reported.
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {}
}

impl OutputStream for GuestOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_all(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

impl AsyncWrite for GuestOutput {
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.write_all(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(secret: &str) -> GuestOutput {
        GuestOutput::new("stderr", Arc::new(Redactor::new([secret])))
    }

    #[test]
    fn the_tail_is_redacted_and_one_line() {
        let output = output("topsecret");
        output.write_all(b"thread panicked at src/lib.rs:1:1:\nkey is top");
        output.write_all(b"secret\n\x1b[31mred\n");
        assert_eq!(output.tail(), "thread panicked at src/lib.rs:1:1: key is [redacted] [31mred");
    }

    #[test]
    fn memory_is_bounded() {
        let output = output("topsecret");
        for _ in 0..1000 {
            output.write_all(&[b'x'; 4096]);
        }
        let state = output.0.lock().unwrap();
        assert!(state.line.len() <= 2 * LINE_BYTES && state.tail.len() <= TAIL_BYTES && state.cut);
    }
}
