//! A large stack to run on: templates nest.

use std::io;
use std::thread;

use crate::limits::STACK_BYTES;

/// Runs the work on a thread of its own with [`STACK_BYTES`] of stack and waits for it. Everything of this crate that
/// parses or executes templates must run on such a stack, or a deeply nested chart overflows a common one.
///
/// # Errors
/// When the system gives no thread.
///
/// # Panics
/// When the work does: the panic goes on in the caller.
pub fn run_with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let builder = thread::Builder::new()
            .name("render".to_owned())
            .stack_size(STACK_BYTES);
        match builder.spawn_scoped(scope, work)?.join() {
            Ok(result) => Ok(result),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
