//! Tables written into a page between its markers, `<!-- NAME -->` and `<!-- end NAME -->`, and their figures laid beside it.

use std::path::Path;

use crate::surrogate::Outcome;
use crate::table::Table;

const FOLDER: &str = "results";

pub fn write(path: &Path, tables: &[Table], figures: &Path) -> Outcome<()> {
    let mut text = std::fs::read_to_string(path)?;
    for table in tables {
        let (first, last) = (format!("<!-- {} -->\n", table.name), format!("<!-- end {} -->", table.name));
        let missing = || format!("{}: no place for table {}", path.display(), table.name);
        let from = text.find(&first).ok_or_else(missing)? + first.len();
        let to = from + text[from..].find(&last).ok_or_else(missing)?;
        text.replace_range(from..to, &format!("{}\n", table.markdown(FOLDER)));
    }
    std::fs::write(path, &text)?;
    let beside = path.parent().ok_or("a page in a folder")?.join(FOLDER);
    std::fs::create_dir_all(&beside)?;
    for (_, file) in tables.iter().flat_map(|table| &table.figures) {
        // Not a copy, which empties a file that is its own source: the figures may have been written here.
        std::fs::write(beside.join(file), std::fs::read(figures.join(file))?)?;
    }
    Ok(())
}
