use crate::error::{Result, collected, fail};
use crate::field::Dtype;

/// The cells of a row: a run from a first one, or a list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Support<'a> {
    /// `first .. first + weights.len()`
    Run(usize),
    /// In strictly increasing order, one a weight.
    List(&'a [u32]),
}

/// One linear row `g u = b + noise`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    /// `g` on its cells; 0 elsewhere.
    pub weights: &'a [f64],
    /// Which cells those are.
    pub support: Support<'a>,
    /// `s^2`, in the unit of `b` squared.
    pub noise: f64,
}

impl Row<'_> {
    /// Cell of the k-th weight.
    #[inline(always)]
    pub fn cell(&self, k: usize) -> usize {
        match self.support {
            Support::Run(first) => first + k,
            Support::List(cells) => cells[k] as usize,
        }
    }

    /// What rounding at underflow can add to its residual.
    pub fn floor(&self, dtype: Dtype) -> f64 {
        // Term by term: the sum of the weights may overflow.
        let terms = self.weights.iter().map(|w| w.abs() * dtype.tiny());
        terms.sum::<f64>() + self.weights.len() as f64 * Dtype::F64.tiny()
    }
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Run(usize),
    /// Where the row's cells begin in `Rows::lists`.
    List(usize),
}

/// Linear rows one after the other, each on a run or a list of cells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    /// Row `k` has the weights `starts[k] .. starts[k + 1]`.
    starts: Vec<usize>,
    weights: Vec<f64>,
    places: Vec<Place>,
    lists: Vec<u32>,
    noise: Vec<f64>,
}

impl Rows {
    /// How many.
    pub fn len(&self) -> usize {
        self.noise.len()
    }

    /// Row `k`.
    #[inline]
    pub fn row(&self, k: usize) -> Row<'_> {
        let weights = &self.weights[self.starts[k]..self.starts[k + 1]];
        let support = match self.places[k] {
            Place::Run(first) => Support::Run(first),
            Place::List(at) => Support::List(&self.lists[at..at + weights.len()]),
        };
        Row { weights, support, noise: self.noise[k] }
    }

    /// A row has no weights: the state is part of a larger one.
    pub fn is_partial(&self) -> bool {
        self.iter().any(|row| row.weights.is_empty())
    }

    /// All rows in order.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len()).map(|k| self.row(k))
    }

    pub fn try_clone(&self) -> Result<Rows> {
        let what = "a copy of the rows";
        Ok(Rows {
            starts: collected(self.starts.iter().copied(), what)?,
            weights: collected(self.weights.iter().copied(), what)?,
            places: collected(self.places.iter().copied(), what)?,
            lists: collected(self.lists.iter().copied(), what)?,
            noise: collected(self.noise.iter().copied(), what)?,
        })
    }

    /// Number of stored weights.
    pub fn stored(&self) -> usize {
        self.weights.len()
    }

    pub fn truncate(&mut self, rows: usize) {
        while self.len() > rows {
            if let Some(Place::List(at)) = self.places.pop() {
                self.lists.truncate(at);
            }
            self.noise.pop();
            self.starts.pop();
        }
        self.weights.truncate(self.starts.last().copied().unwrap_or(0));
    }

    /// Appends what the caller checked.
    pub fn push(&mut self, weights: &[f64], support: Support, noise: f64) -> Result<()> {
        let listed = match support {
            Support::Run(_) => 0,
            Support::List(cells) => cells.len(),
        };
        let room = self.starts.try_reserve(2).is_ok()
            && self.weights.try_reserve(weights.len()).is_ok()
            && self.places.try_reserve(1).is_ok()
            && self.lists.try_reserve(listed).is_ok()
            && self.noise.try_reserve(1).is_ok();
        if !room {
            return fail!(OutOfMemory, "no memory for a row of {} weights", weights.len());
        }
        if self.starts.is_empty() {
            self.starts.push(0);
        }
        self.places.push(match support {
            Support::Run(first) => Place::Run(first),
            Support::List(cells) => {
                self.lists.extend_from_slice(cells);
                Place::List(self.lists.len() - cells.len())
            }
        });
        self.weights.extend_from_slice(weights);
        self.starts.push(self.weights.len());
        self.noise.push(noise);
        Ok(())
    }
}
