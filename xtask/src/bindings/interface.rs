//! The C interface as data: what include/pcml.h declares, read as a C99 compiler would.
//!
//! This is no C parser. It knows what cbindgen writes for this library and refuses everything else, naming the line, so that a new kind
//! of declaration cannot be lost on the way to another language.

/// All declarations, in the header's order.
#[derive(Debug, Default, PartialEq)]
pub struct Interface {
    /// `#define NAME integer`.
    pub numbers: Vec<Constant>,
    pub enums: Vec<Enum>,
    /// Structs whose fields only the library knows.
    pub handles: Vec<String>,
    pub structs: Vec<Struct>,
    pub functions: Vec<Function>,
}

#[derive(Debug, PartialEq)]
pub struct Constant {
    pub name: String,
    pub value: i64,
    pub doc: Doc,
}

#[derive(Debug, PartialEq)]
pub struct Enum {
    pub name: String,
    pub constants: Vec<Constant>,
    pub doc: Doc,
}

#[derive(Debug, PartialEq)]
pub struct Struct {
    pub name: String,
    pub fields: Vec<Field>,
    pub doc: Doc,
}

#[derive(Debug, PartialEq)]
pub struct Field {
    pub name: String,
    pub of: Type,
    /// The extent of an array field.
    pub extent: Option<i64>,
    pub doc: Doc,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    pub name: String,
    pub arguments: Vec<Argument>,
    pub result: Type,
    pub doc: Doc,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    pub name: String,
    pub of: Type,
    /// Whether the function's comment says what NULL means here.
    pub nullable: bool,
    /// The integer after it that says how many it points at: `value_count` of `values`.
    pub count: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    Value(Base),
    Pointer {
        to: Base,
        constant: bool,
    },
    /// `T **`, or `const T *const *`.
    PointerToPointer {
        to: Base,
        constant: bool,
    },
    /// A pointer to a function, with the names of its arguments.
    Callback(Box<Function>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Base {
    Void,
    Char,
    Int32,
    Int64,
    Float,
    Double,
    /// One of `Interface::handles`.
    Handle(String),
    /// One of `Interface::structs`.
    Struct(String),
}

/// A comment without its stars.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Doc(pub String);

impl Doc {
    /// The first sentence, on one line.
    pub fn summary(&self) -> String {
        let paragraph = self.0.split("\n\n").next().unwrap_or_default();
        let line = paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        // A sentence ends where the next begins with a capital letter: "al. 2019" and "e.g. one" do not end it.
        let end = line.match_indices(". ").find(|(at, _)| line[at + 2..].starts_with(|c: char| c.is_uppercase()));
        end.map_or(line.clone(), |(at, _)| line[..=at].into())
    }

    /// The first sentence in lines of at most `width` bytes, each behind `lead`.
    pub fn comment(&self, lead: &str, width: usize) -> String {
        let mut lines: Vec<String> = Vec::new();
        for word in self.summary().split_whitespace() {
            match lines.last_mut() {
                Some(line) if line.len() + 1 + word.len() <= width => *line += &format!(" {word}"),
                _ => lines.push(format!("{lead}{word}")),
            }
        }
        lines.iter().map(|l| format!("{l}\n")).collect()
    }

    /// What stands after `@param name`.
    fn parameter(&self, name: &str) -> Option<&str> {
        let text = self.0.split("\n\n").flat_map(|part| part.split("@param ").skip(1));
        text.map(|p| p.split("\n@").next().unwrap_or(p)).find_map(|p| p.strip_prefix(name)?.strip_prefix(' '))
    }

    fn allows_null(&self, name: &str) -> bool {
        let text = self.parameter(name).unwrap_or_default();
        text.contains("NULL") && !text.contains("NULL on failure") && !text.contains("not NULL")
    }
}

impl Interface {
    /// Reads a header; an error names the line.
    pub fn parse(header: &str) -> Result<Self, String> {
        let mut interface = Self::default();
        let mut parser = Parser { tokens: tokens(header)?, next: 0, doc: Doc::default() };
        while parser.next < parser.tokens.len() {
            let line = parser.line();
            parser.declaration(&mut interface).map_err(|e| format!("line {line}: {e}"))?;
        }
        Ok(interface)
    }

    fn base(&self, name: &str) -> Result<Base, String> {
        if self.handles.iter().any(|h| h == name) {
            Ok(Base::Handle(name.into()))
        } else if self.structs.iter().any(|s| s.name == name) {
            Ok(Base::Struct(name.into()))
        } else {
            Err(format!("struct {name} is not declared before"))
        }
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Doc(String),
    /// `#define NAME VALUE`.
    Define(String, i64),
    Word(String),
    Mark(char),
}

/// Words and marks with their lines: comments other than `/** */` dropped, conditions resolved as in C99.
fn tokens(header: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut tokens = Vec::new();
    let mut taken: Vec<bool> = Vec::new();
    let mut lines = header.lines().enumerate().map(|(i, l)| (i + 1, l.trim()));
    while let Some((number, line)) = lines.next() {
        let fail = |what: &str| format!("line {number}: {what}: {line}");
        if let Some(comment) = line.strip_prefix("/*") {
            let mut text = comment.to_string();
            while !text.ends_with("*/") {
                let (_, more) = lines.next().ok_or_else(|| fail("a comment without an end"))?;
                text = format!("{text}\n{more}");
            }
            if let Some(doc) = text.trim_end_matches("*/").strip_prefix('*') {
                let stripped = doc.lines().map(|l| l.strip_prefix("* ").unwrap_or(l.trim_start_matches('*')));
                let doc = stripped.collect::<Vec<_>>().join("\n").trim().to_string();
                tokens.push((number, Token::Doc(doc)));
            }
        } else if let Some(directive) = line.strip_prefix('#') {
            let directive = directive.split("/*").next().unwrap_or_default();
            let words: Vec<&str> = directive.split("//").next().unwrap_or_default().split_whitespace().collect();
            match words[..] {
                ["ifdef", "__cplusplus"] => taken.push(false),
                ["ifndef", "__cplusplus" | "PCML_H"] => taken.push(true),
                ["if", .., "__STDC_VERSION__", ">=", "202311L"] => taken.push(false),
                ["else"] => {
                    let last = taken.last_mut().ok_or_else(|| fail("not within a condition"))?;
                    *last = !*last;
                }
                ["endif"] => {
                    taken.pop().ok_or_else(|| fail("not within a condition"))?;
                }
                ["include", "<stdint.h>"] | ["define", "PCML_H"] => {}
                ["define", name, value] => {
                    let value = value.parse().map_err(|_| fail("not an integer"))?;
                    tokens.push((number, Token::Define(name.into(), value)));
                }
                _ => return Err(fail("unknown directive")),
            }
        } else if taken.iter().all(|t| *t) {
            let mut rest = line;
            while let Some(first) = rest.chars().next() {
                let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len()).max(1);
                let (word, after) = rest.split_at(if is_word(first) { length } else { first.len_utf8() });
                match first {
                    _ if is_word(first) => tokens.push((number, Token::Word(word.into()))),
                    '{' | '}' | '(' | ')' | '[' | ']' | '*' | ',' | ';' | '=' => {
                        tokens.push((number, Token::Mark(first)))
                    }
                    _ => return Err(fail("unknown character")),
                }
                rest = after.trim_start();
            }
        }
    }
    if taken.is_empty() { Ok(tokens) } else { Err("a condition without an end".into()) }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    /// The comment that stands before what comes next.
    doc: Doc,
}

impl Parser {
    fn line(&self) -> usize {
        self.tokens.get(self.next).or(self.tokens.last()).map_or(0, |(line, _)| *line)
    }

    /// The declaration that begins here, at file scope.
    fn declaration(&mut self, interface: &mut Interface) -> Result<(), String> {
        self.take_doc();
        let doc = std::mem::take(&mut self.doc);
        if let Some((_, Token::Define(name, value))) = self.tokens.get(self.next) {
            interface.numbers.push(Constant { name: name.clone(), value: *value, doc });
            self.next += 1;
        } else if self.takes_word("enum") {
            let constants = self.enum_constants_after_name(doc)?;
            interface.enums.push(constants);
        } else if self.takes_word("typedef") {
            self.typedef(interface, doc)?;
        } else if self.next < self.tokens.len() {
            let result = self.of_type(interface)?;
            let name = self.word()?;
            let mut arguments = self.arguments(interface)?;
            arguments.iter_mut().for_each(|a| a.nullable = doc.allows_null(&a.name));
            for i in 1..arguments.len() {
                let [array, count] = &mut arguments[i - 1..=i] else { continue };
                let counted = count.name.strip_suffix("_count").is_some_and(|of| array.name.starts_with(of));
                array.count = (counted && matches!(array.of, Type::Pointer { .. })).then(|| count.name.clone());
            }
            self.mark(';')?;
            interface.functions.push(Function { name, arguments, result, doc });
        }
        Ok(())
    }

    fn enum_constants_after_name(&mut self, doc: Doc) -> Result<Enum, String> {
        let name = self.word()?;
        self.mark('{')?;
        let mut constants = Vec::new();
        while !self.takes_mark('}') {
            self.take_doc();
            let doc = std::mem::take(&mut self.doc);
            let name = self.word()?;
            self.mark('=')?;
            let value = self.word()?;
            let value = value.parse().map_err(|_| format!("{value} is no integer"))?;
            constants.push(Constant { name, value, doc });
            self.mark(',')?;
        }
        self.mark(';')?;
        Ok(Enum { name, constants, doc })
    }

    /// `typedef int32_t E;` of an enum, `typedef struct S S;` of a handle, `typedef struct S { ... } S;`.
    fn typedef(&mut self, interface: &mut Interface, doc: Doc) -> Result<(), String> {
        if self.takes_word("int32_t") {
            let name = self.word()?;
            if !interface.enums.iter().any(|e| e.name == name) {
                return Err(format!("{name} is not an enum"));
            }
            return self.mark(';');
        }
        if !self.takes_word("struct") {
            return Err("not a struct".into());
        }
        let name = self.word()?;
        if self.takes_mark('{') {
            let mut fields = Vec::new();
            while !self.takes_mark('}') {
                self.take_doc();
                let doc = std::mem::take(&mut self.doc);
                let of = self.of_type(interface)?;
                let name = self.word()?;
                let extent = if self.takes_mark('[') { Some(self.extent(interface)?) } else { None };
                self.mark(';')?;
                fields.push(Field { name, of, extent, doc });
            }
            interface.structs.push(Struct { name: name.clone(), fields, doc });
        } else {
            interface.handles.push(name.clone());
        }
        if self.word()? != name {
            return Err(format!("struct {name} has a second name"));
        }
        self.mark(';')
    }

    fn extent(&mut self, interface: &Interface) -> Result<i64, String> {
        let name = self.word()?;
        self.mark(']')?;
        let named = interface.numbers.iter().find(|n| n.name == name).map(|n| n.value);
        named.or(name.parse().ok()).ok_or(format!("extent {name} is unknown"))
    }

    fn arguments(&mut self, interface: &Interface) -> Result<Vec<Argument>, String> {
        self.mark('(')?;
        let mut arguments: Vec<Argument> = Vec::new();
        if self.takes_word("void") {
            // `void *` is an argument, `(void)` is none.
            if self.takes_mark(')') {
                return Ok(arguments);
            }
            self.next -= 1;
        }
        loop {
            let of = self.of_type(interface)?;
            let argument = if self.takes_mark('(') {
                self.mark('*')?;
                let name = self.word()?;
                self.mark(')')?;
                let function = Function {
                    name: name.clone(),
                    arguments: self.arguments(interface)?,
                    result: of,
                    doc: Doc::default(),
                };
                Argument { name, of: Type::Callback(function.into()), nullable: false, count: None }
            } else {
                Argument { name: self.word()?, of, nullable: false, count: None }
            };
            if arguments.iter().any(|a| a.name == argument.name) {
                return Err(format!("two arguments are called {}", argument.name));
            }
            arguments.push(argument);
            if !self.takes_mark(',') {
                self.mark(')')?;
                return Ok(arguments);
            }
        }
    }

    fn of_type(&mut self, interface: &Interface) -> Result<Type, String> {
        let constant = self.takes_word("const");
        let word = self.word()?;
        let to = match word.as_str() {
            "void" => Base::Void,
            "char" => Base::Char,
            "int32_t" => Base::Int32,
            "int64_t" => Base::Int64,
            "float" => Base::Float,
            "double" => Base::Double,
            "struct" => {
                let name = self.word()?;
                interface.base(&name)?
            }
            _ => return Err(format!("type {word} is unknown")),
        };
        if !self.takes_mark('*') {
            return if constant { Err("a constant that is no pointer".into()) } else { Ok(Type::Value(to)) };
        }
        let inner = self.takes_word("const");
        let deeper = self.takes_mark('*');
        match (deeper, inner) {
            (false, false) => Ok(Type::Pointer { to, constant }),
            (true, _) if inner == constant => Ok(Type::PointerToPointer { to, constant }),
            _ => Err("pointers that are constant in part".into()),
        }
    }

    fn take_doc(&mut self) {
        while let Some((_, Token::Doc(text))) = self.tokens.get(self.next) {
            self.doc = Doc(text.clone());
            self.next += 1;
        }
    }

    fn takes_word(&mut self, expected: &str) -> bool {
        let is = matches!(self.tokens.get(self.next), Some((_, Token::Word(word))) if word == expected);
        self.next += is as usize;
        is
    }

    fn takes_mark(&mut self, expected: char) -> bool {
        let is = matches!(self.tokens.get(self.next), Some((_, Token::Mark(mark))) if *mark == expected);
        self.next += is as usize;
        is
    }

    fn word(&mut self) -> Result<String, String> {
        match self.tokens.get(self.next) {
            Some((_, Token::Word(word))) => {
                self.next += 1;
                Ok(word.clone())
            }
            _ => Err(format!("a name is expected at line {}", self.line())),
        }
    }

    fn mark(&mut self, expected: char) -> Result<(), String> {
        if self.takes_mark(expected) {
            Ok(())
        } else {
            Err(format!("'{expected}' is expected at line {}", self.line()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(declaration: &str) -> Result<Function, String> {
        let before =
            "typedef struct pcml_model pcml_model;\ntypedef struct pcml_array {\n  int64_t n;\n} pcml_array;\n";
        let interface = Interface::parse(&format!("{before}{declaration}"))?;
        interface.functions.into_iter().next().ok_or("no function".into())
    }

    #[test]
    fn numbers_and_enums_keep_their_values_and_comments() {
        let header = "#ifndef PCML_H\n#define PCML_H\n#include <stdint.h>\n/**\n * Largest rank.\n */\n#define PCML_MAX_RANK 8\n\
            /**\n * Storage. More.\n */\nenum pcml_dtype\n#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L\n  : int32_t\n\
            #endif // defined(__cplusplus)\n {\n  /**\n   * Single.\n   */\n  PCML_F32 = 1,\n  PCML_NO = -2,\n};\n\
            #ifndef __cplusplus\n#if __STDC_VERSION__ >= 202311L\ntypedef enum pcml_dtype pcml_dtype;\n#else\n\
            typedef int32_t pcml_dtype;\n#endif // x\n#endif // y\n#endif  /* PCML_H */\n";
        let interface = Interface::parse(header).unwrap();
        assert_eq!(
            interface.numbers,
            [Constant { name: "PCML_MAX_RANK".into(), value: 8, doc: Doc("Largest rank.".into()) }]
        );
        let [dtype] = &interface.enums[..] else { panic!("{:?}", interface.enums) };
        assert_eq!((dtype.name.as_str(), dtype.doc.summary().as_str()), ("pcml_dtype", "Storage."));
        let constants: Vec<(&str, i64, &str)> =
            dtype.constants.iter().map(|c| (c.name.as_str(), c.value, c.doc.0.as_str())).collect();
        assert_eq!(constants, [("PCML_F32", 1, "Single."), ("PCML_NO", -2, "")]);
    }

    #[test]
    fn structs_and_handles_are_told_apart() {
        let header = "#define PCML_MAX_RANK 8\ntypedef struct pcml_model pcml_model;\n\
            typedef struct pcml_array {\n  /** Bytes. */\n  int64_t struct_size;\n  const void *data;\n  int64_t shape[PCML_MAX_RANK];\n\
            } pcml_array;\n";
        let interface = Interface::parse(header).unwrap();
        assert_eq!(interface.handles, ["pcml_model"]);
        let fields: Vec<(&str, &Type, Option<i64>)> =
            interface.structs[0].fields.iter().map(|f| (f.name.as_str(), &f.of, f.extent)).collect();
        let data = Type::Pointer { to: Base::Void, constant: true };
        let integer = Type::Value(Base::Int64);
        assert_eq!(fields, [("struct_size", &integer, None), ("data", &data, None), ("shape", &integer, Some(8))]);
        assert_eq!(interface.structs[0].fields[0].doc.0, "Bytes.");
    }

    #[test]
    fn arguments_keep_their_types() {
        let read = function(
            "int32_t f(const struct pcml_model *const *members,\n  struct pcml_model **model, int64_t **message, double x,\n  \
             const struct pcml_array *a, char *buffer, int32_t (*sum)(void *context, int64_t *values));\n",
        )
        .unwrap();
        let model = || Base::Handle("pcml_model".into());
        let of: Vec<&Type> = read.arguments.iter().map(|a| &a.of).collect();
        let sum = Function {
            name: "sum".into(),
            arguments: vec![
                Argument {
                    name: "context".into(),
                    of: Type::Pointer { to: Base::Void, constant: false },
                    nullable: false,
                    count: None,
                },
                Argument {
                    name: "values".into(),
                    of: Type::Pointer { to: Base::Int64, constant: false },
                    nullable: false,
                    count: None,
                },
            ],
            result: Type::Value(Base::Int32),
            doc: Doc::default(),
        };
        let expected = [
            Type::PointerToPointer { to: model(), constant: true },
            Type::PointerToPointer { to: model(), constant: false },
            Type::PointerToPointer { to: Base::Int64, constant: false },
            Type::Value(Base::Double),
            Type::Pointer { to: Base::Struct("pcml_array".into()), constant: true },
            Type::Pointer { to: Base::Char, constant: false },
            Type::Callback(sum.into()),
        ];
        assert_eq!(of, expected.iter().collect::<Vec<_>>());
        assert_eq!(read.result, Type::Value(Base::Int32));
        assert_eq!(function("const char *version(void);\n").unwrap().arguments, []);
    }

    #[test]
    fn counts_belong_to_the_pointers_before_them() {
        let read =
            function("int32_t f(const double *values, int64_t value_count, int64_t *count, int64_t row_count);\n")
                .unwrap();
        let counts: Vec<Option<&str>> = read.arguments.iter().map(|a| a.count.as_deref()).collect();
        assert_eq!(counts, [Some("value_count"), None, None, None]);
    }

    #[test]
    fn comments_tell_which_arguments_may_be_null() {
        let read = function(
            "/**\n * Predicts; NULL is no plan.\n *\n * @param a  one of\n *           many; NULL: none\n * @param ab  not NULL\n \
             * @param model  receives it, NULL on failure\n * @return 0, or NULL\n */\n\
             int32_t f(const double *ab, const double *a, struct pcml_model **model, const double *b);\n",
        );
        let nullable: Vec<bool> = read.unwrap().arguments.iter().map(|a| a.nullable).collect();
        assert_eq!(nullable, [false, true, false, false]);
    }

    #[test]
    fn what_is_not_known_is_an_error_that_names_the_line() {
        for (header, expected) in [
            ("\nint32_t f(size_t n);\n", "line 2: type size_t is unknown"),
            ("int32_t f(struct pcml_plan *plan);\n", "line 1: struct pcml_plan is not declared before"),
            ("int32_t f(int64_t n, int64_t n);\n", "line 1: two arguments are called n"),
            ("int32_t f(const double *const x);\n", "line 1: pointers that are constant in part"),
            ("int32_t f(int64_t n)\n\n", "line 1: ';' is expected"),
            ("#define PCML_PI 3.14\n", "line 1: not an integer: #define PCML_PI 3.14"),
            ("\n#pragma once\n", "line 2: unknown directive: #pragma once"),
            ("#if defined(PCML_ONNX)\n#endif\n", "line 1: unknown directive"),
            ("#ifdef __cplusplus\n", "a condition without an end"),
            ("typedef union pcml_u pcml_u;\n", "line 1: not a struct"),
            ("typedef struct pcml_a pcml_b;\n", "line 1: struct pcml_a has a second name"),
            ("typedef struct pcml_a {\n  double x[N];\n} pcml_a;\n", "line 1: extent N is unknown"),
            ("int32_t f(double x) @;\n", "line 1: unknown character"),
            ("/** no end\n", "line 1: a comment without an end"),
            ("inline int32_t f(void);\n", "line 1: type inline is unknown"),
        ] {
            let error = Interface::parse(header).expect_err(header);
            assert!(error.starts_with(expected), "{header}: {error}");
        }
    }

    #[test]
    fn a_summary_is_the_first_sentence() {
        for (text, expected) in [
            ("Frees a plan. NULL is fine.", "Frees a plan."),
            ("Clips (Bradley et\nal. 2019): one pass.", "Clips (Bradley et al. 2019): one pass."),
            ("One.\n\nTwo.", "One."),
        ] {
            assert_eq!(Doc(text.into()).summary(), expected);
        }
    }
}
