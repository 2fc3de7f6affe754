//! Whether a component's code can be compiled in bounded time. How long a compiler needs grows faster than
//! a function does, and wasmtime does not count a slow compilation as a fault: the bound is ours.

use crate::error::LoadError;
use wasmparser::{Parser, Payload};

/// Longest body of a function, in bytes: a multiple of what interpreters in guests have.
const FUNCTION_BYTES: usize = 512 << 10;
/// Functions of all modules of a component.
const FUNCTIONS: usize = 65_536;

/// Refuses what would keep the compiler busy for too long. Reads the code without understanding it.
///
/// # Errors
/// It is malformed, has too many functions or too long a one.
pub(super) fn check(component: &[u8]) -> Result<(), LoadError> {
    let mut functions = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(|error| LoadError::Compile(error.to_string()))?;
        let Payload::CodeSectionEntry(body) = payload else { continue };
        functions += 1;
        if functions > FUNCTIONS {
            return Err(LoadError::TooMuchCode(format!("more than {FUNCTIONS} functions")));
        }
        if body.range().len() > FUNCTION_BYTES {
            return Err(LoadError::TooMuchCode(format!("a function longer than {FUNCTION_BYTES} bytes")));
        }
    }
    Ok(())
}
