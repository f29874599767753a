use crate::error::{Result, fail, zeros};

/// Marks a face whose other side is outside.
pub(super) const OUTSIDE: u32 = u32::MAX;

/// Which cells share which faces: the owner and neighbour lists, and the faces of every cell.
#[derive(Clone, Debug)]
pub(super) struct Mesh {
    owner: Vec<u32>,
    neighbour: Vec<u32>,
    /// Cell `c` has the sides `starts[c] .. starts[c + 1]`, its faces in increasing order.
    starts: Vec<u32>,
    sides: Vec<Side>,
}

/// A face as one of its cells sees it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Side {
    pub face: u32,
    /// The cell across, or [`OUTSIDE`].
    pub across: u32,
    /// A positive flux leaves the cell.
    pub outward: bool,
}

impl Side {
    /// The flux with the sign that counts outflow of this side's cell as positive.
    #[inline(always)]
    pub fn outflow(&self, flux: f64) -> f64 {
        if self.outward { flux } else { -flux }
    }
}

impl Mesh {
    pub fn new(cells: usize, owner: &[i64], neighbour: &[i64]) -> Result<Mesh> {
        let faces = owner.len();
        if faces == 0 {
            return fail!(Shape, "owner is empty, expected at least one face");
        }
        if neighbour.len() != faces {
            return fail!(Shape, "neighbour has {} entries, expected {faces}, one a face as owner", neighbour.len());
        }
        let most = u32::MAX as usize / 2;
        if cells > most || faces > most {
            return fail!(TooLarge, "{cells} cells and {faces} faces, expected at most {most} of each");
        }
        let last = cells - 1;
        let mut starts = zeros::<u32>(cells + 1, "cells of the mesh")?;
        for (f, (&o, &n)) in owner.iter().zip(neighbour).enumerate() {
            if o < 0 || o > last as i64 {
                return fail!(InvalidArgument, "owner[{f}] is {o}, expected 0 to {last}");
            }
            if n < -1 || n > last as i64 {
                return fail!(InvalidArgument, "neighbour[{f}] is {n}, expected 0 to {last}, or -1 at the boundary");
            }
            if n == o {
                return fail!(InvalidArgument, "neighbour[{f}] is {n} as owner[{f}], expected another cell");
            }
            starts[o as usize + 1] += 1;
            if n >= 0 {
                starts[n as usize + 1] += 1;
            }
        }
        for c in 0..cells {
            starts[c + 1] += starts[c];
        }
        let mut mesh = Mesh {
            owner: zeros(faces, "faces of the mesh")?,
            neighbour: zeros(faces, "faces of the mesh")?,
            sides: zeros(starts[cells] as usize, "faces of the mesh")?,
            starts,
        };
        let mut next = zeros::<u32>(cells, "cells of the mesh")?;
        next.copy_from_slice(&mesh.starts[..cells]);
        for (f, (&o, &n)) in owner.iter().zip(neighbour).enumerate() {
            let across = if n < 0 { OUTSIDE } else { n as u32 };
            (mesh.owner[f], mesh.neighbour[f]) = (o as u32, across);
            let mut put = |cell: u32, across: u32, outward: bool| {
                mesh.sides[next[cell as usize] as usize] = Side { face: f as u32, across, outward };
                next[cell as usize] += 1;
            };
            put(o as u32, across, true);
            if n >= 0 {
                put(n as u32, o as u32, false);
            }
        }
        Ok(mesh)
    }

    pub fn cells(&self) -> usize {
        self.starts.len() - 1
    }

    pub fn faces(&self) -> usize {
        self.owner.len()
    }

    /// Owner of a face, and neighbour or [`OUTSIDE`].
    #[inline(always)]
    pub fn ends(&self, face: usize) -> (u32, u32) {
        (self.owner[face], self.neighbour[face])
    }

    /// The faces of a cell, in increasing order.
    #[inline(always)]
    pub fn sides(&self, cell: usize) -> &[Side] {
        &self.sides[self.starts[cell] as usize..self.starts[cell + 1] as usize]
    }

    /// The sides of all cells.
    pub fn all_sides(&self) -> &[Side] {
        &self.sides
    }
}
