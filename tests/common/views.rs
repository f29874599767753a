//! Plain arrays as views of one axis.
#![allow(dead_code)]

use pcml::field::Element;
use pcml::{View, ViewMut};

pub fn view<T: Element>(x: &[T]) -> View<'_> {
    View::new("x", x, &[x.len()]).unwrap()
}

pub fn view_mut<T: Element>(x: &mut [T]) -> ViewMut<'_> {
    let n = x.len();
    ViewMut::new("x", x, &[n]).unwrap()
}
