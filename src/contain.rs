//! Panics end here: below a border that no panic may cross they become text, and nothing is printed.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `body`; the text of its panic, if it panics. What it changed may be half changed then.
pub(crate) fn contain<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    silence();
    let outer = INSIDE.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(body));
    INSIDE.set(outer);
    outcome.map_err(|payload| text(&*payload).to_string())
}

/// Runs the host's own code within `contain`: its panics are told as the host wants them told.
pub(crate) fn outside<T>(body: impl FnOnce() -> T) -> T {
    let inside = INSIDE.replace(false);
    let outcome = body();
    INSIDE.set(inside);
    outcome
}

fn text(payload: &(dyn Any + Send)) -> &str {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        _ => "unknown panic",
    }
}

/// The library prints nothing: the panic hook stays quiet inside and leaves all other panics to the hook before it.
fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !INSIDE.get() {
                before(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_text() {
        assert_eq!(contain(|| 3), Ok(3));
        assert_eq!(contain(|| panic!("index {} out of range", 7)), Err::<(), _>("index 7 out of range".into()));
        assert!(!INSIDE.get());
        assert_eq!(contain(|| outside(|| INSIDE.get())), Ok(false));
    }
}
