//! bindings/fortran: pcml_c.f90, the C interface as Fortran modules; its objects as derived types in objects.rs.

mod objects;

pub use objects::objects;

use super::interface::{Argument, Base, Constant, Doc, Field, Function, Interface, Struct, Type};

const HEAD: &str = "\
! The C interface of pcml as Fortran 2018 sees it: module pcml_types has constants and structs, module pcml_c has these and all
! functions. Module pcml (pcml.f90) is the comfortable way; include/pcml.h is the manual of every function.
!
! Generated from include/pcml.h by `cargo xtask bindings`; do not edit.
!
! Handles     type(c_ptr), value. What creates one has type(c_ptr), intent(out), c_null_ptr after a failure. Free each once.
! Structs     By reference, optional: an argument left out is NULL. Components struct_size are set by default initialisation.
! Numbers     By value, or by reference and optional like structs. What a call writes is intent(inout): a failed call leaves it.
! Arrays      Of numbers or structs: assumed size, optional, without gaps (a compiler may copy a section with gaps to make it so).
! Memory      const void * and void *: type(c_ptr), value, as c_loc gives.
! Text        char *: character(c_char), closed by c_null_char. Returned text is a type(c_ptr) to such.
! Functions   type(c_funptr), value, as c_funloc gives, of a procedure with the abstract interface of the argument's name.
! Numbering   Cells, rows, slices, axes count from 0, as in C. Axis 0 is a Fortran array's first index.
! Names       Case does not tell a constant from a function here: such a constant has the suffix _COUNT.
";

/// Pointers to more than one number or struct, by the type they point to and the argument's name, beside those with a count of their own
/// and constant pointers to numbers.
const ARRAYS: [(&str, &str); 9] = [
    ("pcml_const_array", "axes"),
    ("pcml_const_array", "value_tangents"),
    ("pcml_array", "value_cotangents"),
    ("double", "posterior_mean"),
    ("double", "posterior_variance"),
    ("double", "residual"),
    ("double", "values"),
    ("float", "posterior_mean"),
    ("float", "posterior_variance"),
];

/// Integers that C functions write or read in place.
const INTEGER_ARRAYS: [&str; 2] = ["bins", "values"];

const WIDTH: usize = 132;

/// Module pcml_types and module pcml_c.
pub fn low_level(interface: &Interface) -> String {
    let mut out = format!("{HEAD}module pcml_types\n  use, intrinsic :: iso_c_binding\n  implicit none\n  public\n");
    let functions: Vec<&str> = interface.functions.iter().map(|f| f.name.as_str()).collect();
    for number in &interface.numbers {
        out += &constant(number, &functions);
    }
    for group in &interface.enums {
        out += &format!("\n{}", comment(&group.doc, 2));
        for number in &group.constants {
            out += &constant(number, &functions);
        }
    }
    for of in &interface.structs {
        out += &format!("\n{}", structure(of));
    }
    out += "end module pcml_types\n\nmodule pcml_c\n  use pcml_types\n  implicit none\n  public\n";
    let callbacks = interface.functions.iter().flat_map(|f| &f.arguments).filter_map(|a| match &a.of {
        Type::Callback(function) => Some(function),
        _ => None,
    });
    for function in callbacks {
        let named = Function { name: format!("pcml_{}_function", function.name), ..(**function).clone() };
        out += &format!("\n  abstract interface\n{}  end interface\n", procedure(&named));
    }
    out += "\n  interface\n";
    for function in &interface.functions {
        out += &procedure(function);
    }
    out + "  end interface\nend module pcml_c\n"
}

fn constant(number: &Constant, functions: &[&str]) -> String {
    let taken = functions.contains(&number.name.to_lowercase().as_str());
    let suffix = if taken { "_COUNT" } else { "" };
    let text = format!("  integer(c_int32_t), parameter :: {}{suffix} = {}\n", number.name, number.value);
    format!("{}{text}", comment(&number.doc, 2))
}

fn structure(of: &Struct) -> String {
    let mut out = format!("{}  type, bind(C) :: {}\n", comment(&of.doc, 2), of.name);
    for field in &of.fields {
        let extent = field.extent.map(|n| format!("({n})")).unwrap_or_default();
        let value = if field.name == "struct_size" { format!(" = {}", size(of)) } else { String::new() };
        out += &comment(&field.doc, 4);
        out += &format!("    {} :: {}{extent}{value}\n", field_type(&field.of), field.name);
    }
    format!("{out}  end type {}\n", of.name)
}

/// Bytes of a struct, each field aligned to its own size.
fn size(of: &Struct) -> i64 {
    let bytes = |field: &Field| match &field.of {
        Type::Value(Base::Int32 | Base::Float) => 4,
        _ => 8,
    };
    let up = |at: i64, to: i64| (at + to - 1) / to * to;
    let end = of.fields.iter().fold(0, |at, f| up(at, bytes(f)) + bytes(f) * f.extent.unwrap_or(1));
    up(end, of.fields.iter().map(bytes).max().unwrap_or(1))
}

fn field_type(of: &Type) -> String {
    match of {
        Type::Value(base) => kind(base),
        _ => "type(c_ptr)".into(),
    }
}

fn kind(base: &Base) -> String {
    match base {
        Base::Void | Base::Handle(_) => "type(c_ptr)".into(),
        Base::Char => "character(kind=c_char)".into(),
        Base::Int32 => "integer(c_int32_t)".into(),
        Base::Int64 => "integer(c_int64_t)".into(),
        Base::Float => "real(c_float)".into(),
        Base::Double => "real(c_double)".into(),
        Base::Struct(name) => format!("type({name})"),
    }
}

fn procedure(function: &Function) -> String {
    let names: Vec<&str> = function.arguments.iter().map(|a| a.name.as_str()).collect();
    let word = if function.result == Type::Value(Base::Void) { "subroutine" } else { "function" };
    let mut out = comment(&function.doc, 4);
    out += &wrapped(&format!("    {word} {}({}) bind(C)", function.name, names.join(", ")));
    out += "      import\n";
    for argument in &function.arguments {
        out += &format!("      {}\n", dummy(argument));
    }
    if word == "function" {
        out += &format!("      {} :: {}\n", field_type(&function.result), function.name);
    }
    format!("{out}    end {word} {}\n\n", function.name)
}

fn dummy(argument: &Argument) -> String {
    let name = &argument.name;
    match &argument.of {
        Type::Value(base) => format!("{}, value :: {name}", kind(base)),
        Type::Callback(_) => format!("type(c_funptr), value :: {name}"),
        Type::Pointer { to: Base::Void | Base::Handle(_), .. } => format!("type(c_ptr), value :: {name}"),
        Type::PointerToPointer { constant: true, .. } => format!("type(c_ptr), intent(in), optional :: {name}(*)"),
        Type::PointerToPointer { constant: false, .. } => format!("type(c_ptr), intent(out), optional :: {name}"),
        Type::Pointer { to, constant } => {
            let intent = if *constant { "in" } else { "inout" };
            let extent = if is_array(argument) { "(*)" } else { "" };
            format!("{}, intent({intent}){}, optional :: {name}{extent}", kind(to), target(to))
        }
    }
}

/// gfortran takes intent(in) for a promise about all memory that can be reached, unless the argument is a target.
fn target(to: &Base) -> &'static str {
    if *to == Base::Struct("pcml_array".into()) { ", target" } else { "" }
}

fn is_array(argument: &Argument) -> bool {
    let Type::Pointer { to, constant } = &argument.of else { return false };
    let listed = |of: &str| ARRAYS.contains(&(of, &argument.name));
    match to {
        _ if argument.count.is_some() => true,
        Base::Char => true,
        Base::Struct(of) => listed(of),
        _ if *constant => true,
        Base::Double => listed("double"),
        Base::Float => listed("float"),
        _ => INTEGER_ARRAYS.contains(&argument.name.as_str()),
    }
}

/// The first sentence as comment lines.
fn comment(doc: &Doc, indent: usize) -> String {
    doc.comment(&format!("{:indent$}! ", ""), WIDTH)
}

/// A statement, continued where it is too long for a line.
fn wrapped(statement: &str) -> String {
    let mut lines = vec![String::new()];
    for part in statement.split_inclusive(", ") {
        if lines.last().is_some_and(|line| line.len() + part.len() > WIDTH - 2) {
            lines.push(" ".repeat(8));
        }
        if let Some(line) = lines.last_mut() {
            *line += part;
        }
    }
    format!("{}\n", lines.iter().map(|l| l.trim_end()).collect::<Vec<_>>().join(" &\n"))
}
