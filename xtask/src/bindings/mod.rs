//! What other languages need to know of include/pcml.h, generated from it.

mod fortran;
pub mod interface;
mod julia;
mod python;

use crate::{generated, root};
use interface::Interface;

type Emitter = fn(&Interface) -> String;

/// Every generated file and what writes it.
const FILES: [(&str, Emitter); 4] = [
    ("bindings/fortran/pcml_c.f90", fortran::low_level),
    ("bindings/fortran/pcml_objects.f90", fortran::objects),
    ("bindings/julia/PCML.jl/src/LibPCML.jl", julia::low_level),
    ("bindings/python/src/pcml/_c.py", python::low_level),
];

fn generate() -> Result<Vec<(&'static str, String)>, String> {
    let header = root().join("include/pcml.h");
    let text = std::fs::read_to_string(&header).map_err(|e| format!("{}: {e}", header.display()))?;
    let interface = Interface::parse(&text).map_err(|e| format!("include/pcml.h: {e}"))?;
    Ok(FILES.map(|(path, emit)| (path, emit(&interface))).into())
}

/// Writes the files.
pub fn write() -> Result<(), String> {
    generate()?.into_iter().try_for_each(|(path, text)| generated::write(path, &text))
}

/// Fails when a committed file is not the generated one.
pub fn check() -> Result<(), String> {
    generate()?.into_iter().try_for_each(|(path, text)| generated::check(path, &text, "bindings"))
}
