//! Runs tables of templates. What they are to give was confirmed with Go's text/template and sprig.

use crate::call::Host;
use crate::render::{Options, Render};
use crate::set::{Set, Template};
use crate::stack::run_with_stack;
use crate::value::Value;

/// A host whose clock stands and whose dice always fall the same.
pub(super) struct Fixed(u64);

impl Default for Fixed {
    fn default() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }
}

impl Host for Fixed {
    fn now(&mut self) -> jiff::Timestamp {
        jiff::Timestamp::constant(1_714_979_289, 500_000_000)
    }

    fn random(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = (self.0 >> 32) as u8;
        }
    }
}

/// What the template writes, or the text of its error.
pub(super) fn render(text: &str) -> Result<String, String> {
    let run = || {
        let mut set = Set::new();
        set.add(&Template::parse("t", text).map_err(|error| error.to_string())?);
        let mut host = Fixed::default();
        let mut render = Render::new(&set, &mut host, Options::default());
        match render.execute("t", &Value::Nil) {
            Ok(out) => Ok(String::from_utf8_lossy(&out).into_owned()),
            Err(error) => Err(error.to_string()),
        }
    };
    run_with_stack(run).expect("a thread")
}

/// Each template writes what stands beside it.
pub(super) fn gives(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(render(text).as_deref(), Ok(*expected), "{text}");
    }
}

/// Calling the function fails with what stands beside the template.
pub(super) fn fails(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let error = render(text).expect_err(text);
        let (_, own) = error.split_once("error calling ").unwrap_or(("", &error));
        assert_eq!(own, *expected, "{text}");
    }
}
