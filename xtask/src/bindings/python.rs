//! bindings/python/src/pcml/_c.py: the C interface as ctypes sees it.

use super::interface::{Base, Doc, Enum, Function, Interface, Struct, Type};

const HEAD: &str = "\
\"\"\"The C interface of pcml as ctypes sees it; include/pcml.h is the manual of every function. The package has it in Python's own way.

Generated from include/pcml.h by `cargo xtask bindings`; do not edit.

Pointers are c_void_p, which takes the bytes of a struct, `byref`, an address or None; text that a function reads is c_char_p.
\"\"\"

from __future__ import annotations

from ctypes import CDLL, CFUNCTYPE, Structure, c_char_p, c_double, c_float, c_int32, c_int64, c_void_p
from enum import IntEnum, IntFlag
";

/// Enums whose numbers may be added.
const FLAGS: [&str; 1] = ["pcml_fitted"];

const WIDTH: usize = 140;

/// The module.
pub fn low_level(interface: &Interface) -> String {
    let mut out = HEAD.to_string();
    let version: Vec<String> = ["MAJOR", "MINOR", "PATCH"].iter().map(|part| number(interface, part)).collect();
    out += &format!("\nVERSION = ({})\n", version.join(", "));
    for constant in interface.numbers.iter().filter(|n| !n.name.starts_with("PCML_VERSION_")) {
        out += &format!("{}{} = {}\n", comment(&constant.doc, 0), plain(&constant.name), constant.value);
    }
    interface.enums.iter().for_each(|group| out += &enumeration(group));
    interface.structs.iter().for_each(|of| out += &structure(of));
    let callbacks = interface.functions.iter().flat_map(|f| &f.arguments).filter_map(|a| match &a.of {
        Type::Callback(function) => Some(function),
        _ => None,
    });
    out += "\n\n";
    for function in callbacks {
        out += &format!("{} = CFUNCTYPE({}, {})\n", class(&function.name), kind(&function.result), arguments(function));
    }
    out += "FUNCTIONS = {\n";
    for function in &interface.functions {
        let list = arguments(function);
        let comma = if function.arguments.len() == 1 { "," } else { "" };
        let entry = format!("    \"{}\": ({}, ({list}{comma})),\n", function.name, kind(&function.result));
        if entry.len() <= WIDTH {
            out += &entry;
        } else {
            out += &format!(
                "    \"{}\": (\n        {},\n        ({list}{comma}),\n    ),\n",
                function.name,
                kind(&function.result)
            );
        }
    }
    out + "}\n\n\ndef declare(library: CDLL) -> None:\n    \"\"\"Gives the functions their types; AttributeError names one that the library lacks.\"\"\"\n    \
           for name, (result, arguments) in FUNCTIONS.items():\n        function = getattr(library, name)\n        \
           function.restype, function.argtypes = result, arguments\n"
}

fn number(interface: &Interface, part: &str) -> String {
    let name = format!("PCML_VERSION_{part}");
    interface.numbers.iter().find(|n| n.name == name).map(|n| n.value.to_string()).unwrap_or_default()
}

fn enumeration(group: &Enum) -> String {
    let base = if FLAGS.contains(&group.name.as_str()) { "IntFlag" } else { "IntEnum" };
    let mut out = format!("\n\nclass {}({base}):\n{}", class(&group.name), docstring(&group.doc));
    let prefix = format!("{}_", group.name.to_uppercase());
    for constant in &group.constants {
        let name = constant.name.strip_prefix(&prefix).unwrap_or(&constant.name);
        out += &format!("{}    {name} = {}\n", comment(&constant.doc, 4), constant.value);
    }
    out
}

fn structure(of: &Struct) -> String {
    let mut out = format!("\n\nclass {}(Structure):\n{}", class(&of.name), docstring(&of.doc));
    for field in of.fields.iter().filter(|f| f.extent.is_none()) {
        let python = match &field.of {
            Type::Value(Base::Int32 | Base::Int64) => "int",
            Type::Value(Base::Float | Base::Double) => "float",
            _ => "int | None",
        };
        out += &format!("{}    {}: {python}\n", comment(&field.doc, 4), field.name);
    }
    out += "    _fields_ = [\n";
    for field in &of.fields {
        let times = field.extent.map(|n| format!(" * {n}")).unwrap_or_default();
        out += &format!("        (\"{}\", {}{times}),\n", field.name, kind(&field.of));
    }
    out + "    ]\n"
}

fn arguments(function: &Function) -> String {
    function.arguments.iter().map(|a| kind(&a.of)).collect::<Vec<_>>().join(", ")
}

fn kind(of: &Type) -> &'static str {
    match of {
        Type::Value(Base::Void) => "None",
        Type::Value(Base::Int32) => "c_int32",
        Type::Value(Base::Int64) => "c_int64",
        Type::Value(Base::Float) => "c_float",
        Type::Value(Base::Double) => "c_double",
        Type::Pointer { to: Base::Char, constant: true } => "c_char_p",
        _ => "c_void_p",
    }
}

/// `pcml_report_item` as `ReportItem`.
fn class(name: &str) -> String {
    let words = name.trim_start_matches("pcml_").split('_');
    words.map(|w| w[..1].to_uppercase() + &w[1..]).collect()
}

fn plain(name: &str) -> &str {
    name.trim_start_matches("PCML_")
}

fn docstring(doc: &Doc) -> String {
    format!("    \"\"\"{}\"\"\"\n\n", doc.comment("    ", WIDTH - 6).trim_start().trim_end())
}

/// The first sentence, for the constant or field below.
fn comment(doc: &Doc, indent: usize) -> String {
    doc.comment(&format!("{:indent$}#: ", ""), WIDTH)
}
