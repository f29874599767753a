//! Tables written into a page between its markers, `<!-- NAME -->` and `<!-- end NAME -->`.

use std::path::Path;

use crate::surrogate::Outcome;
use crate::table::Table;

pub fn write(path: &Path, tables: &[Table]) -> Outcome<()> {
    let mut text = std::fs::read_to_string(path)?;
    for table in tables {
        let (first, last) = (format!("<!-- {} -->\n", table.name), format!("<!-- end {} -->", table.name));
        let missing = || format!("{}: no place for table {}", path.display(), table.name);
        let from = text.find(&first).ok_or_else(missing)? + first.len();
        let to = from + text[from..].find(&last).ok_or_else(missing)?;
        text.replace_range(from..to, &format!("{}\n\n{}\n", table.title, table.markdown()));
    }
    std::fs::write(path, text)?;
    Ok(())
}
