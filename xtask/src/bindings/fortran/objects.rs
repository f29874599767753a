//! bindings/fortran/pcml_objects.f90: descriptors of Fortran arrays, and a derived type for each handle of the C interface, with the
//! functions as its type-bound procedures.

use std::fmt::Write;

use super::{comment, is_array, kind, target, wrapped};
use crate::bindings::interface::{Argument, Base, Function, Interface, Type};

const HEAD: &str = "\
! Module pcml_views describes Fortran arrays to the library; module pcml_objects has the library's objects as derived types.
!
! Generated from include/pcml.h by `cargo xtask bindings`; do not edit.
";

const RANKS: std::ops::RangeInclusive<usize> = 1..=5;

/// Kinds of arrays: a suffix, the kind, the dtype, bytes of an element.
const KINDS: [(&str, &str, &str, usize); 2] =
    [("f32", "c_float", "PCML_DTYPE_F32", 4), ("f64", "c_double", "PCML_DTYPE_F64", 8)];

/// Arrays that know their own extent, and the argument of C that says it, beside those with a count of their own.
const COUNTED: [(&str, &str); 9] = [
    ("values", "capacity"),
    ("axes", "rank"),
    ("shape", "rank"),
    ("means", "count"),
    ("length_scales", "count"),
    ("stencil", "count"),
    ("members", "count"),
    ("owner", "faces"),
    ("cells_i", "terms"),
];

/// Arguments that may be NULL as those of another function, whose comment says so.
const NULL_AS_ELSEWHERE: [(&str, &str); 2] = [("pcml_part_begin", "variance"), ("pcml_part_continue", "variance")];

/// What counts boundary values, of which a model may need none.
const BOUNDARY_VALUES: &str = "value_count";

/// Arguments that may be left out and yet keep their place: behind the next one, which is of the same type, they would be taken for it.
const IN_PLACE: [(&str, &str); 2] = [("pcml_plan_condition", "context_x"), ("pcml_plan_covariance", "mean")];

/// The calls of time loops, which also take arrays where they need descriptors: all of one kind and rank but for right-hand sides.
const DIRECT: [&str; 3] = ["pcml_plan_predict", "pcml_projector_project", "pcml_bounded_project"];

/// Module pcml_views and module pcml_objects.
pub fn objects(interface: &Interface) -> String {
    let mut out = format!("{HEAD}{}\n", views());
    out += "module pcml_objects\n  use pcml_types\n  use pcml_views\n  use pcml_errors\n";
    out += "  use pcml_c, only: pcml_sum_function\n  implicit none\n  private\n";
    out += "  public :: pcml_in, pcml_out, pcml_sum\n";
    for handle in &interface.handles {
        let _ = writeln!(out, "  public :: {handle}");
    }
    let methods: Vec<Method> = interface.functions.iter().filter_map(|f| Method::of(f, interface)).collect();
    for handle in &interface.handles {
        let _ = write!(out, "\n  type :: {handle}\n    type(c_ptr), private :: handle = c_null_ptr\n  contains\n");
        for method in methods.iter().filter(|m| m.object == handle) {
            out += &method.bindings();
        }
        let _ = writeln!(out, "  end type {handle}");
    }
    out += &sum_interface();
    out += "\ncontains\n";
    for method in &methods {
        out += &method.procedure();
        for (kind, rank) in method.direct() {
            out += &method.with_arrays(kind, rank);
        }
    }
    format!("{out}{}end module pcml_objects\n", sums())
}

fn colons(rank: usize) -> String {
    vec![":"; rank].join(", ")
}

fn views() -> String {
    let mut out = String::from(
        "module pcml_views\n  use pcml_types\n  implicit none\n  private\n  public :: pcml_in, pcml_out\n\n",
    );
    let (mut names_in, mut names_out) = (String::new(), String::new());
    let mut bodies = String::new();
    for (suffix, kind, dtype, bytes) in KINDS {
        for rank in RANKS {
            for (direction, of) in [("in", "pcml_const_array"), ("out", "pcml_array")] {
                let name = format!("{direction}_{suffix}_{rank}");
                let names = if direction == "in" { &mut names_in } else { &mut names_out };
                let _ = writeln!(names, "    module procedure {name}");
                bodies += &view(&name, of, kind, dtype, bytes, rank);
            }
        }
    }
    out += "  ! Describes an array or section to be read, where it lies; valid while the array is.\n";
    let _ = writeln!(out, "  interface pcml_in\n{names_in}  end interface pcml_in\n");
    out += "  ! Describes an array or section to be written.\n";
    let _ = writeln!(out, "  interface pcml_out\n{names_out}  end interface pcml_out\n\ncontains\n");
    format!(
        "{out}\
  pure function address(at)
    type(c_ptr), intent(in) :: at
    integer(c_intptr_t) :: address
    address = transfer(at, address)
  end function address
{bodies}end module pcml_views
"
    )
}

/// Strides are distances of neighbours' addresses. An axis without a second element has none, and needs none. The array is a pointer,
/// since compilers may pass other dummies a copy: gfortran does of a component of an array of structures.
fn view(name: &str, of: &str, kind: &str, dtype: &str, bytes: usize, rank: usize) -> String {
    let index = |shifted: usize| {
        let at = |axis: usize| format!("lbound(array, {axis}){}", if axis == shifted { " + 1" } else { "" });
        (1..=rank).map(at).collect::<Vec<_>>().join(", ")
    };
    let mut out = format!(
        "
  function {name}(array) result(view)
    real({kind}), pointer, intent(in) :: array({})
    type({of}) :: view
    integer(c_intptr_t) :: first
    view%dtype = {dtype}
    view%rank = {rank}
    view%data = c_null_ptr
",
        colons(rank)
    );
    // Axis by axis, since compilers make temporaries for what is said of all.
    for axis in 1..=rank {
        let _ = write!(
            out,
            "    view%shape({axis}) = size(array, {axis}, c_int64_t)
    view%strides({axis}) = 1
"
        );
    }
    let _ = write!(
        out,
        "    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array({}))
    first = address(view%data)
",
        index(0)
    );
    for axis in 1..=rank {
        let second = index(axis);
        out += &wrapped(&format!(
            "    if (view%shape({axis}) > 1) view%strides({axis}) = (address(c_loc(array({second}))) - first) / {bytes}"
        ));
    }
    format!("{out}  end function {name}\n")
}

/// A function of C as a procedure of the object it is about.
struct Method<'a> {
    object: &'a str,
    /// Without the library's name.
    name: &'a str,
    function: &'a Function,
}

impl<'a> Method<'a> {
    /// None for functions without an object, and for those with a body of their own elsewhere (arrays without descriptors).
    fn of(function: &'a Function, interface: &'a Interface) -> Option<Self> {
        let handles = || function.arguments.iter().filter_map(handle);
        let named = interface.handles.iter().filter(|h| function.name.starts_with(&format!("{h}_")));
        let object = named.max_by_key(|h| h.len()).map(String::as_str);
        let object = object.filter(|o| handles().any(|(h, _)| h == *o)).or(handles().next().map(|(h, _)| h))?;
        let flat = function.name.ends_with("_f32") || function.name.ends_with("_f64");
        if flat || function.name == "pcml_sum" {
            return None;
        }
        Some(Self { object, name: function.name.strip_prefix("pcml_")?, function })
    }

    fn own(&self) -> &'a Argument {
        let own = self.function.arguments.iter().find(|a| handle(a).is_some_and(|(h, _)| h == self.object));
        own.expect("a method has its object among its arguments")
    }

    fn binding(&self) -> &str {
        self.function.name.strip_prefix(&format!("{}_", self.object)).unwrap_or(self.name)
    }

    fn direct(&self) -> impl Iterator<Item = (&'static str, usize)> + use<> {
        let takes = DIRECT.contains(&self.function.name.as_str());
        KINDS.into_iter().flat_map(|(suffix, ..)| RANKS.map(move |rank| (suffix, rank))).filter(move |_| takes)
    }

    fn right_hand_ranks(&self) -> &'static [usize] {
        if self.function.arguments.iter().any(|a| a.name == "b") { &[1, 2] } else { &[0] }
    }

    fn bindings(&self) -> String {
        let (binding, name) = (self.binding(), self.name);
        if self.direct().next().is_none() {
            return format!("    procedure :: {binding} => {name}\n");
        }
        let mut all = vec![format!("{name}_views")];
        for (suffix, rank) in self.direct() {
            all.extend(self.right_hand_ranks().iter().map(|b| self.specific(suffix, rank, *b)));
        }
        let mut out = format!("    procedure, private :: {name}_views => {name}\n");
        for specific in &all[1..] {
            let _ = writeln!(out, "    procedure, private :: {specific}");
        }
        out + &wrapped(&format!("    generic :: {binding} => {}", all.join(", ")))
    }

    fn specific(&self, suffix: &str, rank: usize, right_hand: usize) -> String {
        let last = if right_hand == 0 { String::new() } else { format!("_{right_hand}") };
        format!("{}_{suffix}_{rank}{last}", self.name)
    }

    /// What Fortran's caller gives: what C needs, then what it can do without.
    fn dummies(&self) -> (Vec<&'a Argument>, Vec<&'a Argument>) {
        let own = self.own();
        let given = self.function.arguments.iter().filter(|a| !std::ptr::eq(*a, own) && self.counts(a).is_none());
        given.partition(|a| !self.optional(a) || IN_PLACE.contains(&(&self.function.name, &a.name)))
    }

    fn optional(&self, argument: &Argument) -> bool {
        let named = NULL_AS_ELSEWHERE.contains(&(&self.function.name, &argument.name));
        argument.nullable && !self.is_text() || named || argument.count.as_deref() == Some(BOUNDARY_VALUES)
    }

    /// The array whose extent the argument is.
    fn counts(&self, argument: &Argument) -> Option<&'a Argument> {
        let is_count = argument.of == Type::Value(Base::Int64);
        let listed = |array: &Argument| COUNTED.contains(&(&array.name, &argument.name));
        let of = |array: &&Argument| array.count.as_ref() == Some(&argument.name) || listed(array);
        self.function.arguments.iter().filter(|_| is_count).find(of)
    }

    /// Whether it copies a text out.
    fn is_text(&self) -> bool {
        self.function.arguments.iter().any(|a| a.of == Type::Pointer { to: Base::Char, constant: false })
    }

    fn head(&self, name: &str, dummies: &[String]) -> String {
        let names = [&["self".to_string()], dummies, &["stat".into(), "errmsg".into()]].concat();
        wrapped(&format!("  subroutine {name}({})", names.join(", ")))
    }

    fn procedure(&self) -> String {
        if self.function.result == Type::Value(Base::Void) {
            return self.free();
        }
        if self.is_text() {
            return self.text();
        }
        let (needed, optional) = self.dummies();
        let names: Vec<String> = needed.iter().chain(&optional).map(|a| a.name.clone()).collect();
        let mut out = format!("\n{}", comment(&self.function.doc, 2));
        out += &self.head(self.name, &names);
        let _ = writeln!(out, "    use pcml_c, only: call_c => {}", self.function.name);
        let _ = writeln!(out, "    class({}), intent({}) :: self", self.object, self.own_intent());
        for argument in needed.iter().chain(&optional) {
            let optional = if self.optional(argument) { ", optional" } else { "" };
            let _ = writeln!(out, "    {}", declared(argument, optional));
        }
        out += "    integer, intent(out), optional :: stat\n    character(len=*), intent(inout), optional :: errmsg\n";
        out += "    integer(c_int32_t) :: status\n";
        let (mut before, mut after, mut actual) = (String::new(), String::new(), Vec::new());
        for argument in &self.function.arguments {
            let (text, locals) = self.actual(argument, &mut before, &mut after);
            out += &locals;
            actual.push(text);
        }
        out += &before;
        out += &wrapped(&format!("    status = call_c({})", actual.join(", ")));
        out += "    call settle(status, stat, errmsg)\n";
        if !after.is_empty() {
            let _ = write!(out, "    if (status /= PCML_STATUS_OK) return\n{after}");
        }
        format!("{out}  end subroutine {}\n", self.name)
    }

    fn own_intent(&self) -> &'static str {
        match self.own().of {
            Type::Pointer { constant: true, .. } => "in",
            _ => "inout",
        }
    }

    /// What C is given for an argument, the local variables for it, and what comes before and after the call.
    fn actual(&self, argument: &Argument, before: &mut String, after: &mut String) -> (String, String) {
        let name = argument.name.as_str();
        let own = std::ptr::eq(argument, self.own());
        let optional = self.optional(argument);
        if let Some(array) = self.counts(argument) {
            if !self.optional(array) {
                return (format!("size({}, kind=c_int64_t)", array.name), String::new());
            }
            let _ = writeln!(
                before,
                "    {name} = 0\n    if (present({0})) {name} = size({0}, kind=c_int64_t)",
                array.name
            );
            return (name.into(), format!("    integer(c_int64_t) :: {name}\n"));
        }
        let held = if own { "self" } else { name };
        match &argument.of {
            Type::PointerToPointer { to: Base::Handle(_), constant: false } => {
                let _ = write!(after, "    call {held}%free()\n    {held}%handle = new_handle\n");
                ("new_handle".into(), "    type(c_ptr) :: new_handle\n".into())
            }
            Type::Pointer { to: Base::Handle(_), .. } if optional => {
                let _ = write!(
                    before,
                    "    {name}_handle = c_null_ptr\n    if (present({name})) {name}_handle = {name}%handle\n"
                );
                (format!("{name}_handle"), format!("    type(c_ptr) :: {name}_handle\n"))
            }
            Type::Pointer { to: Base::Handle(_), .. } | Type::PointerToPointer { to: Base::Handle(_), .. } => {
                (format!("{held}%handle"), String::new())
            }
            Type::Pointer { to: Base::Void, .. } if optional => {
                let _ = write!(
                    before,
                    "    {name}_or_null = c_null_ptr\n    if (present({name})) {name}_or_null = {name}\n"
                );
                (format!("{name}_or_null"), format!("    type(c_ptr) :: {name}_or_null\n"))
            }
            Type::Pointer { to: Base::Int64, constant: false } if !is_array(argument) => {
                let condition = if optional { format!("if (present({name})) ") } else { String::new() };
                let _ = writeln!(after, "    {condition}{name} = int({name}_wide)");
                (format!("{name}_wide"), format!("    integer(c_int64_t) :: {name}_wide\n"))
            }
            Type::PointerToPointer { .. } => (name.into(), String::new()),
            Type::Pointer { to: Base::Char, constant: true } => (format!("trim({name}) // c_null_char"), String::new()),
            Type::Value(Base::Int64) => (format!("int({name}, c_int64_t)"), String::new()),
            Type::Callback(_) => (format!("c_funloc({name})"), String::new()),
            _ => (name.into(), String::new()),
        }
    }

    fn free(&self) -> String {
        format!(
            "
  ! Frees what the variable refers to, if anything; the variable may then be used anew.
  subroutine {0}(self)
    use pcml_c, only: call_c => {1}
    class({2}), intent(inout) :: self
    call call_c(self%handle)
    self%handle = c_null_ptr
  end subroutine {0}
",
            self.name, self.function.name, self.object
        )
    }

    fn text(&self) -> String {
        let body = format!(
            "    use pcml_c, only: call_c => {}
    class({}), intent(in) :: self
    character(len=:), allocatable, intent(out) :: text
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: length
    character(kind=c_char, len=:), allocatable :: buffer
    status = call_c(self%handle, capacity=1_c_int64_t, length=length)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    allocate (character(kind=c_char, len=length + 1) :: buffer)
    status = call_c(self%handle, buffer, length + 1, length)
    call settle(status, stat, errmsg)
    text = buffer(:length)
",
            self.function.name, self.object
        );
        let head = self.head(self.name, &["text".into()]);
        format!("\n{}{head}{body}  end subroutine {}\n", comment(&self.function.doc, 2), self.name)
    }

    /// The same call with arrays instead of the descriptors that it cannot do without.
    fn with_arrays(&self, suffix: &str, rank: usize) -> String {
        let (needed, optional) = self.dummies();
        let names: Vec<String> = needed.iter().chain(&optional).map(|a| a.name.clone()).collect();
        let kind = if suffix == "f32" { "c_float" } else { "c_double" };
        let mut out = String::new();
        for right_hand in self.right_hand_ranks() {
            let name = self.specific(suffix, rank, *right_hand);
            let _ = write!(out, "\n{}", self.head(&name, &names));
            let _ = writeln!(out, "    class({}), intent({}) :: self", self.object, self.own_intent());
            let mut actual: Vec<String> = Vec::new();
            for argument in &needed {
                let Some(intent) = descriptor_intent(&argument.of) else {
                    let _ = writeln!(out, "    {}", declared(argument, ""));
                    actual.push(argument.name.clone());
                    continue;
                };
                let (kind, rank) = if argument.name == "b" { ("c_double", *right_hand) } else { (kind, rank) };
                let _ =
                    writeln!(out, "    real({kind}), intent({intent}), target :: {}({})", argument.name, colons(rank));
                let view = if intent == "in" { "pcml_in" } else { "pcml_out" };
                actual.push(format!("{view}({})", argument.name));
            }
            for argument in &optional {
                let _ = writeln!(out, "    {}", declared(argument, ", optional"));
                actual.push(argument.name.clone());
            }
            out +=
                "    integer, intent(out), optional :: stat\n    character(len=*), intent(inout), optional :: errmsg\n";
            out += &wrapped(&format!("    call {}(self, {}, stat, errmsg)", self.name, actual.join(", ")));
            let _ = writeln!(out, "  end subroutine {name}");
        }
        out
    }
}

/// The object that an argument refers to, and whether the call makes it.
fn handle(argument: &Argument) -> Option<(&str, bool)> {
    match &argument.of {
        Type::Pointer { to: Base::Handle(name), .. } => Some((name, false)),
        Type::PointerToPointer { to: Base::Handle(name), constant: false } => Some((name, true)),
        _ => None,
    }
}

fn descriptor_intent(of: &Type) -> Option<&'static str> {
    match of {
        Type::Pointer { to: Base::Struct(name), .. } if name == "pcml_const_array" => Some("in"),
        Type::Pointer { to: Base::Struct(name), .. } if name == "pcml_array" => Some("inout"),
        _ => None,
    }
}

fn declared(argument: &Argument, optional: &str) -> String {
    let name = &argument.name;
    match &argument.of {
        Type::Value(Base::Int64) => format!("integer, intent(in){optional} :: {name}"),
        Type::Value(base) => format!("{}, intent(in){optional} :: {name}", kind(base)),
        Type::Callback(_) => format!("procedure(pcml_{name}_function) :: {name}"),
        Type::Pointer { to: Base::Handle(of), constant: true } => format!("type({of}), intent(in){optional} :: {name}"),
        Type::Pointer { to: Base::Handle(of), constant: false }
        | Type::PointerToPointer { to: Base::Handle(of), constant: false } => {
            format!("type({of}), intent(inout){optional} :: {name}")
        }
        Type::PointerToPointer { to: Base::Handle(of), constant: true } => {
            format!("type({of}), intent(in){optional} :: {name}(:)")
        }
        Type::PointerToPointer { .. } => format!("type(c_ptr), intent(out){optional} :: {name}"),
        Type::Pointer { to: Base::Void, .. } => format!("type(c_ptr), intent(in){optional} :: {name}"),
        Type::Pointer { to: Base::Char, .. } => format!("character(len=*), intent(in){optional} :: {name}"),
        Type::Pointer { to: Base::Int64, constant: false } if !is_array(argument) => {
            format!("integer, intent(inout){optional} :: {name}")
        }
        Type::Pointer { to, constant } => {
            let intent = if *constant { "in" } else { "inout" };
            let extent = if is_array(argument) { "(:)" } else { "" };
            format!("{}, intent({intent}){}{optional} :: {name}{extent}", kind(to), target(to))
        }
    }
}

fn sum_interface() -> String {
    let mut out = String::from("\n  ! The exact sum of an array's values, rounded once; 0 where it fails.\n");
    out += "  interface pcml_sum\n    module procedure sum_view\n";
    for (suffix, rank) in KINDS.into_iter().flat_map(|(suffix, ..)| RANKS.map(move |rank| (suffix, rank))) {
        let _ = writeln!(out, "    module procedure sum_{suffix}_{rank}");
    }
    out + "  end interface pcml_sum\n"
}

fn sums() -> String {
    let rest = "    type(pcml_const_array), intent(in), optional :: second
    type(pcml_reduction), intent(inout), optional :: reduction
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    real(c_double) :: total
";
    let mut out = format!(
        "
  function sum_view(array, second, reduction, stat, errmsg) result(total)
    use pcml_c, only: call_c => pcml_sum
    type(pcml_const_array), intent(in) :: array
{rest}    type(c_ptr) :: reduction_handle
    reduction_handle = c_null_ptr
    if (present(reduction)) reduction_handle = reduction%handle
    total = 0
    call settle(call_c(array, second, reduction_handle, total), stat, errmsg)
  end function sum_view
"
    );
    for (suffix, kind, ..) in KINDS {
        for rank in RANKS {
            let _ = write!(
                out,
                "
  function sum_{suffix}_{rank}(array, second, reduction, stat, errmsg) result(total)
    real({kind}), intent(in), target :: array({})
{rest}    total = sum_view(pcml_in(array), second, reduction, stat, errmsg)
  end function sum_{suffix}_{rank}
",
                colons(rank)
            );
        }
    }
    out
}
