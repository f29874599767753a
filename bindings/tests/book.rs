//! The pages of docs/, which are the book's sources: nothing is missing, links lead somewhere, code that is quoted exists, the table of statuses is the
//! header's. That blocks compile and run is tried by the tests of their languages.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use common::{TRIED, blocks, root};

/// Markdown files by their paths from the root, as code hosts show them.
fn pages() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let is_folder = entry.file_type().expect("a type").is_dir();
            if is_folder && !name.starts_with('.') && !["target", "build", "runs", "node_modules"].contains(&&*name) {
                folders.push(path);
            } else if !is_folder && name.ends_with(".md") {
                let place = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
                found.insert(place, std::fs::read_to_string(&path).expect("a page"));
            }
        }
    }
    found
}

/// Names of the pages in docs/.
fn book() -> BTreeSet<String> {
    let pages = pages();
    pages
        .keys()
        .filter_map(|page| page.strip_prefix("docs/"))
        .filter(|page| !page.contains('/'))
        .map(String::from)
        .collect()
}

/// The lines that are prose: not in fenced blocks, and not indented as commands are.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.starts_with("```");
        fenced ^= fence;
        !fenced && !fence && !line.starts_with("    ")
    })
}

/// What lies between backticks, and the line without it.
fn spans(line: &str) -> (Vec<&str>, String) {
    let parts: Vec<&str> = line.split('`').collect();
    let inside = |k: usize| k % 2 == 1 && k + 1 < parts.len();
    let of = |within: bool| parts.iter().enumerate().filter(move |(k, _)| inside(*k) == within).map(|(_, part)| *part);
    (of(true).collect(), of(false).collect::<Vec<_>>().join("``"))
}

/// Targets of links and images.
fn links(text: &str) -> Vec<String> {
    let plain = prose(text).map(|line| spans(line).1).collect::<Vec<_>>().join("\n");
    plain.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_string())).collect()
}

/// The anchors of a page's headings, as code hosts and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in prose(text).filter(|line| line.starts_with('#')) {
        let title = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        let anchor: String = title.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect();
        let again = (0..).map(|k| if k == 0 { anchor.clone() } else { format!("{anchor}-{k}") });
        let free = again.into_iter().find(|name| !found.contains(name)).expect("a number");
        found.insert(free);
    }
    found
}

/// A path without `..`; none where it leaves the tree.
fn resolved(path: &Path) -> Option<PathBuf> {
    let mut to = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if !to.pop() => return None,
            Component::ParentDir | Component::CurDir => {}
            part => to.push(part),
        }
    }
    Some(to)
}

#[test]
fn every_link_and_anchor_leads_somewhere() {
    let pages = pages();
    let mut count = 0;
    for (page, text) in &pages {
        let own = links(text);
        for link in own.iter().filter(|link| !["https://", "http://"].iter().any(|scheme| link.starts_with(scheme))) {
            count += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = Path::new(page).parent().expect("a folder");
            let target = if file.is_empty() { Some(PathBuf::from(page)) } else { resolved(&folder.join(file)) };
            let target = target.unwrap_or_else(|| panic!("{page}: {link} leaves the tree"));
            let there = root().join(&target);
            assert!(there.exists(), "{page}: {link} leads nowhere");
            if !anchor.is_empty() {
                let text = pages.get(&*target.to_string_lossy()).unwrap_or_else(|| panic!("{page}: {link} is no page"));
                assert!(anchors(text).contains(anchor), "{page}: {link} has no such heading");
            }
            // The book has beside its pages the files that they link to; it shows no folders, and no Markdown that is not its own.
            if folder == Path::new("docs") && !target.starts_with("docs") {
                assert!(there.is_file() && !file.ends_with(".md"), "{page}: {link} is no file that the book can have");
            }
        }
    }
    assert!(count > 100, "{count} links");
}

#[test]
fn paths_in_prose_exist() {
    let mut count = 0;
    for (page, text) in pages().iter().filter(|(page, _)| *page != "CHANGELOG.md") {
        for span in prose(text).flat_map(|line| spans(line).0) {
            let first = span.split('/').next().unwrap_or_default();
            let plain = span.chars().all(|c| c.is_ascii_alphanumeric() || "/_-.".contains(c));
            if span.contains('/') && plain && ["src", "tests", "bindings", "cli", "docs", "include"].contains(&first) {
                let beside = root().join(page).with_file_name(span);
                assert!(root().join(span).exists() || beside.exists(), "{page}: {span} is not there");
                count += 1;
            }
        }
    }
    assert!(count > 30, "{count} paths");
}

#[test]
fn the_summary_has_every_page_once() {
    let summary = std::fs::read_to_string(root().join("docs/SUMMARY.md")).expect("the summary");
    let listed = links(&summary);
    let once: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(listed.len(), once.len(), "{listed:?}");
    let mut expected = book();
    assert!(expected.remove("SUMMARY.md"));
    assert_eq!(once, expected);
}

#[test]
fn every_fenced_block_is_tried() {
    let tried: BTreeMap<&str, &[&str]> = TRIED.into_iter().collect();
    let mut found: BTreeSet<(String, String)> = BTreeSet::new();
    for page in book() {
        let text = std::fs::read_to_string(root().join("docs").join(&page)).expect("a page");
        let fences: Vec<&str> = text.lines().filter(|line| line.trim_start().starts_with("```")).collect();
        assert!(fences.len().is_multiple_of(2), "{page}: a fence is not closed");
        for fence in fences.iter().step_by(2) {
            let language =
                fence.strip_prefix("```").unwrap_or_else(|| panic!("{page}: {fence} does not begin its line"));
            if language != "text" {
                let known = tried.get(&*page).is_some_and(|languages| languages.contains(&language));
                assert!(known, "{page}: no test takes blocks in {language:?}");
                found.insert((page.clone(), language.to_string()));
            }
        }
    }
    for (page, language) in tried.iter().flat_map(|(page, all)| all.iter().map(move |language| (page, language))) {
        assert!(found.contains(&(page.to_string(), language.to_string())), "{page} has no block in {language}");
    }
}

/// Lines as they are, but for their indentation.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).collect()
}

#[test]
fn quoted_code_exists() {
    let mut count = 0;
    for block in blocks("extending.md", "rust") {
        let (mut path, mut parts): (&str, Vec<(&str, Vec<&str>)>) = ("", vec![]);
        for line in lines(&block) {
            match line.strip_prefix("// ") {
                Some(name) => {
                    path = if name == ".." { path } else { name };
                    parts.push((path, vec![]));
                }
                None => parts.last_mut().expect("a path first").1.push(line),
            }
        }
        let mut from = BTreeMap::new();
        for (path, part) in parts {
            let source = std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
            let source = lines(&source);
            let first = from.get(path).copied().unwrap_or(0);
            let place = source[first..].windows(part.len()).position(|window| window == part);
            let place = place.unwrap_or_else(|| panic!("{path} has not, or not in this order:\n{}", part.join("\n")));
            from.insert(path, first + place + part.len());
            count += 1;
        }
    }
    assert!(count > 20, "{count} quotations");
}

#[test]
fn the_table_of_statuses_is_the_headers() {
    let header = std::fs::read_to_string(root().join("include/pcml.h")).expect("the header");
    let (_, body) = header.split_once("enum pcml_status\n").expect("the statuses");
    let (body, _) = body.split_once("\n};").expect("their end");
    let (mut meaning, mut expected) = (String::new(), vec![]);
    for line in lines(body) {
        if let Some((name, number)) = line.strip_suffix(',').and_then(|line| line.split_once(" = ")) {
            expected.push(format!("| {number} | `{name}` | {} | ", std::mem::take(&mut meaning).trim_end()));
        } else if let Some(words) = line.strip_prefix("* ") {
            meaning += words;
            meaning.push(' ');
        }
    }
    let page = std::fs::read_to_string(root().join("docs/errors.md")).expect("the page");
    let found: Vec<&str> =
        page.lines().filter(|line| line.contains("`PCML_STATUS_")).filter(|l| l.starts_with("| ")).collect();
    assert_eq!((found.len(), expected.len()), (27, 27));
    for (found, expected) in found.iter().zip(&expected) {
        let advice = found.strip_prefix(&**expected).unwrap_or_else(|| panic!("{found}\nexpected {expected}.. |"));
        assert!(advice.len() > 5 && advice.ends_with(". |"), "{found}");
    }
}
