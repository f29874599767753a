//! Tables written into a page between its markers, `<!-- NAME -->` and `<!-- end NAME -->`, and the figures that it shows, `](results/NAME.svg)`, laid
//! beside it where they have been drawn.

use std::path::Path;

use crate::surrogate::Outcome;
use crate::table::Table;

pub fn write(path: &Path, tables: &[Table], figures: &Path) -> Outcome<()> {
    let mut text = std::fs::read_to_string(path)?;
    for table in tables {
        let (first, last) = (format!("<!-- {} -->\n", table.name), format!("<!-- end {} -->", table.name));
        let missing = || format!("{}: no place for table {}", path.display(), table.name);
        let from = text.find(&first).ok_or_else(missing)? + first.len();
        let to = from + text[from..].find(&last).ok_or_else(missing)?;
        text.replace_range(from..to, &format!("{}\n\n{}\n", table.title, table.markdown()));
    }
    std::fs::write(path, &text)?;
    let beside = path.parent().ok_or("a page in a folder")?;
    for shown in text.split("](results/").skip(1) {
        let name = shown.split(')').next().unwrap_or_default();
        let drawn = figures.join(name);
        if drawn.exists() {
            std::fs::create_dir_all(beside.join("results"))?;
            std::fs::copy(drawn, beside.join("results").join(name))?;
        }
    }
    Ok(())
}
