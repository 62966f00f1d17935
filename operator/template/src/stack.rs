//! A large stack to run on: templates nest.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::limits::STACK_BYTES;

/// As much as this has to be left of a stack for the work to go on there.
const ENOUGH: usize = STACK_BYTES / 4 * 3;

/// Runs the work on a stack of [`STACK_BYTES`]. Everything of this crate that parses or executes templates must run on
/// such a stack, or a deeply nested chart overflows a common one.
///
/// It stays on the calling thread: a thread of its own costs more than a small chart, and its memory grows by a system
/// call a page. Called on such a stack, most of it unused, it goes on there, so that who renders many charts can do so
/// on one.
///
/// # Errors
/// When the system gives no memory for the stack.
///
/// # Panics
/// When the work does: the panic goes on in the caller.
pub fn run_with_stack<T>(work: impl FnOnce() -> T) -> io::Result<T> {
    // A panic outside of the work is the stack that was not given.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        stacker::maybe_grow(ENOUGH, STACK_BYTES, || catch_unwind(AssertUnwindSafe(work)))
    }));
    match outcome {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(panic)) => resume_unwind(panic),
        Err(_) => Err(io::ErrorKind::OutOfMemory.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much stack so many levels take, at a few hundred bytes each.
    fn descend(levels: usize) -> usize {
        let kept = std::hint::black_box([levels; 32]);
        match levels {
            0 => kept[0],
            _ => 1 + descend(levels - 1) + kept[0] - levels,
        }
    }

    #[test]
    fn work_may_recurse_deeper_than_a_common_stack_is_within_other_work_too() {
        // A thread of a test has 2 MiB.
        let deep = || run_with_stack(|| descend(100_000)).unwrap();

        assert_eq!(deep(), 100_000);
        assert_eq!(run_with_stack(deep).unwrap(), 100_000);
    }

    #[test]
    fn a_panic_goes_on_in_the_caller() {
        let panic = catch_unwind(|| run_with_stack(|| std::panic::panic_any(7))).unwrap_err();

        assert_eq!(panic.downcast_ref::<i32>(), Some(&7));
    }
}
