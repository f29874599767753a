//! What a linked program relies on, as text: bindings/tests/abi/interface.txt, renewed when something is added, and the headers of the
//! releases beside it, whose programs must run with today's library.
//!
//! The header is what the library is: it is generated from the sources, and what the library exports is compared with it. So two headers
//! tell of two libraries, and no debug information is needed.

use std::path::{Path, PathBuf};

use crate::bindings::interface::{Argument, Base, Interface, Struct, Type};
use crate::root;

const HEAD: &str = "\
# The binary interface of pcml: what a linked program relies on. Generated from include/pcml.h by `cargo xtask abi`; do not edit.
# Lines may be added. A line that changes or goes breaks programs and needs a new SONAME: see RELEASING.md.
";

const REMEDY: &str = "programs that are linked already would break. Restore it, or add a new function beside the old one. \
    Where it must break, RELEASING.md says how: a new SONAME, then `cargo xtask abi --break`";

fn folder() -> PathBuf {
    root().join("bindings/tests/abi")
}

fn snapshot() -> PathBuf {
    folder().join("interface.txt")
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

fn of_header(path: &Path) -> Result<String, String> {
    let interface = Interface::parse(&read(path)?).map_err(|e| format!("{}: {e}", path.display()))?;
    described(&interface)
}

/// Writes the snapshot; what would break a program is refused unless `breaks`.
pub fn write(breaks: bool) -> Result<(), String> {
    let now = of_header(&root().join("include/pcml.h"))?;
    // Without a snapshot there is nothing to break.
    if !breaks && snapshot().exists() {
        refuse_broken("include/pcml.h", &read(&snapshot())?, &now)?;
    }
    std::fs::write(snapshot(), now).map_err(|e| format!("{}: {e}", snapshot().display()))
}

/// Fails when the header is not that of the snapshot, or lacks what a release had.
pub fn check() -> Result<(), String> {
    let (before, now) = (read(&snapshot())?, of_header(&root().join("include/pcml.h"))?);
    refuse_broken("include/pcml.h", &before, &now)?;
    if before != now {
        return Err(format!("{} is out of date; run `cargo xtask abi`", snapshot().display()));
    }
    let mut releases = 0;
    for entry in std::fs::read_dir(folder()).map_err(|e| format!("{}: {e}", folder().display()))? {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.extension().is_some_and(|e| e == "h") {
            releases += 1;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            refuse_broken(&format!("include/pcml.h against {name}"), &of_header(&path)?, &now)?;
        }
    }
    if releases == 0 { Err(format!("{} has the header of no release", folder().display())) } else { Ok(()) }
}

fn refuse_broken(of: &str, before: &str, now: &str) -> Result<(), String> {
    let broken = broken(before, now);
    if broken.is_empty() { Ok(()) } else { Err(format!("{of}: {REMEDY}:\n  {}", broken.join("\n  "))) }
}

/// What of `before` is not in `now` as it was.
fn broken(before: &str, now: &str) -> Vec<String> {
    let lines = |text: &str| -> Vec<(String, String)> {
        text.lines().filter_map(|l| l.split_once(" = ")).map(|(key, what)| (key.into(), what.into())).collect()
    };
    let now = lines(now);
    let tell = |(key, was): (String, String)| match now.iter().find(|(k, _)| *k == key) {
        Some((_, is)) if *is == was => None,
        Some((_, is)) => Some(format!("{key} has changed:\n    was {was}\n    is  {is}")),
        None => Some(format!("{key} is gone:\n    was {was}")),
    };
    lines(before).into_iter().filter_map(tell).collect()
}

/// One line a number, constant, handle, struct, field and function. Names of arguments are told: the other languages' functions have
/// them, and they show when two arguments of one type change places.
fn described(interface: &Interface) -> Result<String, String> {
    let mut out = HEAD.to_string();
    for number in interface.numbers.iter().filter(|n| !n.name.starts_with("PCML_VERSION_")) {
        out += &format!("number {} = {}\n", number.name, number.value);
    }
    for group in &interface.enums {
        for constant in &group.constants {
            out += &format!("enum {} {} = {}\n", group.name, constant.name, constant.value);
        }
    }
    for handle in &interface.handles {
        out += &format!("handle {handle} = opaque\n");
    }
    for of in &interface.structs {
        out += &layout(of)?;
    }
    for function in &interface.functions {
        let result = spelled(&function.result, "");
        out += &format!("function {} = {}({})\n", function.name, result, arguments(&function.arguments));
    }
    Ok(out)
}

/// Offsets and size where pointers have 8 bytes and every type is aligned to its size.
fn layout(of: &Struct) -> Result<String, String> {
    let (mut out, mut end, mut widest) = (String::new(), 0, 1);
    for field in &of.fields {
        let size = match &field.of {
            Type::Value(Base::Char) => 1,
            Type::Value(Base::Int32 | Base::Float) => 4,
            Type::Value(Base::Void | Base::Handle(_) | Base::Struct(_)) => {
                return Err(format!("{}.{}: the size of its type is not known here", of.name, field.name));
            }
            _ => 8,
        };
        let at = (end + size - 1) / size * size;
        let extent = field.extent.map_or(String::new(), |n| format!("[{n}]"));
        out += &format!("field {}.{} = {}{extent} at {at}\n", of.name, field.name, spelled(&field.of, ""));
        end = at + size * field.extent.unwrap_or(1);
        widest = widest.max(size);
    }
    let size = (end + widest - 1) / widest * widest;
    Ok(format!("struct {} = {size} bytes\n{out}", of.name))
}

fn arguments(list: &[Argument]) -> String {
    let each: Vec<String> = list.iter().map(|a| spelled(&a.of, &a.name)).collect();
    if each.is_empty() { "void".into() } else { each.join(", ") }
}

/// A declaration in C.
fn spelled(of: &Type, name: &str) -> String {
    let base = |base: &Base| match base {
        Base::Void => "void".to_string(),
        Base::Char => "char".into(),
        Base::Int32 => "int32_t".into(),
        Base::Int64 => "int64_t".into(),
        Base::Float => "float".into(),
        Base::Double => "double".into(),
        Base::Handle(name) | Base::Struct(name) => name.clone(),
    };
    let constant = |constant: &bool| if *constant { "const " } else { "" };
    let text = match of {
        Type::Value(of) => format!("{} {name}", base(of)),
        Type::Pointer { to, constant: c } => format!("{}{} *{name}", constant(c), base(to)),
        Type::PointerToPointer { to, constant: c } => {
            format!("{}{} *{}*{name}", constant(c), base(to), if *c { "const " } else { "" })
        }
        Type::Callback(function) => {
            format!("{} (*{name})({})", spelled(&function.result, ""), arguments(&function.arguments))
        }
    };
    text.trim_end().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "#define PCML_MAX_RANK 2\nenum pcml_dtype\n {\n  PCML_DTYPE_F32 = 1,\n  PCML_DTYPE_F64 = 2,\n};\n\
        typedef struct pcml_plan pcml_plan;\n\
        typedef struct pcml_array {\n  int64_t struct_size;\n  void *data;\n  int32_t dtype;\n  int64_t shape[PCML_MAX_RANK];\n  int32_t rank;\n\
        } pcml_array;\n\
        int32_t pcml_plan_predict(const struct pcml_plan *plan, const struct pcml_array *mean, const struct pcml_array *variance);\n\
        int32_t pcml_reduction_create(int32_t (*sum)(void *context, int64_t *values), void *context);\n";

    fn text(header: &str) -> String {
        described(&Interface::parse(header).unwrap()).unwrap()
    }

    #[test]
    fn layouts_are_those_of_c() {
        let text = text(HEADER);
        for line in [
            "number PCML_MAX_RANK = 2",
            "enum pcml_dtype PCML_DTYPE_F64 = 2",
            "handle pcml_plan = opaque",
            "struct pcml_array = 48 bytes",
            "field pcml_array.data = void * at 8",
            "field pcml_array.shape = int64_t[2] at 24",
            "field pcml_array.rank = int32_t at 40",
            "function pcml_plan_predict = int32_t(const pcml_plan *plan, const pcml_array *mean, const pcml_array *variance)",
            "function pcml_reduction_create = int32_t(int32_t (*sum)(void *context, int64_t *values), void *context)",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn what_breaks_programs_is_told_by_name() {
        for (from, to, told) in [
            ("int32_t pcml_plan_predict(", "int32_t pcml_plan_foretell(", "function pcml_plan_predict is gone"),
            (
                "*mean, const struct pcml_array *variance",
                "*variance, const struct pcml_array *mean",
                "function pcml_plan_predict",
            ),
            (
                "void *context, int64_t *values",
                "void *context, int32_t *values",
                "function pcml_reduction_create has changed",
            ),
            (", void *context);", ", int64_t context);", "function pcml_reduction_create has changed"),
            ("int32_t pcml_plan_predict", "int64_t pcml_plan_predict", "function pcml_plan_predict has changed"),
            ("const struct pcml_plan *plan", "struct pcml_plan *plan", "function pcml_plan_predict has changed"),
            (
                "  void *data;\n  int32_t dtype;\n",
                "  int32_t dtype;\n  void *data;\n",
                "field pcml_array.data has changed",
            ),
            ("  int32_t dtype;\n", "  int32_t dtype;\n  double scale;\n", "struct pcml_array has changed"),
            ("RANK 2", "RANK 3", "number PCML_MAX_RANK has changed"),
            ("F64 = 2", "F64 = 3", "enum pcml_dtype PCML_DTYPE_F64 has changed"),
            ("  PCML_DTYPE_F32 = 1,\n", "", "enum pcml_dtype PCML_DTYPE_F32 is gone"),
        ] {
            let changed = HEADER.replacen(from, to, 1);
            assert_ne!(changed, HEADER, "{from}");
            let error = refuse_broken("pcml.h", &text(HEADER), &text(&changed)).expect_err(to);
            assert!(error.contains(told) && error.contains("SONAME"), "{to}: {error}");
        }
    }

    #[test]
    fn additions_and_words_break_nothing() {
        let added = HEADER
            .replace("  PCML_DTYPE_F64", "  PCML_DTYPE_F16 = 3,\n  PCML_DTYPE_F64")
            .replace("typedef struct pcml_plan", "/**\n * New.\n */\ntypedef struct pcml_plan")
            + "void pcml_plan_free(struct pcml_plan *plan);\n";
        assert_eq!(broken(&text(HEADER), &text(&added)), Vec::<String>::new());
        assert_ne!(text(HEADER), text(&added));
    }
}
