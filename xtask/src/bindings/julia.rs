//! bindings/julia/PCML.jl/src/LibPCML.jl: the C interface as a Julia module.

use super::interface::{Argument, Base, Enum, Function, Interface, Struct, Type};

const HEAD: &str = "\
# The C interface of pcml as it is. Module PCML around it is the comfortable way; include/pcml.h is the manual of every function.
#
# Generated from include/pcml.h by `cargo xtask bindings`; do not edit.
#
# Enums       Each number as a constant of its C name, and all of an enum by their short names in a named tuple of the enum's name.
# Handles     Ptr{pcml_model} and so on; what creates one takes a Ref to such a pointer. Free each once.
# Structs     Isbits; where C writes one, pass a Ref. Without arguments they are all zero but for struct_size.
# Addresses   Each function is called through an address that `find!` looks up when the library is opened, so that no path is fixed
#             when the package is compiled.
# Numbering   Cells, rows, slices, axes count from 0, as in C. Axis 0 is the first index of a Julia array given with its own strides.
";

const WIDTH: usize = 140;

/// Module LibPCML.
pub fn low_level(interface: &Interface) -> String {
    let mut out = format!("{HEAD}module LibPCML\n\nusing Libdl: dlsym\n\n");
    for number in &interface.numbers {
        out += &number.doc.comment("# ", WIDTH);
        out += &format!("const {} = {}\n", number.name, number.value);
    }
    for group in &interface.enums {
        out += &format!("\n{}", numbers(group));
    }
    out.push('\n');
    for handle in &interface.handles {
        out += &format!("struct {handle} end\n");
    }
    for of in &interface.structs {
        out += &format!("\n{}", structure(of));
    }
    for function in &interface.functions {
        out += &format!("\n{}", call(function));
    }
    out += "\n# Looks up all functions in an opened library; an error names the one that it lacks.\nfunction find!(library)\n";
    for function in &interface.functions {
        out += &format!("    {0}_address[] = dlsym(library, :{0})\n", function.name);
    }
    out + "    return\nend\n\nend\n"
}

fn numbers(group: &Enum) -> String {
    let mut out = group.doc.comment("# ", WIDTH);
    let prefix = format!("{}_", group.name.to_uppercase());
    let mut short = Vec::new();
    for number in &group.constants {
        out += &format!("const {} = Int32({})\n", number.name, number.value);
        let name = number.name.strip_prefix(&prefix).unwrap_or(&number.name).to_lowercase();
        short.push(format!("    {name} = {},\n", number.name));
    }
    format!("{out}const {} = (\n{})\n", group.name, short.concat())
}

fn structure(of: &Struct) -> String {
    let mut out = of.doc.comment("# ", WIDTH);
    out += &format!("struct {}\n", of.name);
    let mut zeros = Vec::new();
    for field in &of.fields {
        let one = julia_type(&field.of);
        let of_field = field.extent.map_or(one.clone(), |n| format!("NTuple{{{n}, {one}}}"));
        out += &field.doc.comment("    # ", WIDTH);
        out += &format!("    {}::{of_field}\n", field.name);
        let zero = match &field.of {
            Type::Value(_) => format!("zero({one})"),
            _ => "C_NULL".into(),
        };
        zeros.push(match field.extent {
            _ if field.name == "struct_size" => format!("sizeof({})", of.name),
            Some(n) => format!("ntuple(_ -> {zero}, {n})"),
            None => zero,
        });
    }
    out += &format!("end\n{}() =\n", of.name);
    out + &list(&format!("    {}(", of.name), &zeros, ")\n")
}

fn call(function: &Function) -> String {
    let name = &function.name;
    let names: Vec<String> = function.arguments.iter().map(|a| a.name.clone()).collect();
    let types: Vec<String> = function.arguments.iter().map(argument).collect();
    // A tuple of one needs its comma.
    let close = if types.len() == 1 { ",)" } else { ")" };
    let mut out = function.doc.comment("# ", WIDTH);
    out += &format!("const {name}_address = Ref(C_NULL)\n");
    out += &list(&format!("@inline {name}("), &names, ") =\n");
    out += &format!("    ccall({name}_address[], {},\n", result(&function.result));
    let end = if names.is_empty() { ")\n" } else { ",\n" };
    out += &list("        (", &types, &format!("{close}{end}"));
    if !names.is_empty() {
        out += &list("        ", &names, ")\n");
    }
    out
}

fn argument(argument: &Argument) -> String {
    match &argument.of {
        Type::Pointer { to: Base::Char, constant: true } => "Cstring".into(),
        of => julia_type(of),
    }
}

fn result(of: &Type) -> String {
    match of {
        Type::Pointer { to: Base::Char, .. } => "Cstring".into(),
        Type::Value(Base::Void) => "Cvoid".into(),
        of => julia_type(of),
    }
}

fn julia_type(of: &Type) -> String {
    match of {
        Type::Value(base) => name(base).into(),
        Type::Pointer { to, .. } => format!("Ptr{{{}}}", name(to)),
        Type::PointerToPointer { to, .. } => format!("Ptr{{Ptr{{{}}}}}", name(to)),
        Type::Callback(_) => "Ptr{Cvoid}".into(),
    }
}

fn name(base: &Base) -> &str {
    match base {
        Base::Void => "Cvoid",
        Base::Char => "UInt8",
        Base::Int32 => "Int32",
        Base::Int64 => "Int64",
        Base::Float => "Float32",
        Base::Double => "Float64",
        Base::Handle(name) | Base::Struct(name) => name,
    }
}

/// A list between two texts, continued where it is too long for a line.
fn list(open: &str, items: &[String], close: &str) -> String {
    let indent = " ".repeat(open.len() - open.trim_start().len() + 4);
    let mut out = vec![open.to_string()];
    for (i, item) in items.iter().enumerate() {
        let part = if i + 1 == items.len() { item.clone() } else { format!("{item}, ") };
        if out.last().is_some_and(|line| line.len() + part.len() + close.len() > WIDTH) {
            out.push(indent.clone());
        }
        if let Some(line) = out.last_mut() {
            *line += &part;
        }
    }
    out.iter().map(|l| l.trim_end_matches(' ')).collect::<Vec<_>>().join("\n") + close
}
