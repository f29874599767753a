//! pcml over MPI, from C and Fortran, with Open MPI and MPICH: the header alone, the same bits on 1, 2, 3 and 4 ranks, the same status on
//! all ranks whoever fails, the examples and the page.

mod common;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Mutex;

use common::tools::{have, printed, run, scratch, succeed};
use common::{blocks, model, prefix, root, text};

/// One implementation, as Debian names its programs.
struct Mpi {
    name: &'static str,
    launcher: &'static [&'static str],
}

const MPIS: [Mpi; 2] = [
    Mpi { name: "openmpi", launcher: &["mpirun.openmpi", "--allow-run-as-root", "--oversubscribe"] },
    Mpi { name: "mpich", launcher: &["mpiexec.mpich"] },
];

const RANKS: [usize; 4] = [1, 2, 3, 4];
/// What the program `timeout` exits with where it had to end its program: ranks wait for each other.
const DEADLOCK: i32 = 124;
const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-pedantic", "-Werror"];
/// In the order in which they are compiled.
const FORTRAN: [&str; 5] = ["pcml_c", "pcml_errors", "pcml_objects", "pcml", "pcml_mpi"];

impl Mpi {
    fn program(&self, name: &str) -> String {
        format!("{name}.{}", self.name)
    }

    /// Whether it has the compiler `name`.
    fn has(&self, name: &str) -> bool {
        have(&[&self.program(name), self.launcher[0], "timeout"])
    }

    /// Compiles and links a program in C against the installed tree.
    fn build_c(&self, source: &Path, program: &Path) {
        let include = prefix().join("include");
        let args =
            [&["-std=c99", "-O2", "-ffp-contract=off"], &STRICT[..], &["-I", text(&include), text(source)]].concat();
        succeed(self.program("mpicc"), link(args, program));
    }

    /// The modules in Fortran, compiled; the folder where they are.
    fn modules(&self, name: &str) -> PathBuf {
        let dir = scratch(&format!("mpi_{name}_{}", self.name));
        for module in FORTRAN {
            let source = root().join(format!("bindings/fortran/{module}.f90"));
            let object = dir.join(format!("{module}.o"));
            let args =
                ["-std=f2018", "-Wall", "-Wextra", "-O0", "-J", text(&dir), "-c", text(&source), "-o", text(&object)];
            succeed(self.program("mpifort"), args);
        }
        dir
    }

    /// Compiles and links a program in Fortran with the modules in `dir`.
    fn build_fortran(&self, dir: &Path, sources: &[&Path], program: &Path) {
        let objects = FORTRAN.map(|module| dir.join(format!("{module}.o")));
        let flags = ["-std=f2018", "-Wall", "-Wextra", "-Werror", "-O2", "-ffp-contract=off", "-J", text(dir)];
        let args = flags.into_iter().chain(sources.iter().map(|s| text(s))).chain(objects.iter().map(|o| text(o)));
        succeed(self.program("mpifort"), link(args.collect(), program));
    }

    fn launch(&self, ranks: usize, program: &Path, args: &[&str]) -> Output {
        // Ranks of several tests at once would take turns on few cores, and MPICH's do not sleep while they wait.
        static ALONE: Mutex<()> = Mutex::new(());
        let _alone = ALONE.lock().unwrap_or_else(|e| e.into_inner());
        let count = ranks.to_string();
        let output = run("timeout", [&["180"], self.launcher, &["-n", &count, text(program)], args].concat());
        assert_ne!(
            output.status.code(),
            Some(DEADLOCK),
            "{} on {ranks} ranks waits\n{}",
            program.display(),
            printed(&output)
        );
        output
    }

    #[track_caller]
    fn launched(&self, ranks: usize, program: &Path, args: &[&str]) -> String {
        let output = self.launch(ranks, program, args);
        assert!(output.status.success(), "{} on {ranks} ranks\n{}", program.display(), printed(&output));
        String::from_utf8(output.stdout).expect("text")
    }

    /// What a program prints, the same on 1 to 4 ranks.
    #[track_caller]
    fn same_on_any_ranks(&self, program: &Path, args: &[&str]) -> String {
        let alone = self.launched(1, program, args);
        for ranks in &RANKS[1..] {
            assert_eq!(
                self.launched(*ranks, program, args),
                alone,
                "{} on {ranks} ranks, {}",
                program.display(),
                self.name
            );
        }
        alone
    }

    /// A program of bindings/tests/mpi, in a folder of one test's own.
    fn test_program(&self, test: &str, name: &str) -> PathBuf {
        let program = scratch(&format!("mpi_{test}_{}", self.name)).join(name);
        self.build_c(&root().join(format!("bindings/tests/mpi/{name}.c")), &program);
        program
    }
}

/// The arguments of a compiler, those included that link with the installed tree.
fn link(args: Vec<&str>, program: &Path) -> Vec<String> {
    let lib = prefix().join("lib");
    let rpath = format!("-Wl,-rpath,{}", text(&lib));
    let more = ["-L", text(&lib), &rpath, "-lpcml", "-lm", "-o", text(program)];
    args.into_iter().chain(more).map(str::to_owned).collect()
}

fn mpis(compiler: &'static str) -> impl Iterator<Item = &'static Mpi> {
    MPIS.iter().filter(move |mpi| mpi.has(compiler))
}

fn insulated() -> String {
    text(&model("insulated")).to_owned()
}

#[test]
fn the_header_compiles_alone_and_twice_in_c_and_cpp() {
    let dir = scratch("mpi_header");
    let include = format!("-I{}", prefix().join("include").display());
    // Without the C++ bindings that MPI once had, which do not compile without warnings.
    let cpp = ["-std=c++17", "-DOMPI_SKIP_MPICXX", "-DMPICH_SKIP_MPICXX"];
    for (compiler, standard, extension) in [("mpicc", &["-std=c99"][..], "c"), ("mpicxx", &cpp, "cpp")] {
        for mpi in mpis(compiler) {
            for (name, text_of) in [
                ("alone", "#include <pcml_mpi.h>\n"),
                ("twice", "#include <pcml_mpi.h>\n#include <pcml_mpi.h>\nint main(void) { return PCML_STATUS_OK; }\n"),
            ] {
                let source = dir.join(format!("{name}_{}.{extension}", mpi.name));
                std::fs::write(&source, text_of).expect("a source");
                succeed(
                    mpi.program(compiler),
                    [standard, &["-fsyntax-only", &include, text(&source)], &STRICT[..]].concat(),
                );
            }
        }
    }
}

#[test]
fn bits_depend_neither_on_ranks_nor_on_who_has_which_cells() {
    let mut of_all = Vec::new();
    for mpi in mpis("mpicc") {
        let told = mpi.same_on_any_ranks(&mpi.test_program("partition", "partition"), &[&insulated()]);
        // 3 priors with and without noise, and within bounds; sums; operators: in f64, in f32, and in f64 with two other splits.
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 44, "{told}");
        let without_split = |line: &str| line.replace("split 1", "split 0").replace("split 2", "split 0");
        for split in lines[22..].chunks(11) {
            assert!(split.iter().zip(&lines).all(|(line, of_first)| without_split(line) == *of_first), "{told}");
        }
        of_all.push(told);
    }
    assert!(of_all.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_rank_that_fails_makes_all_ranks_return_its_status() {
    const EXPECTED: [(&str, &str); 16] = [
        ("nan", "NON_FINITE"),
        ("infinite variance", "NON_FINITE"),
        ("negative variance", "VARIANCE"),
        ("shape", "SHAPE"),
        ("another b", "MISMATCH"),
        ("another prior", "MISMATCH"),
        ("another noise", "MISMATCH"),
        ("bounds on one rank", "MISMATCH"),
        ("no array", "NULL_ARGUMENT"),
        ("no workspace", "NULL_ARGUMENT"),
        ("another header", "MISMATCH"),
        ("operator: nan", "NON_FINITE"),
        ("operator: shape", "SHAPE"),
        ("operator: another wall", "MISMATCH"),
        ("operator: a block of nobody", "MISMATCH"),
        ("operator: no part", "NULL_ARGUMENT"),
    ];
    for mpi in mpis("mpicc") {
        let told = mpi.launched(3, &mpi.test_program("failure", "failure"), &[&insulated()]);
        let mut expected = String::new();
        let mut all =
            |case: &str, status: &str| expected += &format!("{case}:{}\n", format!(" PCML_STATUS_{status}").repeat(3));
        for (case, status) in EXPECTED {
            all(case, status);
            if !case.starts_with("operator") {
                all(&format!("{case} in steps"), status);
            }
        }
        let at = told.find("sum: ").expect("sums");
        assert_eq!(told[..at], expected);
        let mut expected = String::new();
        for (case, status) in [
            ("sum", "SHAPE"),
            ("sum, one second array", "MISMATCH"),
            ("sum, no place", "NULL_ARGUMENT"),
            ("noise, agreed", "NOISE"),
            ("no reduction, agreed", "NULL_ARGUMENT"),
            ("no communicator, agreed", "NULL_ARGUMENT"),
            ("two of them, agreed", "IO"),
            ("nothing, agreed", "OK"),
        ] {
            expected += &format!("{case}:{}\n", format!(" PCML_STATUS_{status}").repeat(3));
        }
        assert_eq!(told[at..], expected);
    }
}

#[test]
fn a_rank_that_fails_in_fortran_makes_all_ranks_return_its_status() {
    for mpi in mpis("mpifort") {
        let dir = mpi.modules("failure_fortran");
        let program = dir.join("failure");
        mpi.build_fortran(&dir, &[&root().join("bindings/tests/mpi/failure.f90")], &program);
        let [non_finite, shape, mismatch, null, io] = [6, 3, 20, 1, 12];
        let expected: String = [
            ("good", 0),
            ("nan", non_finite),
            ("shape", shape),
            ("another mass", mismatch),
            ("no communicator", null),
            ("two of them", io),
            ("sums", 0),
        ]
        .map(|(case, status)| format!("{case}: {status} {status} {status}\n"))
        .concat();
        assert_eq!(mpi.launched(3, &program, &[]), expected);
    }
}

#[test]
fn a_failure_of_mpi_ends_the_job() {
    for mpi in mpis("mpicc") {
        let program = mpi.test_program("job", "broken");
        let file = program.with_extension("told");
        for k in ["1", "2", "3"] {
            let status = |handler| mpi.launch(3, &program, &[handler, k, text(&file)]).status;
            let _ = std::fs::remove_file(&file);
            assert!(!status("fatal").success() && !file.exists(), "{k}: pcml returned although MPI ends jobs");
            assert!(!status("return").success(), "{k}");
            assert_eq!(
                std::fs::read_to_string(&file).expect("the failed rank's file"),
                "rank 2: PCML_STATUS_REDUCTION, untouched\n"
            );
        }
    }
}

#[test]
fn reductions_are_as_long_as_the_page_says() {
    for mpi in mpis("mpicc") {
        let told = mpi.launched(2, &mpi.test_program("lengths", "broken"), &["fatal", "0", "none"]);
        assert_eq!(told, format!("52 integers\n{} integers\n{} integers\n", 69 * (8 / 2 + 5), 69 * (2 + 5)));
    }
}

#[test]
fn counts_beyond_an_int_are_summed_in_chunks() {
    for mpi in mpis("mpicc") {
        let told = succeed(mpi.test_program("chunks", "broken"), ["chunks"]);
        let most = i32::MAX as i64;
        // Steps of the address, and counts; a failure ends the second sum at once.
        assert_eq!(told, format!("0 {most}\n{} {most}\n{} 5\n0 {most}\n", 8 * most, 8 * most));
    }
}

#[test]
fn examples_print_the_same_in_c_and_fortran_on_any_number_of_ranks() {
    if !have(&["cmake"]) {
        return;
    }
    for mpi in mpis("mpicc") {
        let build = scratch(&format!("mpi_examples_{}", mpi.name));
        // Divisions by zero, invalid operations and overflows end them.
        let traps = build.join("traps.o");
        let source = root().join("bindings/tests/c/traps.c");
        succeed("cc", ["-std=c11", "-D_GNU_SOURCE", "-c", text(&source), "-o", text(&traps)]);
        let settings = [
            format!("-DCMAKE_EXE_LINKER_FLAGS={} -lm", traps.display()),
            format!("-DCMAKE_PREFIX_PATH={}", prefix().display()),
            format!("-DMPI_C_COMPILER={}", mpi.program("mpicc")),
            format!("-DMPI_Fortran_COMPILER={}", mpi.program("mpifort")),
            "-DCMAKE_C_FLAGS=-Wall -Wextra -pedantic -Werror -O2 -ffp-contract=off".to_owned(),
            "-DCMAKE_Fortran_FLAGS=-std=f2018 -O2 -ffp-contract=off".to_owned(),
        ];
        let source = root().join("examples/mpi");
        let settings = settings.iter().map(String::as_str);
        succeed("cmake", ["-S", text(&source), "-B", text(&build)].into_iter().chain(settings));
        succeed("cmake", ["--build", text(&build)]);
        for (example, args) in [("field", vec![]), ("operator", vec![insulated()])] {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let told = mpi.same_on_any_ranks(&build.join(example), &args);
            let lawful = example == "operator" || told.contains("6 of 6 tracers lawful");
            assert!(lawful && told.contains("\nbits "), "{told}");
            if mpi.has("mpifort") {
                assert_eq!(mpi.same_on_any_ranks(&build.join(format!("{example}_fortran")), &args), told);
            }
        }
        let readme = root().join("README.md");
        let cases = [("/nowhere", "cannot read"), (text(&readme), "not a complete safetensors file")];
        let programs: &[&str] = if mpi.has("mpifort") { &["operator", "operator_fortran"] } else { &["operator"] };
        for (program, (path, said)) in programs.iter().flat_map(|program| cases.map(|case| (program, case))) {
            let output = mpi.launch(2, &build.join(program), &[path]);
            assert!(!output.status.success() && printed(&output).contains(said), "{program}: {}", printed(&output));
        }
    }
}

#[test]
fn what_the_page_shows_compiles_and_runs() {
    let (in_c, in_fortran) = (blocks("mpi.md", "c"), blocks("mpi.md", "fortran"));
    assert_eq!((in_c.len(), in_fortran.len()), (3, 1));
    let expected = "status 0, mass 10.000000\n".repeat(3);
    for mpi in mpis("mpicc") {
        let dir = scratch(&format!("mpi_page_{}", mpi.name));
        let include = prefix().join("include");
        for (k, block) in in_c.iter().enumerate() {
            let source = dir.join(format!("block{k}.c"));
            std::fs::write(&source, block).expect("a source");
            let strict = ["-std=c99", "-pedantic", "-Wall", "-Werror", "-I", text(&include), "-c", text(&source), "-o"];
            succeed(mpi.program("mpicc"), [&strict[..], &[text(&dir.join("block.o"))]].concat());
        }
        mpi.build_c(&dir.join("block0.c"), &dir.join("hello"));
        assert_eq!(mpi.launched(3, &dir.join("hello"), &[]), expected);
    }
    for mpi in mpis("mpifort") {
        let dir = mpi.modules("page_fortran");
        std::fs::write(dir.join("hello.f90"), &in_fortran[0]).expect("a source");
        mpi.build_fortran(&dir, &[&dir.join("hello.f90")], &dir.join("hello"));
        assert_eq!(mpi.launched(3, &dir.join("hello"), &[]), expected);
    }
    let lists = blocks("mpi.md", "cmake").concat();
    for mpi in mpis("mpifort").filter(|_| have(&["cmake"])) {
        let dir = scratch(&format!("mpi_page_cmake_{}", mpi.name));
        for (file, text) in [("CMakeLists.txt", &lists), ("hello.c", &in_c[0]), ("hello.f90", &in_fortran[0])] {
            std::fs::write(dir.join(file), text).expect("a source");
        }
        let build = dir.join("build");
        let settings = [
            format!("-DCMAKE_PREFIX_PATH={}", prefix().display()),
            format!("-DMPI_C_COMPILER={}", mpi.program("mpicc")),
            format!("-DMPI_Fortran_COMPILER={}", mpi.program("mpifort")),
        ];
        let settings = settings.iter().map(String::as_str);
        succeed("cmake", ["-S", text(&dir), "-B", text(&build)].into_iter().chain(settings));
        succeed("cmake", ["--build", text(&build)]);
        for program in ["hello", "hello_fortran"] {
            assert_eq!(mpi.launched(3, &build.join(program), &[]), expected, "{program}");
        }
    }
}
