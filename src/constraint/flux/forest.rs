use super::mesh::{Mesh, OUTSIDE};
use super::{Balances, Storage};
use crate::error::{Result, zeros};
use crate::kernels::double::Double;

const NONE: u32 = u32::MAX;

/// What free faces connect: components, and in each a tree that leads every cell to its root, by breadth first.
#[derive(Debug)]
pub(super) struct Forest {
    /// Cells, each after the one that its tree leads it to; components one after the other.
    order: Vec<u32>,
    /// The component of each cell.
    component: Vec<u32>,
    /// The free face from each cell towards its root. A root's is a free boundary face; `NONE` where its component has none.
    up: Vec<u32>,
    /// The components, as many as `count`.
    components: Vec<Component>,
    count: usize,
}

/// Cells connected by free faces.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Component {
    /// The first of its cells.
    pub first_cell: u32,
    /// Has no free boundary face: what its held faces and sources leave over cannot go anywhere.
    pub closed: bool,
    /// What is left over in a closed component: net outflow through held faces less the sources.
    pub imbalance: Double,
    /// The scales of its balances, added.
    pub scale: f64,
}

impl Forest {
    pub fn new(cells: usize) -> Result<Forest> {
        Ok(Forest {
            order: zeros(cells, "components")?,
            component: zeros(cells, "components")?,
            up: zeros(cells, "components")?,
            components: zeros(cells, "components")?,
            count: 0,
        })
    }

    /// Finds the components for conductances by face; what is left over in closed ones, for these fluxes and sources.
    pub fn grow(&mut self, mesh: &Mesh, conductance: &[f64], flux: &[f64], source: &[f64]) {
        let n = mesh.cells();
        self.component.fill(NONE);
        self.count = 0;
        let mut end = 0;
        let free = |face: u32| conductance[face as usize] > 0.0;
        for closed in [false, true] {
            for root in 0..n as u32 {
                if self.component[root as usize] != NONE {
                    continue;
                }
                let mut outlets = mesh.sides(root as usize).iter().filter(|s| s.across == OUTSIDE && free(s.face));
                let outlet = outlets.next().map_or(NONE, |s| s.face);
                if outlet == NONE && !closed {
                    continue;
                }
                let number = self.count as u32;
                let mut all = Component { first_cell: root, closed, ..Component::default() };
                self.count += 1;
                self.up[root as usize] = outlet;
                self.component[root as usize] = number;
                let mut at = end;
                self.order[end] = root;
                end += 1;
                while at < end {
                    let cell = self.order[at];
                    at += 1;
                    all.first_cell = all.first_cell.min(cell);
                    for side in mesh.sides(cell as usize) {
                        if !free(side.face) {
                            if closed {
                                all.imbalance = all.imbalance.plus(side.outflow(flux[side.face as usize]));
                            }
                            continue;
                        }
                        if side.across != OUTSIDE && self.component[side.across as usize] == NONE {
                            self.component[side.across as usize] = number;
                            self.up[side.across as usize] = side.face;
                            self.order[end] = side.across;
                            end += 1;
                        }
                    }
                    if closed {
                        all.imbalance = all.imbalance.plus(-source[cell as usize]);
                    }
                }
                self.components[number as usize] = all;
            }
        }
    }

    /// Adds up the scales of the balances, component by component.
    pub fn weigh(&mut self, scale: &[f64]) {
        self.components[..self.count].iter_mut().for_each(|c| c.scale = 0.0);
        for (component, scale) in self.component.iter().zip(scale) {
            self.components[*component as usize].scale += scale;
        }
    }

    pub fn components(&self) -> &[Component] {
        &self.components[..self.count]
    }

    /// A cell's part of what is left over in its component, in proportion to the scale of its balance.
    #[inline(always)]
    pub fn share(&self, cell: usize, scale: f64) -> f64 {
        let all = &self.components[self.component[cell] as usize];
        if all.closed && all.scale > 0.0 { all.imbalance.high * (scale / all.scale) } else { 0.0 }
    }

    /// Closes every balance but for its share and for rounding, by the fluxes along the trees, leaves first. Each of them becomes
    /// what its whole subtree still lacks, rounded to storage, so that what rounding leaves does not add up on the way to the root:
    /// a cell keeps at most half a unit in the last place of the fluxes to and from its tree. False where a flux overflows.
    pub fn close(
        &self,
        mesh: &Mesh,
        flux: &mut [f64],
        source: &[f64],
        balances: &mut Balances,
        storage: Storage,
    ) -> bool {
        let Balances { scale, carry, .. } = balances;
        carry.fill(Double::default());
        for &cell in self.order.iter().rev() {
            let c = cell as usize;
            let mut lacks = carry[c].plus(-source[c]).plus(-self.share(c, scale[c]));
            let mut towards = None;
            for side in mesh.sides(c) {
                if side.face == self.up[c] {
                    towards = Some(side);
                } else {
                    lacks = lacks.plus(side.outflow(flux[side.face as usize]));
                }
            }
            let Some(side) = towards else { continue };
            let Some(outflow) = storage.round(-lacks.high) else { return false };
            flux[side.face as usize] = side.outflow(outflow);
            if side.across != OUTSIDE {
                let above = &mut carry[side.across as usize];
                *above = *above + lacks.plus(outflow);
            }
        }
        true
    }
}
