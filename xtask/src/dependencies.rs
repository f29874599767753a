//! What the dependencies ask for: licences that a user of the library may take over, and no newer compiler than the packages' own.
//!
//! The licences are those of deny.toml, so that `cargo deny check licenses` says the same where it is installed. No test needs it: cargo
//! itself knows what each package declares.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::root;

/// The oldest Rust: rust-version of Cargo.toml.
const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");

/// Fails when a dependency of any feature, platform or test has a licence that is not allowed, comes from elsewhere than the registry, or
/// asks for a newer compiler; and when an exception is not needed any more.
pub fn check() -> Result<(), String> {
    let deny = std::fs::read_to_string(root().join("deny.toml")).map_err(|e| format!("deny.toml: {e}"))?;
    let policy = Policy::parse(&deny)?;
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    let metadata = metadata()?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata has no packages")?;
    packages.iter().for_each(|package| wrong.extend(policy.faults(package, &mut used)));
    let unused = policy.exceptions.iter().filter(|exception| !used.contains(*exception));
    wrong.extend(unused.map(|(name, licence)| format!("deny.toml: {name} does not need {licence} any more")));
    wrong.sort();
    if wrong.is_empty() { Ok(()) } else { Err(format!("dependencies:\n  {}", wrong.join("\n  "))) }
}

/// What cargo knows of all packages.
pub fn metadata() -> Result<Value, String> {
    let mut command = Command::new(std::env::var("CARGO").unwrap_or("cargo".into()));
    command.args(["metadata", "--format-version", "1", "--all-features", "--locked"]).current_dir(root());
    let output = command.output().map_err(|e| format!("cargo: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))
}

struct Policy {
    allowed: BTreeSet<String>,
    /// Packages and the licence that only they may have.
    exceptions: BTreeSet<(String, String)>,
    compiler: Vec<u64>,
}

impl Policy {
    fn parse(deny: &str) -> Result<Self, String> {
        let deny: toml::Table = deny.parse().map_err(|e| format!("deny.toml: {e}"))?;
        let strings = |value: Option<&toml::Value>| -> Result<Vec<String>, String> {
            let list = value.and_then(toml::Value::as_array).ok_or("deny.toml: a list is missing")?;
            Ok(list.iter().filter_map(toml::Value::as_str).map(str::to_string).collect())
        };
        let licences = deny.get("licenses").and_then(toml::Value::as_table).ok_or("deny.toml has no [licenses]")?;
        let mut exceptions = BTreeSet::new();
        for exception in licences.get("exceptions").and_then(toml::Value::as_array).into_iter().flatten() {
            let name = exception
                .get("crate")
                .and_then(toml::Value::as_str)
                .ok_or("deny.toml: an exception without its crate")?;
            exceptions.extend(strings(exception.get("allow"))?.into_iter().map(|licence| (name.to_string(), licence)));
        }
        let allowed = strings(licences.get("allow"))?.into_iter().collect();
        Ok(Self { allowed, exceptions, compiler: numbers(OLDEST) })
    }

    fn faults(&self, package: &Value, used: &mut BTreeSet<(String, String)>) -> Vec<String> {
        let name = package["name"].as_str().unwrap_or_default();
        let told = format!("{name} {}", package["version"].as_str().unwrap_or_default());
        let mut faults = Vec::new();
        match package["license"].as_str() {
            None => faults.push(format!("{told} declares no licence")),
            Some(expression) => {
                let mut allowed = |licence: &str| {
                    let exception = (name.to_string(), licence.to_string());
                    let excepted = self.exceptions.contains(&exception);
                    if excepted {
                        used.insert(exception);
                    }
                    excepted || self.allowed.contains(licence)
                };
                if !holds(expression, &mut allowed) {
                    faults.push(format!("{told}: licence {expression} is not allowed by deny.toml"));
                }
            }
        }
        let source = package["source"].as_str().unwrap_or_default();
        if !source.is_empty() && !source.contains("github.com/rust-lang/crates.io-index") {
            faults.push(format!("{told} comes from {source}"));
        }
        if let Some(version) = package["rust_version"].as_str()
            && numbers(version) > self.compiler
        {
            faults.push(format!("{told} needs Rust {version}, which is newer than rust-version in Cargo.toml"));
        }
        faults
    }
}

/// Compiles the packages, not their tests, with the Rust of rust-version; some minutes. rustup installs it where it is missing.
pub fn compile_with_oldest() -> Result<(), String> {
    let mut command = Command::new("rustup");
    command.args([
        "run",
        "--install",
        OLDEST,
        "cargo",
        "check",
        "--workspace",
        "--locked",
        "--target-dir",
        "target/oldest",
    ]);
    // Set for the cargo that runs this.
    command.current_dir(root()).env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
    let status = command.status().map_err(|e| format!("rustup: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("the packages do not compile with Rust {OLDEST}")) }
}

fn numbers(version: &str) -> Vec<u64> {
    let mut all: Vec<u64> = version.split('.').map_while(|part| part.parse().ok()).collect();
    all.resize(3, 0);
    all
}

/// Whether a choice of an SPDX expression is allowed: AND binds more tightly than OR; the old `/` is OR.
fn holds(expression: &str, allowed: &mut impl FnMut(&str) -> bool) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut next = 0;
    let held = either(&words, &mut next, allowed);
    held && next == words.len()
}

fn either(words: &[&str], next: &mut usize, allowed: &mut impl FnMut(&str) -> bool) -> bool {
    let mut held = both(words, next, allowed);
    while words.get(*next) == Some(&"OR") {
        *next += 1;
        held |= both(words, next, allowed);
    }
    held
}

fn both(words: &[&str], next: &mut usize, allowed: &mut impl FnMut(&str) -> bool) -> bool {
    let mut held = one(words, next, allowed);
    while words.get(*next) == Some(&"AND") {
        *next += 1;
        held &= one(words, next, allowed);
    }
    held
}

fn one(words: &[&str], next: &mut usize, allowed: &mut impl FnMut(&str) -> bool) -> bool {
    let Some(word) = words.get(*next) else { return false };
    *next += 1;
    if *word == "(" {
        let held = either(words, next, allowed);
        *next += 1;
        return held && words.get(*next - 1) == Some(&")");
    }
    // An exception belongs to the licence's name; it only gives more rights, but is listed all the same.
    if words.get(*next) == Some(&"WITH") {
        let exception = words.get(*next + 1).copied().unwrap_or_default();
        *next += 2;
        return allowed(&format!("{word} WITH {exception}"));
    }
    allowed(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn policy() -> Policy {
        let deny = "[licenses]\nallow = [\"MIT\", \"Zlib\", \"Apache-2.0 WITH LLVM-exception\"]\n\
            exceptions = [{ crate = \"tool\", allow = [\"MPL-2.0\"] }]\n";
        Policy { compiler: numbers("1.89"), ..Policy::parse(deny).unwrap() }
    }

    fn faults(licence: Option<&str>, name: &str, compiler: &str) -> Vec<String> {
        let source = "registry+https://github.com/rust-lang/crates.io-index";
        let package =
            json!({"name": name, "version": "1.0.0", "license": licence, "source": source, "rust_version": compiler});
        policy().faults(&package, &mut BTreeSet::new())
    }

    #[test]
    fn the_dependencies_may_be_taken() {
        check().unwrap();
    }

    #[test]
    fn expressions_are_read_as_spdx_has_them() {
        for (expression, good) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("MIT OR GPL-3.0", true),
            ("GPL-3.0/MIT", true),
            ("MIT AND GPL-3.0", false),
            ("GPL-3.0 OR MIT AND Zlib", true),
            ("(MIT OR GPL-3.0) AND Unicode-3.0", false),
            ("(MIT OR GPL-3.0) AND Zlib", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Apache-2.0", false),
            ("MIT Zlib", false),
            ("(MIT", false),
            ("", false),
        ] {
            assert_eq!(faults(Some(expression), "a", "1.60").is_empty(), good, "{expression}");
        }
    }

    #[test]
    fn a_package_that_may_not_be_taken_is_named() {
        assert!(faults(None, "a", "1.60")[0].contains("a 1.0.0 declares no licence"));
        assert!(faults(Some("MPL-2.0"), "a", "1.60")[0].contains("MPL-2.0 is not allowed"));
        assert!(faults(Some("MPL-2.0"), "tool", "1.60").is_empty());
        assert!(faults(Some("MIT"), "a", "1.90")[0].contains("needs Rust 1.90"));
        assert!(faults(Some("MIT"), "a", "1.89.0").is_empty());
        let elsewhere =
            json!({"name": "a", "version": "1.0.0", "license": "MIT", "source": "git+https://example.org/a"});
        assert!(policy().faults(&elsewhere, &mut BTreeSet::new())[0].contains("comes from git"));
    }
}
