/// The prior covariance, which is the metric of the correction: a cell yields in proportion to its variance times its weight.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prior {
    /// Sigma = I: every cell yields alike (HardC). Takes no prior variance.
    Identity = 1,
    /// Sigma = diag(v), v the surrogate's variance of each cell (ProbConserv).
    Diagonal = 2,
}
