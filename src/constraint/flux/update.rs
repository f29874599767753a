use super::mesh::{Mesh, OUTSIDE};
use super::{FluxBalance, FluxScratch, Storage};
use crate::constraint::arrays::{check_apart, read_each};
use crate::error::{Result, fail};
use crate::field::Dtype;
use crate::kernels::double::{Double, two_product, two_sum};
use crate::kernels::strided::{View, ViewMut};

/// What sums in double-double may leave, relative to their terms.
const NOISE: f64 = 1.0 / (1u128 << 90) as f64;
/// Keeps the roundings of a limiter on the safe side, with one more for each face of a cell.
const CAUTION: f64 = 64.0 * f64::EPSILON;

/// Where the cells of an update have to stay.
#[derive(Clone, Copy)]
pub struct UpdateBounds<'a> {
    /// The least value of each cell; none, or minus infinity: no bound.
    pub lower: Option<View<'a>>,
    /// The largest value of each cell; none, or infinity: no bound.
    pub upper: Option<View<'a>>,
    /// Fluxes whose update stays within the bounds, such as those of a first-order upwind scheme; none: no fluxes at all.
    pub low_order: Option<View<'a>>,
}

/// What bounds did to an update.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LimitReport {
    /// Faces whose flux was limited.
    pub limited_faces: usize,
    /// The smallest limiter, 0 to 1; 1 where no face was limited.
    pub least_limiter: f64,
    /// The first face with it.
    pub least_limiter_face: usize,
}

/// The scratch of a balance under the names of an update.
struct Arrays<'a> {
    flux: &'a mut [f64],
    low_order: &'a mut [f64],
    limited: &'a mut [f64],
    state: &'a mut [f64],
    source: &'a mut [f64],
    lower: &'a mut [f64],
    upper: &'a mut [f64],
    /// The limiter of each cell for what raises it, and for what lowers it.
    raised: &'a mut [f64],
    lowered: &'a mut [f64],
    /// How far the low-order update of each cell may lie outside its bounds.
    slack: &'a mut [f64],
    new_state: &'a mut [f64],
}

impl FluxScratch {
    fn of_update(&mut self) -> Arrays<'_> {
        Arrays {
            flux: &mut self.flux,
            low_order: &mut self.conductance,
            limited: &mut self.corrected,
            state: &mut self.ground,
            source: &mut self.source,
            lower: &mut self.low,
            upper: &mut self.high,
            raised: &mut self.rhs,
            lowered: &mut self.step,
            slack: &mut self.balances.scale,
            new_state: &mut self.balances.residual,
        }
    }
}

/// Where an update leads and how its sums can be wrong.
struct Change<'a> {
    mesh: &'a Mesh,
    volumes: &'a [f64],
    dt: f64,
    state: &'a [f64],
    source: &'a [f64],
}

impl Change<'_> {
    /// `u - dt / V (sum_out F - sum_in F - q)` of one cell, and the size of its terms.
    fn cell(&self, c: usize, flux: &[f64]) -> (Double, f64) {
        let (mut high, mut low) = (-self.source[c], 0.0);
        let mut scale = self.source[c].abs();
        for side in self.mesh.sides(c) {
            let x = side.outflow(flux[side.face as usize]);
            let (sum, error) = two_sum(high, x);
            high = sum;
            low += error;
            scale += x.abs();
        }
        let (volume, u) = (self.volumes[c], self.state[c]);
        let (amount, error) = two_product(self.dt, high);
        let rest = error + self.dt * low;
        let quotient = amount / volume;
        let (product, product_error) = two_product(quotient, volume);
        let second = (((amount - product) - product_error) + rest) / volume;
        (Double::default().plus(u).plus(-quotient).plus(-second), u.abs() + self.dt * scale / volume)
    }
}

/// Rounds to storage towards `goal`, which is of the storage type.
fn round_towards(x: f64, goal: f64, dtype: Dtype) -> f64 {
    if x > goal {
        dtype.round_down(x)
    } else if x < goal {
        dtype.round_up(x)
    } else {
        x
    }
}

/// The part of `amount` that there is room for.
fn limiter(room: f64, amount: f64, faces: usize) -> f64 {
    let room = room * (1.0 - CAUTION);
    if amount <= room { 1.0 } else { room / amount * (1.0 - CAUTION - faces as f64 * f64::EPSILON) }
}

fn check_step(dt: f64) -> Result<()> {
    if !dt.is_finite() {
        return fail!(NonFinite, "dt is {dt}, expected a finite number");
    }
    if dt <= 0.0 {
        return fail!(InvalidArgument, "dt is {dt:e}, expected above 0");
    }
    Ok(())
}

/// Copies bounds, each rounded to what the state can store.
fn read_bound(name: &str, view: Option<&View>, upper: bool, storage: Storage, out: &mut [f64]) -> Result<()> {
    let Some(view) = view else {
        out.fill(if upper { f64::INFINITY } else { f64::NEG_INFINITY });
        return Ok(());
    };
    view.merged().gather(0, out);
    if let Some(c) = out.iter().position(|x| x.is_nan()) {
        return fail!(NonFinite, "{name}: cell {c} is NaN, expected a number");
    }
    let inwards = if upper { Dtype::round_down } else { Dtype::round_up };
    out.iter_mut().for_each(|x| *x = inwards(storage.0, *x));
    Ok(())
}

impl FluxBalance {
    /// The new value of each cell: `u' = u - dt / V (sum_out F - sum_in F - q)`.
    ///
    /// Arrays: `state` and `new_state` have `cells` values, as has `source`, `q` in the unit of the fluxes (none: 0); `fluxes` has
    /// `faces`; any shape, strides and dtypes. `dt` above 0, in the unit of volume times state over flux. `new_state` may be `state`
    /// itself, or lies apart from all others.
    ///
    /// What leaves a cell through a face enters its neighbour, so the integral `sum V u` changes by `dt` times sources less net
    /// boundary outflow. Each new value is that of the formula with its sums in double-double, rounded once: the balance of a cell
    /// closes up to half an eps of `V |u'|`, and so does the integral up to half an eps of `sum V |u'|` (eps of the state's dtype).
    ///
    /// All arrays are read, and the outcome is known, before the first write. Allocates nothing.
    ///
    /// Errors: Shape, Stride (overlap), NonFinite (also where a new value overflows), InvalidArgument for `dt`.
    pub fn update(
        &self,
        scratch: &mut FluxScratch,
        dt: f64,
        state: View,
        fluxes: View,
        source: Option<View>,
        mut new_state: ViewMut,
    ) -> Result<()> {
        self.check_update(&state, &fluxes, source.as_ref(), &new_state)?;
        self.check_scratch(scratch)?;
        let mut arrays = scratch.of_update();
        read_update(&mut arrays, dt, &state, &fluxes, source.as_ref())?;
        let storage = Storage(new_state.dtype());
        let change =
            Change { mesh: &self.mesh, volumes: &self.volumes, dt, state: arrays.state, source: arrays.source };
        for (c, out) in arrays.new_state.iter_mut().enumerate() {
            match storage.round(change.cell(c, arrays.flux).0.high) {
                Some(value) => *out = value,
                None => return fail!(NonFinite, "new_state: cell {c} overflows"),
            }
        }
        new_state.merged_mut().scatter(0, arrays.new_state);
        Ok(())
    }

    /// [`FluxBalance::update`] with fluxes that are limited so that every cell stays within its bounds (flux-corrected transport,
    /// Zalesak 1979): each face's flux `F` is drawn towards its low-order flux `G` by one factor for both its cells,
    /// `F'' = G + a (F - G)`, `0 <= a <= 1`, the largest for which no cell can leave its bounds whatever its other faces do.
    ///
    /// Further arrays: those of the bounds, `low_order` of `faces` values; `limited`, when asked for, receives `F''` and may be
    /// `fluxes` itself. A flux that needs no limiting stays bit for bit (rounded towards `G` where `limited` is narrower).
    ///
    /// `lower <= u' <= upper` holds for the values as stored, without tolerance. The new values are those of the update with `F''`
    /// as stored, so conservation telescopes as it does there, with one exception: low-order fluxes are rounded as well, so their
    /// update may leave the bounds by up to `4 eps (|u| + dt / V (sum |G| + |q|))`, the larger eps of the two storage types. A
    /// cell that they carry over its bound so, is put on the bound, and its balance misses by as much at most. Where they stay
    /// within, it misses by `2^-90` of such terms at most, what sums in double-double cannot tell.
    ///
    /// Errors: as [`FluxBalance::update`]; InvalidArgument where a lower bound lies above the upper one; Infeasible (names the
    /// cell) where the update with the low-order fluxes leaves the bounds, or no number of the state's dtype lies within them.
    #[allow(clippy::too_many_arguments)]
    pub fn update_bounded(
        &self,
        scratch: &mut FluxScratch,
        dt: f64,
        state: View,
        fluxes: View,
        source: Option<View>,
        bounds: UpdateBounds,
        mut new_state: ViewMut,
        mut limited: Option<ViewMut>,
    ) -> Result<LimitReport> {
        self.check_update(&state, &fluxes, source.as_ref(), &new_state)?;
        self.check_bounds(&state, &fluxes, source.as_ref(), &bounds, &new_state, limited.as_ref())?;
        self.check_scratch(scratch)?;
        let mut arrays = scratch.of_update();
        read_update(&mut arrays, dt, &state, &fluxes, source.as_ref())?;
        let storage = Storage(new_state.dtype());
        let flux_storage = Storage(limited.as_ref().map_or(fluxes.dtype(), ViewMut::dtype));
        read_each(bounds.low_order.as_ref(), "low_order", "face", arrays.low_order)?;
        read_bound("lower", bounds.lower.as_ref(), false, storage, arrays.lower)?;
        read_bound("upper", bounds.upper.as_ref(), true, storage, arrays.upper)?;
        for c in 0..self.cells() {
            let (lower, upper) = (arrays.lower[c], arrays.upper[c]);
            if lower > upper || lower == f64::INFINITY || upper == f64::NEG_INFINITY {
                return refuse_bounds(c, &bounds, storage);
            }
        }
        for (f, x) in arrays.low_order.iter_mut().enumerate() {
            match flux_storage.round(*x) {
                Some(stored) => *x = stored,
                None => return fail!(NonFinite, "low_order: face {f} overflows the dtype of the limited fluxes"),
            }
        }
        self.limit_cells(&mut arrays, dt, storage.0.epsilon().max(flux_storage.0.epsilon()))?;
        let report = limit_faces(&self.mesh, &mut arrays, flux_storage)?;
        self.land(&mut arrays, dt, storage)?;
        new_state.merged_mut().scatter(0, arrays.new_state);
        if let Some(out) = &mut limited {
            out.merged_mut().scatter(0, arrays.limited);
        }
        Ok(report)
    }

    fn check_update(&self, state: &View, fluxes: &View, source: Option<&View>, new_state: &ViewMut) -> Result<()> {
        self.check_cells("state", state.layout())?;
        self.check_faces("fluxes", fluxes.layout())?;
        self.check_cells("new_state", new_state.layout())?;
        let out = ("new_state", new_state.place());
        check_apart(out, ("state", state.place()), true)?;
        check_apart(out, ("fluxes", fluxes.place()), false)?;
        if let Some(q) = source {
            self.check_cells("source", q.layout())?;
            check_apart(out, ("source", q.place()), false)?;
        }
        Ok(())
    }

    fn check_bounds(
        &self,
        state: &View,
        fluxes: &View,
        source: Option<&View>,
        bounds: &UpdateBounds,
        new_state: &ViewMut,
        limited: Option<&ViewMut>,
    ) -> Result<()> {
        let arrays = [("lower", &bounds.lower), ("upper", &bounds.upper), ("low_order", &bounds.low_order)];
        for (name, view) in arrays {
            let Some(view) = view else { continue };
            if name == "low_order" {
                self.check_faces(name, view.layout())?;
            } else {
                self.check_cells(name, view.layout())?;
            }
            check_apart(("new_state", new_state.place()), (name, view.place()), false)?;
        }
        let Some(limited) = limited else { return Ok(()) };
        self.check_faces("limited", limited.layout())?;
        let out = ("limited", limited.place());
        check_apart(out, ("fluxes", fluxes.place()), true)?;
        check_apart(out, ("new_state", new_state.place()), false)?;
        check_apart(out, ("state", state.place()), false)?;
        for (name, view) in [("source", source)].into_iter().chain(arrays.map(|(name, view)| (name, view.as_ref()))) {
            if let Some(view) = view {
                check_apart(out, (name, view.place()), false)?;
            }
        }
        Ok(())
    }

    /// The limiters of each cell, and its slack.
    fn limit_cells(&self, arrays: &mut Arrays, dt: f64, eps: f64) -> Result<()> {
        let Arrays { flux, low_order, state, source, lower, upper, raised, lowered, slack: slacks, .. } = arrays;
        let change = Change { mesh: &self.mesh, volumes: &self.volumes, dt, state, source };
        for c in 0..self.cells() {
            let (base, scale) = change.cell(c, low_order);
            if !base.high.is_finite() || !scale.is_finite() {
                return fail!(NonFinite, "low_order: the update of cell {c} overflows");
            }
            // Low-order fluxes are rounded too, and so are the balances that they close.
            let slack = 4.0 * eps * scale;
            slacks[c] = slack;
            // Without a bound there is room for anything; sums never see infinity.
            let below = if lower[c].is_finite() { base.plus(-lower[c]).high } else { f64::INFINITY };
            let above = if upper[c].is_finite() { -base.plus(-upper[c]).high } else { f64::INFINITY };
            if below < -slack || above < -slack {
                return fail!(
                    Infeasible,
                    "low_order: its update of cell {c} is {:e}, expected {:e} to {:e} but for {slack:e}",
                    base.high,
                    lower[c],
                    upper[c]
                );
            }
            let sides = self.mesh.sides(c);
            let (mut raising, mut lowering) = (0.0, 0.0);
            for side in sides {
                let f = side.face as usize;
                let out = side.outflow(flux[f] - low_order[f]);
                if out > 0.0 { lowering += out } else { raising -= out }
            }
            let per_flux = |room: f64| room.max(0.0) / dt * self.volumes[c];
            raised[c] = limiter(per_flux(above), raising, sides.len());
            lowered[c] = limiter(per_flux(below), lowering, sides.len());
        }
        Ok(())
    }

    /// The new values, with the limited fluxes as they will be stored.
    fn land(&self, arrays: &mut Arrays, dt: f64, storage: Storage) -> Result<()> {
        let Arrays { limited, state, source, lower, upper, slack, new_state, .. } = arrays;
        let change = Change { mesh: &self.mesh, volumes: &self.volumes, dt, state, source };
        for c in 0..self.cells() {
            let (value, scale) = change.cell(c, limited);
            let Some(stored) = storage.round(value.high) else {
                return fail!(NonFinite, "new_state: cell {c} overflows");
            };
            let within = stored.clamp(lower[c], upper[c]);
            // Rounding to nearest does not pass a bound that can be stored; what is left is what the low-order fluxes brought, and
            // the noise of the sums.
            if within != stored && value.plus(-within).high.abs() > slack[c] + 2.0 * NOISE * scale {
                return fail!(
                    NotConverged,
                    "new_state: cell {c} would become {:e}, expected {:e} to {:e}: dt, volumes or fluxes are near underflow",
                    stored,
                    lower[c],
                    upper[c]
                );
            }
            new_state[c] = within;
        }
        Ok(())
    }
}

fn read_update(arrays: &mut Arrays, dt: f64, state: &View, fluxes: &View, source: Option<&View>) -> Result<()> {
    check_step(dt)?;
    read_each(Some(state), "state", "cell", arrays.state)?;
    read_each(Some(fluxes), "fluxes", "face", arrays.flux)?;
    read_each(source, "source", "cell", arrays.source)
}

fn refuse_bounds<T>(c: usize, bounds: &UpdateBounds, storage: Storage) -> Result<T> {
    let value = |view: Option<View>, none: f64| {
        let mut x = [none];
        if let Some(view) = view {
            view.merged().gather(c, &mut x);
        }
        x[0]
    };
    let (lower, upper) = (value(bounds.lower, f64::NEG_INFINITY), value(bounds.upper, f64::INFINITY));
    if lower > upper || lower == f64::INFINITY || upper == f64::NEG_INFINITY {
        return fail!(InvalidArgument, "lower: cell {c} is {lower:e}, expected a number at most upper, {upper:e}");
    }
    fail!(Infeasible, "lower: cell {c}: no {:?} number lies within {lower:e} to {upper:e}", storage.0)
}

/// The limited fluxes: one factor a face, the smaller of what its two cells admit.
fn limit_faces(mesh: &Mesh, arrays: &mut Arrays, storage: Storage) -> Result<LimitReport> {
    let Arrays { flux, low_order, limited, raised, lowered, .. } = arrays;
    let mut report = LimitReport { least_limiter: 1.0, ..LimitReport::default() };
    for (f, out) in limited.iter_mut().enumerate() {
        let (high, low) = (flux[f], low_order[f]);
        let (owner, neighbour) = mesh.ends(f);
        let outward = high > low;
        let admitted = |cell: u32, raises: bool| match (cell, raises) {
            (OUTSIDE, _) => 1.0,
            (cell, true) => raised[cell as usize],
            (cell, false) => lowered[cell as usize],
        };
        let factor: f64 = if high == low { 1.0 } else { admitted(owner, !outward).min(admitted(neighbour, outward)) };
        let limited = if factor >= 1.0 {
            high
        } else {
            report.limited_faces += 1;
            if factor < report.least_limiter {
                (report.least_limiter, report.least_limiter_face) = (factor, f);
            }
            // A step towards the low-order flux, which is more than the sum's rounding adds.
            let near = low + factor * (high - low);
            if near > low {
                near.next_down()
            } else if near < low {
                near.next_up()
            } else {
                near
            }
        };
        let stored = round_towards(limited, low, storage.0);
        if !stored.is_finite() {
            return fail!(NonFinite, "limited: face {f} overflows its dtype");
        }
        *out = stored;
    }
    Ok(report)
}
