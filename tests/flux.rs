//! The promises of the flux balance and of the update, over random meshes.

#[path = "common/views.rs"]
mod views;

use pcml::constraint::{FluxBalance, FluxMethod, FluxOptions, FluxReport, LimitReport, Tangent, UpdateBounds};
use pcml::error::{Result, Status};
use pcml::field::{Element, Layout};
use pcml::{View, ViewMut};
use proptest::prelude::*;
use views::{view, view_mut};

/// A storage type with its way from and to f64.
trait Stored: Element + std::fmt::Debug {
    const EPSILON: f64;
    const TINY: f64;
    fn of(x: f64) -> Self;
    fn wide(self) -> f64;
    fn bits(self) -> u64;
}

impl Stored for f64 {
    const EPSILON: f64 = f64::EPSILON;
    const TINY: f64 = 5e-324;
    fn of(x: f64) -> f64 {
        x
    }
    fn wide(self) -> f64 {
        self
    }
    fn bits(self) -> u64 {
        self.to_bits()
    }
}

impl Stored for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;
    const TINY: f64 = 1.5e-45;
    fn of(x: f64) -> f32 {
        x as f32
    }
    fn wide(self) -> f64 {
        self as f64
    }
    fn bits(self) -> u64 {
        self.to_bits() as u64
    }
}

fn stored<T: Stored>(x: &[f64]) -> Vec<T> {
    x.iter().map(|x| T::of(*x)).collect()
}

fn wide<T: Stored>(x: &[T]) -> Vec<f64> {
    x.iter().map(|x| x.wide()).collect()
}

fn bits<T: Stored>(x: &[T]) -> Vec<u64> {
    x.iter().map(|x| x.bits()).collect()
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// In (-1, 1).
    fn signed(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    fn unit(&mut self) -> f64 {
        0.5 + 0.5 * self.signed()
    }
}

#[derive(Clone, Debug)]
struct Case {
    cells: usize,
    owner: Vec<i64>,
    neighbour: Vec<i64>,
    volumes: Vec<f64>,
    flux: Vec<f64>,
    variance: Vec<f64>,
    source: Vec<f64>,
}

/// Exact to about 2^-100: each sum with its rounding errors, in another form than the library's.
fn exact(terms: impl Iterator<Item = f64>) -> f64 {
    let mut parts: Vec<f64> = Vec::new();
    for mut x in terms {
        let mut kept = 0;
        for k in 0..parts.len() {
            let mut y = parts[k];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let sum = x + y;
            let low = y - (sum - x);
            if low != 0.0 {
                parts[kept] = low;
                kept += 1;
            }
            x = sum;
        }
        parts.truncate(kept);
        parts.push(x);
    }
    parts.iter().sum()
}

impl Case {
    /// A grid with holes, cut links, double links and chains; `open` keeps boundary faces, else every component is closed and the
    /// sources fit it. `decades` of variances.
    fn new(cells: usize, seed: u64, open: bool, held: bool, decades: f64) -> Case {
        let mut r = Random(seed);
        let side = 1 + r.below(1 + (cells as f64).sqrt() as usize * 2);
        let mut faces: Vec<(i64, i64)> = Vec::new();
        let cut = [0.0, 0.05, 0.4][r.below(3)];
        for c in 0..cells {
            for to in [(c + 1) % side.max(1) != 0, true]
                .iter()
                .zip([c + 1, c + side])
                .filter(|(ok, _)| **ok)
                .map(|(_, to)| to)
            {
                if to >= cells || to == c || r.unit() < cut {
                    continue;
                }
                for _ in 0..1 + usize::from(r.unit() < 0.05) {
                    faces.push(if r.unit() < 0.5 { (c as i64, to as i64) } else { (to as i64, c as i64) });
                }
            }
            if open && r.unit() < 0.1 || c == 0 && cells == 1 && open {
                faces.push((c as i64, -1));
            }
        }
        if faces.is_empty() {
            faces.push(if cells > 1 { (0, 1) } else { (0, -1) });
        }
        for k in (1..faces.len()).rev() {
            faces.swap(k, r.below(k + 1));
        }
        let m = faces.len();
        let flux: Vec<f64> = (0..m).map(|_| r.signed() * 10f64.powf(2.0 * r.signed())).collect();
        let variance =
            (0..m).map(|_| if held && r.unit() < 0.1 { 0.0 } else { 10f64.powf(decades * (r.unit() - 0.5)) }).collect();
        let mut case = Case {
            cells,
            owner: faces.iter().map(|f| f.0).collect(),
            neighbour: faces.iter().map(|f| f.1).collect(),
            volumes: (0..cells).map(|_| 0.1 + r.unit()).collect(),
            flux,
            variance,
            source: vec![0.0; cells],
        };
        // Sources of other fluxes with the same held ones: something always balances them.
        let other: Vec<f64> = case
            .flux
            .iter()
            .zip(&case.variance)
            .map(|(f, w)| if *w == 0.0 { *f } else { f + 0.3 * r.signed() })
            .collect();
        case.source = case.divergence(&other);
        case
    }

    fn divergence(&self, flux: &[f64]) -> Vec<f64> {
        let mut out = vec![Vec::new(); self.cells];
        for (f, x) in flux.iter().enumerate() {
            out[self.owner[f] as usize].push(*x);
            if self.neighbour[f] >= 0 {
                out[self.neighbour[f] as usize].push(-x);
            }
        }
        out.into_iter().map(|terms| exact(terms.into_iter())).collect()
    }

    /// The case as a host of storage type T has it: what its numbers are after rounding, sources made to fit.
    fn rounded<T: Stored>(&self) -> Case {
        let mut out = self.clone();
        out.flux = wide(&stored::<T>(&self.flux));
        let shift = self.flux.iter().zip(&out.flux).map(|(a, b)| b - a).collect::<Vec<_>>();
        out.source = self.source.iter().zip(self.divergence(&shift)).map(|(s, d)| s + d).collect();
        out
    }

    fn balance(&self, options: &FluxOptions) -> FluxBalance {
        FluxBalance::new(&self.owner, &self.neighbour, view(&self.volumes), options).unwrap()
    }

    fn correct<T: Stored>(&self, options: &FluxOptions, flux: &[T]) -> Result<(Vec<T>, FluxReport)> {
        let balance = self.balance(options);
        let mut out = vec![T::default(); flux.len()];
        let mut scratch = balance.scratch()?;
        let (w, s) = (view(&self.variance), view(&self.source));
        let report = balance.correct(&mut scratch, view(flux), Some(w), Some(s), view_mut(&mut out))?;
        Ok((out, report))
    }

    /// The largest residual in units of what is allowed.
    fn closeness<T: Stored>(&self, flux: &[T]) -> f64 {
        let flux = wide(flux);
        let mut terms: Vec<Vec<f64>> = self.source.iter().map(|s| vec![-s]).collect();
        for (f, x) in flux.iter().enumerate() {
            terms[self.owner[f] as usize].push(*x);
            if self.neighbour[f] >= 0 {
                terms[self.neighbour[f] as usize].push(-x);
            }
        }
        let one = |t: Vec<f64>| {
            let scale: f64 = t.iter().map(|x| x.abs()).sum();
            exact(t.iter().copied()).abs() / (4.0 * T::EPSILON * scale + t.len() as f64 * T::TINY)
        };
        terms.into_iter().map(one).fold(0.0, f64::max)
    }
}

const DIRECT: FluxOptions = FluxOptions { held_faces: true, direct_cells: Some(usize::MAX) };
const ITERATIVE: FluxOptions = FluxOptions { held_faces: true, direct_cells: Some(0) };

fn both() -> [FluxOptions; 2] {
    [DIRECT, ITERATIVE]
}

fn case(most: usize, decades: f64) -> impl Strategy<Value = Case> {
    let cells = prop_oneof![1..=9usize, 1..=most];
    (cells, any::<u64>(), any::<bool>(), any::<bool>(), 0.0..=decades)
        .prop_map(|(cells, seed, open, held, decades)| Case::new(cells, seed, open, held, decades))
}

fn closes<T: Stored>(c: &Case, may_give_up: bool) {
    let c = c.rounded::<T>();
    let flux = stored::<T>(&c.flux);
    for options in both() {
        let (out, report) = match c.correct(&options, &flux) {
            // Elimination knows no variances too far apart; conjugate gradients may say so.
            Err(e) if may_give_up && options == ITERATIVE && e.status() == Status::NotConverged => continue,
            done => done.unwrap_or_else(|e| panic!("{options:?}: {e}")),
        };
        let found = c.closeness(&out);
        assert!(found <= 1.0, "{options:?}: {found} of {report:?}");
        assert!((report.closeness - found).abs() <= 1e-6, "{found} of {report:?}");
        for (f, w) in c.variance.iter().enumerate() {
            assert!(*w > 0.0 || out[f].bits() == flux[f].bits(), "face {f} is held");
        }
        let (again, report) = c.correct(&options, &out).unwrap();
        assert!(report.unchanged && report.method == FluxMethod::None);
        assert_eq!(bits(&again), bits(&out));
    }
}

/// The textbook: the saddle point system `[diag(1/w) D'; D 0]` of the free faces, by elimination with full pivoting in f64 with
/// refinement; dependent rows of closed components drop out.
fn textbook(c: &Case) -> Vec<f64> {
    let free: Vec<usize> = (0..c.flux.len()).filter(|f| c.variance[*f] > 0.0).collect();
    let (m, n) = (free.len(), c.cells);
    let residual: Vec<f64> = c.divergence(&c.flux).iter().zip(&c.source).map(|(d, s)| s - d).collect();
    let mut d = vec![vec![0.0; m]; n];
    for (k, &f) in free.iter().enumerate() {
        d[c.owner[f] as usize][k] = 1.0;
        if c.neighbour[f] >= 0 {
            d[c.neighbour[f] as usize][k] = -1.0;
        }
    }
    // Scaled: x = (F' - F) / sqrt(w), A = D sqrt(W), least |x| with A x = r, by orthogonal columns of A'.
    let scaled: Vec<Vec<f64>> =
        d.iter().map(|row| row.iter().zip(&free).map(|(x, f)| x * c.variance[*f].sqrt()).collect()).collect();
    let mut basis: Vec<(Vec<f64>, f64)> = Vec::new();
    for (row, r) in scaled.iter().zip(&residual) {
        let (mut q, mut b) = (row.clone(), *r);
        let length = q.iter().map(|x| x * x).sum::<f64>().sqrt();
        for _ in 0..3 {
            for (e, be) in &basis {
                let t: f64 = q.iter().zip(e).map(|(a, b)| a * b).sum();
                q.iter_mut().zip(e).for_each(|(q, e)| *q -= t * e);
                b -= t * be;
            }
        }
        let left = q.iter().map(|x| x * x).sum::<f64>().sqrt();
        if left > 1e-9 * length {
            basis.push((q.iter().map(|x| x / left).collect(), b / left));
        }
    }
    let mut out = c.flux.clone();
    for (k, &f) in free.iter().enumerate() {
        out[f] += c.variance[f].sqrt() * basis.iter().map(|(e, b)| e[k] * b).sum::<f64>();
    }
    out
}

/// A random place in memory for so many values: gap, offset, direction.
fn place(count: usize, pick: u64) -> (usize, usize, Layout) {
    let gap = 1 + (pick % 3) as usize;
    let (mut offset, mut stride) = ((pick / 3 % 5) as usize, gap as isize);
    if pick / 15 % 2 == 1 {
        offset += (count - 1) * gap;
        stride = -stride;
    }
    (count * gap + 5, offset, Layout::new("x", &[count], &[stride]).unwrap())
}

fn spread<T: Stored>(x: &[T], pick: u64) -> (Vec<T>, usize, Layout) {
    let (room, offset, layout) = place(x.len(), pick);
    let mut memory = vec![T::of(-7.0); room];
    for (k, x) in x.iter().enumerate() {
        memory[(offset as isize + k as isize * layout.strides()[0]) as usize] = *x;
    }
    (memory, offset, layout)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_balance_closes_and_then_nothing_changes(c in case(2000, 8.0)) {
        closes::<f64>(&c, false);
        closes::<f32>(&c, false);
    }

    #[test]
    fn every_balance_closes_over_sixteen_decades(c in case(300, 16.0)) {
        closes::<f64>(&c, true);
        closes::<f32>(&c, true);
    }

    #[test]
    fn as_the_textbook_on_small_meshes(c in case(40, 2.0)) {
        let expected = textbook(&c);
        let size = expected.iter().zip(&c.flux).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        for options in both() {
            let (out, report) = c.correct(&options, &c.flux).unwrap();
            let norm = out.iter().zip(&c.flux).zip(&c.variance).filter(|(_, w)| **w > 0.0)
                .map(|((a, b), w)| (a - b) * (a - b) / w).sum::<f64>().sqrt();
            prop_assert!((report.correction_norm - norm).abs() <= 1e-12 * norm);
            if report.unchanged {
                continue;
            }
            for (a, b) in out.iter().zip(&expected) {
                prop_assert!((a - b).abs() <= 1e-11 * size, "{} {} of {}: {:?}", a, b, size, report);
            }
        }
    }

    #[test]
    fn derivatives_are_adjoint_and_differences(c in case(60, 1.0), seed in any::<u64>()) {
        let mut random = Random(seed);
        let (faces, cells) = (c.flux.len(), c.cells);
        let mut list = |n: usize| -> Vec<f64> { (0..n).map(|_| random.signed()).collect() };
        let (df, mut dw, bar, shift) = (list(faces), list(faces), list(faces), list(faces));
        // Variances that stay positive; sources that some fluxes leave behind, so that they balance in every part of the mesh.
        dw.iter_mut().zip(&c.variance).for_each(|(d, w)| *d *= 0.1 * w);
        let mut ds = vec![0.0; cells];
        for f in (0..faces).filter(|&f| c.variance[f] > 0.0) {
            ds[c.owner[f] as usize] += shift[f];
            if c.neighbour[f] >= 0 {
                ds[c.neighbour[f] as usize] -= shift[f];
            }
        }
        // A held face keeps its flux, which sources would have to follow.
        let df: Vec<f64> = df.iter().zip(&c.variance).map(|(d, w)| if *w > 0.0 { *d } else { 0.0 }).collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        for options in both() {
            let balance = c.balance(&options);
            let mut scratch = balance.scratch().unwrap();
            let (flux, w, s) = (view(&c.flux), Some(view(&c.variance)), Some(view(&c.source)));
            let mut forward = vec![0.0; faces];
            let tangent = Tangent { mean: Some(view(&df)), variance: Some(view(&dw)), b: Some(view(&ds)) };
            balance.jvp(&mut scratch, flux, w, s, tangent, view_mut(&mut forward)).unwrap();
            let (mut gf, mut gw, mut gs) = (vec![0.0; faces], vec![0.0; faces], vec![0.0; cells]);
            let gradient = Tangent {
                mean: Some(view_mut(&mut gf)),
                variance: Some(view_mut(&mut gw)),
                b: Some(view_mut(&mut gs)),
            };
            balance.vjp(&mut scratch, flux, w, s, view(&bar), gradient).unwrap();
            let (left, right) = (dot(&forward, &bar), dot(&df, &gf) + dot(&dw, &gw) + dot(&ds, &gs));
            let size = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a * b).abs()).sum::<f64>();
            let scale = size(&forward, &bar) + size(&df, &gf) + size(&dw, &gw) + size(&ds, &gs);
            prop_assert!((left - right).abs() <= 1e-9 * scale, "{left:e} {right:e} of {scale:e}");
            let h = 1e-5;
            let moved = |sign: f64| {
                let step = |x: &[f64], d: &[f64]| -> Vec<f64> { x.iter().zip(d).map(|(x, d)| x + sign * h * d).collect() };
                let case = Case { variance: step(&c.variance, &dw), source: step(&c.source, &ds), ..c.clone() };
                case.correct(&options, &step(&c.flux, &df)).unwrap().0
            };
            let (plus, minus) = (moved(1.0), moved(-1.0));
            let most = forward.iter().chain(&c.flux).fold(1.0, |m: f64, x| m.max(x.abs()));
            for f in 0..faces {
                let difference = (plus[f] - minus[f]) / (2.0 * h);
                prop_assert!((difference - forward[f]).abs() <= 1e-4 * most, "face {f}: {difference:e} {:e}", forward[f]);
            }
        }
    }

    #[test]
    fn strides_change_no_bit(c in case(200, 4.0), pick in any::<u64>()) {
        let options = if pick & 1 == 0 { DIRECT } else { ITERATIVE };
        let (expected, report) = c.correct(&options, &c.flux).unwrap();
        let balance = c.balance(&options);
        let mut scratch = balance.scratch().unwrap();
        let (flux, flux_at, flux_layout) = spread(&c.flux, pick >> 8);
        let (w, w_at, w_layout) = spread(&c.variance, pick >> 16);
        let (s, s_at, s_layout) = spread(&c.source, pick >> 24);
        let (mut out, out_at, out_layout) = spread(&c.flux, pick >> 32);
        let found = balance.correct(
            &mut scratch,
            View::strided("flux", &flux, flux_at, flux_layout).unwrap(),
            Some(View::strided("w", &w, w_at, w_layout).unwrap()),
            Some(View::strided("s", &s, s_at, s_layout).unwrap()),
            ViewMut::strided("out", &mut out, out_at, out_layout).unwrap(),
        ).unwrap();
        prop_assert_eq!(found, report);
        let step = out_layout.strides()[0];
        for (k, x) in expected.iter().enumerate() {
            prop_assert_eq!(out[(out_at as isize + k as isize * step) as usize].to_bits(), x.to_bits());
        }
        // The workspace remembers nothing.
        let mut again = vec![0.0; c.flux.len()];
        balance.correct(&mut scratch, view(&c.flux), Some(view(&c.variance)), Some(view(&c.source)), view_mut(&mut again)).unwrap();
        prop_assert_eq!(bits(&again), bits(&expected));
    }

    #[test]
    fn a_closed_part_with_a_surplus_is_refused(c in case(300, 4.0), pick in any::<u64>()) {
        let mut c = c;
        let cell = (pick % c.cells as u64) as usize;
        c.source[cell] += 1.0;
        // The parts that free faces connect, and whether they are closed, by repeated relabelling.
        let mut part: Vec<usize> = (0..c.cells).collect();
        let mut open = vec![false; c.cells];
        loop {
            let before = part.clone();
            for f in (0..c.flux.len()).filter(|f| c.variance[*f] > 0.0) {
                let o = c.owner[f] as usize;
                if c.neighbour[f] < 0 {
                    open[part[o]] = true;
                    continue;
                }
                let n = c.neighbour[f] as usize;
                let least = part[o].min(part[n]);
                open[least] |= open[part[o]] || open[part[n]];
                (part[o], part[n]) = (least, least);
            }
            if part == before {
                break;
            }
        }
        let is_open = (0..c.flux.len()).any(|f| {
            c.variance[f] > 0.0 && c.neighbour[f] < 0 && part[c.owner[f] as usize] == part[cell]
        });
        for options in both() {
            match c.correct(&options, &c.flux) {
                Ok((out, _)) => prop_assert!(is_open && c.closeness(&out) <= 1.0),
                Err(e) => {
                    prop_assert!(!is_open && e.status() == Status::Infeasible, "{}", e);
                    let named = format!("cell {} ", part[cell]);
                    prop_assert!(e.message().contains(&named), "{}: {}", named, e);
                }
            }
        }
    }
}

/// What an update is given beside the mesh and its fluxes.
#[derive(Clone, Debug)]
struct Step {
    dt: f64,
    state: Vec<f64>,
    source: Vec<f64>,
    low_order: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
}

impl Step {
    /// A state in [0, 1] and low-order fluxes whose update keeps it there; cells at their bounds, and bounds that touch, included.
    fn new(c: &Case, seed: u64) -> Step {
        let mut r = Random(seed);
        let state: Vec<f64> = (0..c.cells)
            .map(|_| match r.below(6) {
                0 => 0.0,
                1 => 1.0,
                _ => r.unit(),
            })
            .collect();
        let mut degree = vec![1.0; c.cells];
        for (o, n) in c.owner.iter().zip(&c.neighbour) {
            degree[*o as usize] += 1.0;
            if *n >= 0 {
                degree[*n as usize] += 1.0;
            }
        }
        let dt = [0.01, 0.5, 3.0][r.below(3)];
        // Diffusion between cells that cannot overshoot: each flux a part of the difference, within what both volumes take.
        let low_order = (0..c.owner.len())
            .map(|f| {
                let o = c.owner[f] as usize;
                if c.neighbour[f] < 0 {
                    return if r.below(2) == 0 {
                        0.0
                    } else {
                        r.unit() * state[o] * c.volumes[o] / (degree[o] * dt) * 0.9
                    };
                }
                let n = c.neighbour[f] as usize;
                let room = (c.volumes[o] / degree[o]).min(c.volumes[n] / degree[n]);
                r.unit() * 0.9 * room * (state[o] - state[n]) / dt
            })
            .collect();
        let closed = r.below(3) == 0;
        let lower = (0..c.cells).map(|k| if closed { state[k].min(0.0) } else { 0.0 }).collect();
        let upper = (0..c.cells).map(|_| if r.below(10) == 0 { f64::INFINITY } else { 1.0 }).collect();
        Step { dt, state, source: vec![0.0; c.cells], low_order, lower, upper }
    }
}

/// What the cells gain by these fluxes and sources, exactly to rounding: `V (u' - u) + dt (D F - q)`, and the size of its terms.
fn gains(c: &Case, s: &Step, flux: &[f64], new_state: &[f64]) -> Vec<(f64, f64)> {
    let mut terms: Vec<Vec<f64>> = (0..c.cells).map(|_| Vec::new()).collect();
    let mut product = |k: usize, a: f64, b: f64| {
        let x = a * b;
        terms[k].push(x);
        terms[k].push(a.mul_add(b, -x));
    };
    for (k, new) in new_state.iter().enumerate() {
        product(k, c.volumes[k], *new);
        product(k, -c.volumes[k], s.state[k]);
        product(k, -s.dt, s.source[k]);
    }
    for (f, x) in flux.iter().enumerate() {
        product(c.owner[f] as usize, s.dt, *x);
        if c.neighbour[f] >= 0 {
            product(c.neighbour[f] as usize, -s.dt, *x);
        }
    }
    terms.into_iter().map(|t| (exact(t.iter().copied()), t.iter().map(|x| x.abs()).sum())).collect()
}

fn updates<T: Stored>(c: &Case, s: &Step) {
    let narrow = |x: &[f64]| wide(&stored::<T>(x));
    let c = Case { flux: narrow(&c.flux), ..c.clone() };
    // Rounding the low-order fluxes could leave the bounds; a little less of them does not.
    let low: Vec<f64> = narrow(&s.low_order.iter().map(|x| x * (1.0 - 4.0 * T::EPSILON)).collect::<Vec<_>>());
    let s = Step { state: narrow(&s.state), low_order: low, ..s.clone() };
    let balance = c.balance(&DIRECT);
    let mut scratch = balance.scratch().unwrap();
    let (state, flux, low) = (stored::<T>(&s.state), stored::<T>(&c.flux), stored::<T>(&s.low_order));

    let mut plain = vec![T::default(); c.cells];
    balance.update(&mut scratch, s.dt, view(&state), view(&flux), Some(view(&s.source)), view_mut(&mut plain)).unwrap();
    let check = |flux: &[f64], new: &[T]| {
        let new = wide(new);
        let mut total = Vec::new();
        for (k, (gain, terms)) in gains(&c, &s, flux, &new).into_iter().enumerate() {
            let allowed = 0.5 * T::EPSILON * c.volumes[k] * new[k].abs() + 1e-26 * terms + T::TINY;
            assert!(gain.abs() <= allowed * (1.0 + 1e-12), "cell {k}: {gain:e} of {allowed:e}");
            total.push((c.volumes[k], new[k], s.state[k]));
        }
        // The integral: what the cells gained is what crossed the boundary.
        let crossed = (0..c.owner.len()).filter(|f| c.neighbour[*f] < 0).map(|f| s.dt * flux[f]);
        let inside = total.iter().flat_map(|(v, new, old)| [v * new, -v * old]);
        let off = exact(inside.chain(crossed.clone()));
        let size: f64 = total.iter().map(|(v, new, old)| v * (new.abs() + old.abs())).sum::<f64>()
            + crossed.map(f64::abs).sum::<f64>();
        assert!(off.abs() <= (0.5 * T::EPSILON + f64::EPSILON) * size, "{off:e} of {size:e}");
    };
    check(&c.flux, &plain);

    let (mut new, mut limited) = (vec![T::default(); c.cells], vec![T::default(); c.flux.len()]);
    let bounds = UpdateBounds { lower: Some(view(&s.lower)), upper: Some(view(&s.upper)), low_order: Some(view(&low)) };
    let report = balance
        .update_bounded(
            &mut scratch,
            s.dt,
            view(&state),
            view(&flux),
            Some(view(&s.source)),
            bounds,
            view_mut(&mut new),
            Some(view_mut(&mut limited)),
        )
        .unwrap();
    for (k, x) in new.iter().enumerate() {
        assert!(x.wide() >= s.lower[k] && x.wide() <= s.upper[k], "cell {k} is {x:?}");
    }
    check(&wide(&limited), &new);
    let mut changed = 0;
    for f in 0..flux.len() {
        let (low, high, found) = (low[f].wide(), flux[f].wide(), limited[f].wide());
        assert!(found >= low.min(high) && found <= low.max(high), "face {f}: {found} of {low} to {high}");
        changed += usize::from(found != high);
    }
    assert!(
        changed <= report.limited_faces && (report.limited_faces == 0) == (report.least_limiter == 1.0),
        "{report:?}"
    );
    // Fluxes that keep within the bounds are left alone.
    let mut again = vec![T::default(); c.cells];
    let low_again = UpdateBounds { low_order: Some(view(&low)), ..bounds };
    let report: LimitReport = balance
        .update_bounded(&mut scratch, s.dt, view(&state), view(&low), None, low_again, view_mut(&mut again), None)
        .unwrap();
    assert_eq!(report, LimitReport { least_limiter: 1.0, ..LimitReport::default() });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn updates_telescope_and_never_leave_their_bounds(c in case(1000, 2.0), seed in any::<u64>()) {
        let s = Step::new(&c, seed);
        updates::<f64>(&c, &s);
        updates::<f32>(&c, &s);
    }
}

/// A row of cells that hold what they hold but for one flux through all of them, with nothing in the way.
fn row(cells: usize, variance: impl Fn(usize) -> f64) -> Case {
    let faces = cells + 1;
    Case {
        cells,
        owner: (0..faces).map(|f| f.min(cells - 1) as i64).collect(),
        neighbour: (0..faces).map(|f| if f == 0 || f == cells { -1 } else { f as i64 - 1 }).collect(),
        volumes: vec![1.0; cells],
        flux: (0..faces).map(|f| (f as f64 * 0.7).sin()).collect(),
        variance: (0..faces).map(variance).collect(),
        source: vec![0.0; cells],
    }
}

#[test]
fn parts_that_are_nearly_apart() {
    // Links of 1e-16 between blocks of links of 1: a pivot found by subtraction would lose them.
    let c = row(4001, |f| if f % 50 == 0 { 1e-16 } else { 1.0 });
    let up_down = row(2000, |f| 10f64.powi((f % 17) as i32 - 8));
    for case in [&c, &up_down] {
        closes::<f64>(case, false);
        closes::<f32>(case, false);
    }
}

#[test]
fn nothing_to_move_and_nothing_to_lean_on() {
    // A dead end without sources keeps exact zeros however much its only outlet corrects.
    let dead_end = Case {
        cells: 4,
        owner: vec![0, 0, 1, 2],
        neighbour: vec![-1, 1, 2, 3],
        volumes: vec![1.0; 4],
        flux: vec![0.3, 0.1, 0.0, 0.0],
        variance: vec![1.0, 0.3, 7.0, 1e-5],
        source: vec![1.0 / 3.0, 0.0, 0.0, 0.0],
    };
    for options in both() {
        let (out, report) = dead_end.correct(&options, &dead_end.flux).unwrap();
        assert!(report.closeness <= 1.0);
        assert!(out[1..].iter().all(|x| x.abs() <= 1e-16), "{out:?}");
    }
    // A cell without faces: nothing can help it, and nothing need.
    let mut alone = Case { cells: 5, volumes: vec![1.0; 5], source: vec![1.0 / 3.0, 0.0, 0.0, 0.0, 0.0], ..dead_end };
    for options in both() {
        assert!(alone.correct(&options, &alone.flux).is_ok());
    }
    alone.source[4] = 1e-300;
    for options in both() {
        let e = alone.correct(&options, &alone.flux).unwrap_err();
        assert!(e.status() == Status::Infeasible && e.message().contains("cell 4 "), "{e}");
    }
}

#[test]
fn extreme_sizes_end_in_a_status() {
    for (flux, variance) in [(1e300, 1.0), (1e-310, 1.0), (1.0, 1e-310), (1.0, 1e308), (1e308, 1e-300)] {
        let mut c = row(20, |_| variance);
        c.flux.iter_mut().for_each(|x| *x *= flux);
        for options in both() {
            match c.correct(&options, &c.flux) {
                Ok((out, _)) => assert!(c.closeness(&out) <= 1.0),
                Err(e) => assert!(matches!(e.status(), Status::NonFinite | Status::NotConverged), "{e}"),
            }
        }
    }
    let c = row(20, |f| if f % 2 == 0 { 1e-300 } else { 1e300 });
    for options in both() {
        let e = c.correct(&options, &c.flux).unwrap_err();
        assert!(e.status() == Status::NotConverged && e.message().contains("too far apart"), "{e}");
    }
}

#[test]
fn low_order_fluxes_may_be_rounded() {
    // A full cell with as much going in as out, but for the last bit: it stays full, and misses by no more than that.
    let c = row(1, |_| 1.0);
    let balance = c.balance(&DIRECT);
    let mut scratch = balance.scratch().unwrap();
    for (low, lawful) in [(-1.0 - f64::EPSILON, true), (-1.0 + f64::EPSILON, true), (-1.0 - 20.0 * f64::EPSILON, false)]
    {
        let (low, high, mut new) = ([low, 1.0], [-5.0, 1.0], [7.0]);
        let bounds = UpdateBounds { lower: None, upper: Some(view(&[1.0])), low_order: Some(view(&low)) };
        let (state, out) = (view(&[1.0]), view_mut(&mut new));
        let done = balance.update_bounded(&mut scratch, 1.0, state, view(&high), None, bounds, out, None);
        assert_eq!(done.is_ok(), lawful);
        assert!(if lawful { new[0] <= 1.0 && new[0] >= 1.0 - 2.0 * f64::EPSILON } else { new[0] == 7.0 }, "{new:?}");
    }
}

#[test]
fn bounds_that_cannot_be_kept_are_refused() {
    let c = row(3, |_| 1.0);
    let balance = c.balance(&DIRECT);
    let mut scratch = balance.scratch().unwrap();
    let (state, flux) = ([0.5, 2.0, 0.5], [0.0; 4]);
    let mut new = [7.0; 3];
    let mut run = |lower: [f64; 3], upper: [f64; 3]| {
        let bounds = UpdateBounds { lower: Some(view(&lower)), upper: Some(view(&upper)), low_order: None };
        let state = view(&state);
        let done =
            balance.update_bounded(&mut scratch, 1.0, state, view(&flux), None, bounds, view_mut(&mut new), None);
        let e = done.unwrap_err();
        assert_eq!(new, [7.0; 3]);
        (e.status(), e.message().to_owned())
    };
    let (status, text) = run([0.0; 3], [1.0; 3]);
    assert!(status == Status::Infeasible && text.contains("cell 1 is 2e0, expected 0e0 to 1e0"), "{text}");
    let (status, text) = run([0.0, 0.0, 2.0], [3.0, 3.0, 1.0]);
    assert!(status == Status::InvalidArgument && text.contains("cell 2 is 2e0"), "{text}");
    let mut narrow = [7f32; 3];
    let within = [0.1, 2.0, 0.1];
    let bounds = UpdateBounds { lower: Some(view(&within)), upper: Some(view(&within)), low_order: None };
    let e = balance
        .update_bounded(&mut scratch, 1.0, view(&within), view(&flux), None, bounds, view_mut(&mut narrow), None)
        .unwrap_err();
    assert!(e.status() == Status::Infeasible && e.message().contains("no F32 number"), "{e}");
}

/// Two cells, one face between them: what flows out of one flows into the other.
#[test]
fn sources_of_a_closed_part_have_tangents_that_balance() {
    for options in both() {
        let balance = FluxBalance::new(&[0], &[1], view(&[1.0, 1.0]), &options).unwrap();
        let mut scratch = balance.scratch().unwrap();
        let mut out = [7.0];
        let mut of = |ds: [f64; 2]| {
            let tangent = Tangent { mean: None, variance: None, b: Some(view(&ds)) };
            let outcome = balance.jvp(&mut scratch, view(&[0.0]), None, None, tangent, view_mut(&mut out));
            (outcome.map_err(|e| (e.status(), e.message().starts_with("tangent_source: "))), out)
        };
        assert_eq!(of([1.0, 0.0]), (Err((Status::Infeasible, true)), [7.0]));
        assert_eq!(of([0.5, -0.5]), (Ok(()), [0.5]));
    }
}

/// A chain of cells, closed but at its end: its fluxes are the sums of the sources before them, whatever their variances.
#[test]
fn derivatives_are_right_or_refused_however_far_apart_variances_are() {
    let mut refused = [0; 2];
    for (cells, seed) in [(2, 1), (9, 2), (60, 3), (400, 4)] {
        let mut random = Random(seed);
        let owner: Vec<i64> = (0..cells).collect();
        let neighbour: Vec<i64> = owner.iter().map(|c| if c + 1 < cells { c + 1 } else { -1 }).collect();
        let ds: Vec<f64> = owner.iter().map(|_| random.signed()).collect();
        let expected: Vec<f64> = ds
            .iter()
            .scan(0.0, |sum, s| {
                *sum += s;
                Some(*sum)
            })
            .collect();
        let zeros = vec![0.0; owner.len()];
        for decades in [0.0, 6.0, 12.0, 20.0, 40.0, 100.0, 280.0] {
            let variance: Vec<f64> = owner.iter().map(|_| 10f64.powf(decades * random.signed())).collect();
            for (which, options) in both().into_iter().enumerate() {
                let balance = FluxBalance::new(&owner, &neighbour, view(&vec![1.0; owner.len()]), &options).unwrap();
                let mut scratch = balance.scratch().unwrap();
                let mut out = zeros.clone();
                let tangent = Tangent { mean: None, variance: None, b: Some(view(&ds)) };
                match balance.jvp(&mut scratch, view(&zeros), Some(view(&variance)), None, tangent, view_mut(&mut out))
                {
                    Ok(()) => {
                        let largest = expected.iter().fold(0.0f64, |most, x| most.max(x.abs()));
                        for (x, y) in out.iter().zip(&expected) {
                            assert!(
                                (x - y).abs() <= 1e-7 * largest * cells as f64,
                                "{cells} cells, {decades} decades, {options:?}: {x} {y}"
                            );
                        }
                    }
                    Err(e) => {
                        assert!(matches!(e.status(), Status::NotConverged | Status::NonFinite), "{e}");
                        assert_eq!(out, zeros);
                        refused[which] += 1;
                    }
                }
            }
        }
    }
    assert!(refused[1] > 0, "no case is too hard");
}
