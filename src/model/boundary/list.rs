//! Few elements without memory of their own.

use std::ops::Deref;

/// A few elements in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<E, const MOST: usize> {
    elements: [E; MOST],
    count: usize,
}

impl<E: Copy + Default, const MOST: usize> Default for List<E, MOST> {
    fn default() -> Self {
        List { elements: [E::default(); MOST], count: 0 }
    }
}

impl<E, const MOST: usize> List<E, MOST> {
    pub fn push(&mut self, element: E) {
        self.elements[self.count] = element;
        self.count += 1;
    }
}

impl<E: Copy + Default, const MOST: usize> FromIterator<E> for List<E, MOST> {
    fn from_iter<I: IntoIterator<Item = E>>(elements: I) -> Self {
        let mut list = List::default();
        elements.into_iter().for_each(|element| list.push(element));
        list
    }
}

impl<E, const MOST: usize> Deref for List<E, MOST> {
    type Target = [E];
    fn deref(&self) -> &[E] {
        &self.elements[..self.count]
    }
}
