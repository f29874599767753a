use crate::error::{Result, fail};
use crate::field::{Layout, Place, Sharing, sharing};
use crate::kernels::strided::View;

/// An array's name and place.
type Named<'a> = (&'a str, Place<'a>);

pub(super) fn check_apart(output: Named, input: Named, may_be_same: bool) -> Result<()> {
    match sharing(&output.1, &input.1) {
        Sharing::Disjoint => Ok(()),
        Sharing::Same if may_be_same => Ok(()),
        _ => {
            let how = if may_be_same { "the same array or arrays apart" } else { "arrays apart" };
            fail!(Stride, "{} overlaps {}, expected {how}", output.0, input.0)
        }
    }
}

/// `of`: what has one value.
pub(super) fn check_count(name: &str, layout: &Layout, count: usize, of: &str) -> Result<()> {
    if layout.len() != count {
        return fail!(Shape, "{name} has shape {:?}, expected {count} values, one a {of}", layout.shape());
    }
    Ok(())
}

/// Copies an array of finite values, none as 0. Texts name a value by its number.
pub(super) fn read_or_zero(view: Option<&View>, name: &str, out: &mut [f64]) -> Result<()> {
    read(view, out, |i| format!("{name}[{i}]"))
}

/// Copies an array of finite values, none as 0. Texts name a value by what it is `of`.
pub(super) fn read_each(view: Option<&View>, name: &str, of: &str, out: &mut [f64]) -> Result<()> {
    read(view, out, |i| format!("{name}: {of} {i}"))
}

fn read(view: Option<&View>, out: &mut [f64], value: impl Fn(usize) -> String) -> Result<()> {
    match view {
        Some(view) => view.merged().gather(0, out),
        None => out.fill(0.0),
    }
    match out.iter().position(|x| !x.is_finite()) {
        Some(i) => fail!(NonFinite, "{} is {}, expected a finite number", value(i), out[i]),
        None => Ok(()),
    }
}
