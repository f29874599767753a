//! The book of docs/, rendered by mdBook into target/book: its pages in docs/, and beside them the files that they link to.

use std::path::PathBuf;
use std::process::Command;

use crate::root;

/// The version that book.toml was written for.
const MDBOOK: &str = "0.5.4";

pub fn build() -> Result<(), String> {
    let run = |program: PathBuf, args: &[&str]| {
        let status = Command::new(&program).args(args).current_dir(root()).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err(format!("{} {} failed", program.display(), args.join(" "))),
            Err(e) => Err(format!("{}: {e}", program.display())),
        }
    };
    let of_own = root().join("target/mdbook/bin/mdbook");
    let answers = |program: &PathBuf| Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success());
    let mdbook = match [PathBuf::from("mdbook"), of_own.clone()].into_iter().find(answers) {
        Some(found) => found,
        None => {
            println!("== cargo install mdbook@{MDBOOK}, into target/mdbook: some minutes");
            let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into()).into();
            let place = ["--root", "target/mdbook", "--target-dir", "target/mdbook/build"];
            let what =
                ["install", "mdbook", "--version", MDBOOK, "--locked", "--no-default-features", "--features", "search"];
            run(cargo, &[&what[..], &place].concat())?;
            of_own
        }
    };
    run(mdbook, &["build"])?;
    for linked in outside()? {
        let to = root().join("target/book").join(&linked);
        std::fs::create_dir_all(to.with_file_name("")).map_err(|e| format!("{}: {e}", to.display()))?;
        std::fs::copy(root().join(&linked), &to).map_err(|e| format!("{linked}: {e}"))?;
    }
    println!("target/book/docs/index.html");
    Ok(())
}

/// The files of the tree that pages link to and that are not among them.
fn outside() -> Result<Vec<String>, String> {
    let docs = root().join("docs");
    let mut found = vec![];
    for entry in std::fs::read_dir(&docs).map_err(|e| format!("docs: {e}"))?.flatten() {
        if entry.path().extension().is_some_and(|e| e == "md") {
            let text = std::fs::read_to_string(entry.path()).map_err(|e| format!("{}: {e}", entry.path().display()))?;
            found.extend(
                text.split("](../").skip(1).filter_map(|rest| Some(rest.split([')', '#']).next()?.to_string())),
            );
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
