//! Direct solution of `L p = b`, L the weighted graph Laplacian of a mesh.
//!
//! A cell with conductances `w_j` to its neighbours (and to the ground, the outside) is eliminated by the star-mesh transform:
//! with `d = sum_j w_j`, neighbours `i` and `j` gain the conductance `w_i w_j / d`, and a source `y` moves to neighbour `j` in
//! the share `w_j / d`. This is Cholesky's elimination, except that pivots are sums of conductances and never differences of
//! diagonals (Grassmann, Taksar & Heyman 1985; Alfa, Xue & Ye 2002), so every factor is accurate to roundings of its own size
//! however widely the conductances range; a pivot by subtraction loses a conductance 1e-16 times its neighbour's. A component
//! without ground ends in a pivot that is exactly 0, whose potential is set to 0.
//!
//! Cells are taken in an approximate minimum degree order, in fronts of cells with a common pattern (supernodes), whose updates
//! wait on a stack for the front of their parent.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::sparse::SymbolicSparseColMatRef;
use faer::sparse::linalg::amd;
use pulp::{Arch, Simd, WithSimd};

use super::mesh::{Mesh, OUTSIDE};
use crate::error::{Error, Result, Status, fail, reserved, zeros};

const NONE: u32 = u32::MAX;

/// Cells that are eliminated together.
#[derive(Clone, Copy, Debug, Default)]
struct Front {
    /// Place of the first cell in the order of elimination.
    first: usize,
    width: usize,
    /// Its rows, the later neighbours of all its cells, in [`Elimination::rows`].
    rows: usize,
    height: usize,
    /// Its pivot rows in the values, `width` rows of `width + height + 1`: pivots, rows, ground.
    panel: usize,
    entries: usize,
    children: usize,
}

impl Front {
    /// Values of one pivot row.
    fn span(&self) -> usize {
        self.width + self.height + 1
    }
}

/// Where a face's conductance enters its front.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    face: u32,
    pivot: u32,
    column: u32,
}

/// The order of elimination and the pattern of the factors: of the mesh alone, for any conductances.
#[derive(Clone, Debug)]
pub(super) struct Elimination {
    /// The cell at each place of the order.
    order: Vec<u32>,
    fronts: Vec<Front>,
    rows: Vec<u32>,
    entries: Vec<Entry>,
    values: usize,
    widest: usize,
    deepest: usize,
}

/// Memory for the factors and for solving with them.
#[derive(Debug)]
pub(super) struct Factors {
    /// `w / d` of each pivot row.
    values: Vec<f64>,
    /// `d` by place.
    pivots: Vec<f64>,
    /// The rows of the front at hand: strictly upper triangle, ground last.
    rest: Vec<f64>,
    stack: Vec<f64>,
    pending: Vec<u32>,
    local: Vec<u32>,
    x: Vec<f64>,
}

fn no_memory<T>(_: T) -> Error {
    Error::new(Status::OutOfMemory, "no memory for the order of elimination")
}

/// The cells across a cell's faces, as `place` numbers them, increasing and each once.
fn neighbours(mesh: &Mesh, cell: usize, place: impl Fn(u32) -> u32, out: &mut Vec<u32>) {
    out.clear();
    out.extend(mesh.sides(cell).iter().filter(|s| s.across != OUTSIDE).map(|s| place(s.across)));
    out.sort_unstable();
    out.dedup();
}

fn minimum_degree(mesh: &Mesh) -> Result<Vec<u32>> {
    let n = mesh.cells();
    let mut starts = zeros::<u32>(n + 1, "order of elimination")?;
    let mut upper: Vec<u32> = Vec::new();
    upper.try_reserve(mesh.faces()).map_err(no_memory)?;
    let mut across = Vec::new();
    for c in 0..n {
        neighbours(mesh, c, |x| x, &mut across);
        upper.extend(across.iter().filter(|x| **x < c as u32));
        starts[c + 1] = upper.len() as u32;
    }
    let (mut order, mut place) = (zeros::<u32>(n, "order of elimination")?, zeros::<u32>(n, "order of elimination")?);
    let mut memory = MemBuffer::try_new(amd::order_scratch::<u32>(n, upper.len())).map_err(no_memory)?;
    let pattern = SymbolicSparseColMatRef::new_checked(n, n, &starts, None, &upper);
    match amd::order(&mut order, &mut place, pattern, amd::Control::default(), MemStack::new(&mut memory)) {
        Ok(_) => Ok(order),
        Err(_) => fail!(TooLarge, "{n} cells with {} faces are too many to order", mesh.faces()),
    }
}

/// Parent of each place in the elimination tree (Liu 1986).
fn tree(mesh: &Mesh, order: &[u32], place: &[u32]) -> Result<Vec<u32>> {
    let n = order.len();
    let mut parent = zeros::<u32>(n, "order of elimination")?;
    let mut ancestor = zeros::<u32>(n, "order of elimination")?;
    parent.fill(NONE);
    ancestor.fill(NONE);
    for (k, &cell) in order.iter().enumerate() {
        for side in mesh.sides(cell as usize).iter().filter(|s| s.across != OUTSIDE) {
            let mut at = place[side.across as usize];
            while at < k as u32 {
                let next = std::mem::replace(&mut ancestor[at as usize], k as u32);
                if next == NONE {
                    parent[at as usize] = k as u32;
                    break;
                }
                at = next;
            }
        }
    }
    Ok(parent)
}

/// Reorders so that the places below one place of the tree come directly before it; the tree changes with it.
fn postorder(order: &mut [u32], parent: &mut [u32]) -> Result<()> {
    let n = order.len();
    let (mut child, mut sibling) = (zeros::<u32>(n, "order of elimination")?, zeros::<u32>(n, "order of elimination")?);
    child.fill(NONE);
    sibling.fill(NONE);
    for k in (0..n).rev() {
        if parent[k] != NONE {
            sibling[k] = std::mem::replace(&mut child[parent[k] as usize], k as u32);
        }
    }
    let mut post = zeros::<u32>(n, "order of elimination")?;
    let mut stack = Vec::new();
    stack.try_reserve(n).map_err(no_memory)?;
    let mut done = 0;
    for root in (0..n as u32).filter(|k| parent[*k as usize] == NONE) {
        stack.push(root);
        while let Some(&k) = stack.last() {
            let first = std::mem::replace(&mut child[k as usize], NONE);
            if first == NONE {
                stack.pop();
                post[k as usize] = done;
                done += 1;
            } else {
                // All children at once, the first on top.
                let from = stack.len();
                let mut next = first;
                while next != NONE {
                    stack.push(next);
                    next = sibling[next as usize];
                }
                stack[from..].reverse();
            }
        }
    }
    let copy = |list: &[u32]| -> Result<Vec<u32>> {
        let mut copy = reserved(n, "elimination")?;
        copy.extend_from_slice(list);
        Ok(copy)
    };
    let (old_order, old_parent) = (copy(order)?, copy(parent)?);
    for k in 0..n {
        let to = post[k] as usize;
        order[to] = old_order[k];
        parent[to] = if old_parent[k] == NONE { NONE } else { post[old_parent[k] as usize] };
    }
    Ok(())
}

impl Elimination {
    /// None where a factorisation takes more than `most` multiplications and additions.
    pub fn new(mesh: &Mesh, most: f64) -> Result<Option<Elimination>> {
        let n = mesh.cells();
        let mut order = minimum_degree(mesh)?;
        let mut place = zeros::<u32>(n, "order of elimination")?;
        let mut index = |order: &[u32]| order.iter().enumerate().for_each(|(k, c)| place[*c as usize] = k as u32);
        index(&order);
        let mut parent = tree(mesh, &order, &place)?;
        postorder(&mut order, &mut parent)?;
        order.iter().enumerate().for_each(|(k, c)| place[*c as usize] = k as u32);

        let mut out = Elimination {
            order,
            fronts: Vec::new(),
            rows: Vec::new(),
            entries: Vec::new(),
            values: 0,
            widest: 0,
            deepest: 0,
        };
        if !out.find_fronts(mesh, &parent, &place, most)? {
            return Ok(None);
        }
        out.place_faces(mesh, &place)?;
        out.measure(&parent)?;
        Ok(Some(out))
    }

    /// Patterns column by column: a column's later neighbours are its own and those of its children in the tree. False once that
    /// means more than `most` operations.
    fn find_fronts(&mut self, mesh: &Mesh, parent: &[u32], place: &[u32], most: f64) -> Result<bool> {
        let n = self.order.len();
        let mut operations = 0.0;
        let mut pattern = zeros::<(usize, usize)>(n, "pattern of the factors")?;
        let mut mark = zeros::<u32>(n, "pattern of the factors")?;
        mark.fill(NONE);
        let (mut child, mut sibling) = (zeros::<u32>(n, "pattern")?, zeros::<u32>(n, "pattern")?);
        child.fill(NONE);
        sibling.fill(NONE);
        let (mut own, mut across) = (Vec::new(), Vec::new());
        for k in 0..n {
            own.clear();
            neighbours(mesh, self.order[k] as usize, |c| place[c as usize], &mut across);
            let mut add = |q: u32, own: &mut Vec<u32>| {
                if q > k as u32 && mark[q as usize] != k as u32 {
                    mark[q as usize] = k as u32;
                    own.push(q);
                }
            };
            across.iter().for_each(|&q| add(q, &mut own));
            let mut c = child[k];
            while c != NONE {
                let (at, count) = pattern[c as usize];
                self.rows[at..at + count].iter().for_each(|&q| add(q, &mut own));
                c = sibling[c as usize];
            }
            if parent[k] != NONE {
                sibling[k] = std::mem::replace(&mut child[parent[k] as usize], k as u32);
            }
            operations += (own.len() as f64 + 2.0).powi(2);
            if operations > most {
                return Ok(false);
            }
            // The column before has this one as its parent and no other pattern: they are one front.
            let joins = k > 0 && parent[k - 1] == k as u32 && pattern[k - 1].1 == own.len() + 1;
            if joins {
                let front = self.fronts.last_mut().expect("the front of the column before");
                pattern[k] = (pattern[k - 1].0 + 1, own.len());
                front.width += 1;
                (front.rows, front.height) = pattern[k];
                continue;
            }
            own.sort_unstable();
            let room = self.rows.try_reserve(own.len()).is_ok() && self.fronts.try_reserve(1).is_ok();
            if !room {
                return fail!(OutOfMemory, "no memory for the pattern of the factors");
            }
            pattern[k] = (self.rows.len(), own.len());
            self.rows.extend_from_slice(&own);
            let (rows, height) = pattern[k];
            self.fronts.push(Front { first: k, width: 1, rows, height, ..Front::default() });
        }
        Ok(true)
    }

    fn place_faces(&mut self, mesh: &Mesh, place: &[u32]) -> Result<()> {
        self.entries.try_reserve(mesh.faces()).map_err(no_memory)?;
        for front in &mut self.fronts {
            front.entries = self.entries.len();
            let rows = &self.rows[front.rows..front.rows + front.height];
            for pivot in 0..front.width {
                let k = front.first + pivot;
                for side in mesh.sides(self.order[k] as usize).iter().filter(|s| s.across != OUTSIDE) {
                    let q = place[side.across as usize];
                    if (q as usize) < k {
                        continue;
                    }
                    let column = match (q as usize).checked_sub(front.first) {
                        Some(column) if column < front.width => column,
                        _ => front.width + rows.partition_point(|&row| row < q),
                    };
                    self.entries.push(Entry { face: side.face, pivot: pivot as u32, column: column as u32 });
                }
            }
        }
        Ok(())
    }

    /// Sizes of the values, the largest front and the deepest stack; how many updates each front takes from the stack.
    fn measure(&mut self, parent: &[u32]) -> Result<()> {
        let mut front_of = zeros::<u32>(self.order.len(), "pattern")?;
        for (number, front) in self.fronts.iter().enumerate() {
            front_of[front.first..front.first + front.width].fill(number as u32);
        }
        let updates = |height: usize| height * (height + 1) / 2;
        let mut waiting: Vec<usize> = Vec::new();
        waiting.try_reserve(self.fronts.len()).map_err(no_memory)?;
        let mut depth = 0;
        for number in 0..self.fronts.len() {
            let front = self.fronts[number];
            for _ in 0..front.children {
                depth -= waiting.pop().unwrap_or(0);
            }
            self.fronts[number].panel = self.values;
            self.values += front.width * front.span();
            self.widest = self.widest.max(front.height * (front.height + 1));
            let above = parent[front.first + front.width - 1];
            if above != NONE {
                self.fronts[front_of[above as usize] as usize].children += 1;
                waiting.push(updates(front.height));
                depth += updates(front.height);
                self.deepest = self.deepest.max(depth);
            }
        }
        Ok(())
    }

    /// Memory for the factors: about `8 (values + widest + deepest)` bytes.
    pub fn factors(&self) -> Result<Factors> {
        let n = self.order.len();
        let mut pending = Vec::new();
        pending.try_reserve_exact(self.fronts.len()).map_err(no_memory)?;
        Ok(Factors {
            values: zeros(self.values, "factors")?,
            pivots: zeros(n, "factors")?,
            rest: zeros(self.widest, "factors")?,
            stack: zeros(self.deepest, "factors")?,
            pending,
            local: zeros(n, "factors")?,
            x: zeros(n, "factors")?,
        })
    }

    /// Factors L for conductances by face and conductances to the ground by cell, all at least 0 and finite.
    pub fn factor(&self, factors: &mut Factors, conductance: &[f64], ground: &[f64]) {
        let Factors { values, pivots, rest, stack, pending, local, .. } = factors;
        pending.clear();
        let mut top = 0;
        for (number, front) in self.fronts.iter().enumerate() {
            let Front { first, width, height, .. } = *front;
            let (span, side) = (front.span(), height + 1);
            let rows = &self.rows[front.rows..front.rows + height];
            let panel = &mut values[front.panel..front.panel + width * span];
            let rest = &mut rest[..height * side];
            panel.fill(0.0);
            rest.fill(0.0);
            let entries_end = self.fronts.get(number + 1).map_or(self.entries.len(), |next| next.entries);
            for entry in &self.entries[front.entries..entries_end] {
                panel[entry.pivot as usize * span + entry.column as usize] += conductance[entry.face as usize];
            }
            for pivot in 0..width {
                panel[pivot * span + span - 1] = ground[self.order[first + pivot] as usize];
                local[first + pivot] = pivot as u32;
            }
            rows.iter().enumerate().for_each(|(i, &q)| local[q as usize] = (width + i) as u32);
            for _ in 0..front.children {
                let child = &self.fronts[pending.pop().unwrap_or(0) as usize];
                let size = child.height * (child.height + 1) / 2;
                top -= size;
                let child_rows = &self.rows[child.rows..child.rows + child.height];
                let mut update = &stack[top..top + size];
                for (i, &q) in child_rows.iter().enumerate() {
                    let (own, later) = update.split_at(child.height - i);
                    update = later;
                    let at = local[q as usize] as usize;
                    let (to, shift) = if at < width {
                        (&mut panel[at * span..(at + 1) * span], 0)
                    } else {
                        (&mut rest[(at - width) * side..(at - width + 1) * side], width)
                    };
                    for (&q, &w) in child_rows[i + 1..].iter().zip(own) {
                        to[local[q as usize] as usize - shift] += w;
                    }
                    to[to.len() - 1] += own[own.len() - 1];
                }
            }
            Arch::new().dispatch(Eliminate { panel, rest, pivots: &mut pivots[first..first + width], height });
            // A front without rows is a root: nobody waits for its update.
            if height > 0 {
                for i in 0..height {
                    let own = &rest[i * side + i + 1..(i + 1) * side];
                    stack[top..top + own.len()].copy_from_slice(own);
                    top += own.len();
                }
                pending.push(number as u32);
            }
        }
    }

    /// `x` with `L x = b`; in a component without ground, whose `b` should sum to 0, the last cell has 0.
    pub fn solve(&self, factors: &mut Factors, b: &[f64], out: &mut [f64]) {
        let Factors { values, pivots, x, .. } = factors;
        x.iter_mut().zip(&self.order).for_each(|(x, c)| *x = b[*c as usize]);
        for front in &self.fronts {
            let Front { first, width, height, .. } = *front;
            let rows = &self.rows[front.rows..front.rows + height];
            for pivot in 0..width {
                let shares = &values[front.panel + pivot * front.span()..][..width + height];
                let y = x[first + pivot];
                let (inner, outer) = shares.split_at(width);
                for (x, s) in x[first..first + width].iter_mut().zip(inner).skip(pivot + 1) {
                    *x += s * y;
                }
                for (&q, s) in rows.iter().zip(outer) {
                    x[q as usize] += s * y;
                }
            }
        }
        for front in self.fronts.iter().rev() {
            let Front { first, width, height, .. } = *front;
            let rows = &self.rows[front.rows..front.rows + height];
            for pivot in (0..width).rev() {
                let shares = &values[front.panel + pivot * front.span()..][..width + height];
                let d = pivots[first + pivot];
                let mut sum = if d > 0.0 { x[first + pivot] / d } else { 0.0 };
                let (inner, outer) = shares.split_at(width);
                for (x, s) in x[first..first + width].iter().zip(inner).skip(pivot + 1) {
                    sum += s * x;
                }
                for (&q, s) in rows.iter().zip(outer) {
                    sum += s * x[q as usize];
                }
                x[first + pivot] = sum;
            }
        }
        x.iter().zip(&self.order).for_each(|(x, c)| out[*c as usize] = *x);
    }
}

/// The arithmetic of one front.
struct Eliminate<'a> {
    panel: &'a mut [f64],
    rest: &'a mut [f64],
    pivots: &'a mut [f64],
    height: usize,
}

impl WithSimd for Eliminate<'_> {
    type Output = ();

    // Only a body inlined into the dispatching function is compiled for its instruction set.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Eliminate { panel, rest, pivots, height } = self;
        let width = pivots.len();
        let span = width + height + 1;
        for i in 0..width {
            let (before, after) = panel.split_at_mut((i + 1) * span);
            let row = &before[i * span..];
            let d: f64 = row[i + 1..].iter().sum();
            pivots[i] = d;
            if d == 0.0 {
                continue;
            }
            for (j, later) in (i + 1..width).zip(after.chunks_exact_mut(span)) {
                let share = row[j] / d;
                for (x, w) in later[j + 1..].iter_mut().zip(&row[j + 1..]) {
                    *x += share * w;
                }
            }
        }
        let side = height + 1;
        for (j, own) in rest.chunks_exact_mut(side).enumerate() {
            let own = &mut own[j + 1..];
            let column = width + j;
            let tail = column + 1;
            let share = |i: usize| if pivots[i] > 0.0 { panel[i * span + column] / pivots[i] } else { 0.0 };
            let mut i = 0;
            while i + 4 <= width {
                let s = [share(i), share(i + 1), share(i + 2), share(i + 3)];
                let row = |i: usize| &panel[i * span + tail..(i + 1) * span];
                let (a, b, c, d) = (row(i), row(i + 1), row(i + 2), row(i + 3));
                for ((((x, a), b), c), d) in own.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                    *x += (s[0] * a + s[1] * b) + (s[2] * c + s[3] * d);
                }
                i += 4;
            }
            for i in i..width {
                let s = share(i);
                for (x, w) in own.iter_mut().zip(&panel[i * span + tail..(i + 1) * span]) {
                    *x += s * w;
                }
            }
        }
        for (row, &d) in panel.chunks_exact_mut(span).zip(&*pivots) {
            if d > 0.0 {
                row.iter_mut().for_each(|x| *x /= d);
            }
        }
    }
}
