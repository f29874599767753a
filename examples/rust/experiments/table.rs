//! Tables: for people, for the page, for programs.

use serde_json::{Value, json};

pub struct Table {
    /// Of the experiment.
    pub name: String,
    pub title: String,
    pub columns: Vec<&'static str>,
    pub rows: Vec<Vec<Cell>>,
    /// Caption and file name of what is drawn beside it.
    pub figures: Vec<(String, String)>,
}

#[derive(Clone)]
pub enum Cell {
    Text(String),
    /// Three significant digits.
    Small(f64),
    /// Two decimals.
    Plain(f64),
    /// Does not apply.
    None,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }

    pub fn small(value: Option<f64>) -> Cell {
        value.map_or(Cell::None, Cell::Small)
    }

    fn shown(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Small(0.0) => "0".into(),
            Cell::Small(v) => format!("{v:.2e}"),
            Cell::Plain(v) => format!("{v:.2}"),
            Cell::None => "-".into(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Cell::Text(text) => json!(text),
            Cell::Small(v) | Cell::Plain(v) => json!(v),
            Cell::None => Value::Null,
        }
    }
}

impl Table {
    pub fn new(name: &str, title: String, columns: &[&'static str]) -> Table {
        Table { name: name.into(), title, columns: columns.to_vec(), rows: Vec::new(), figures: Vec::new() }
    }

    fn shown(&self) -> Vec<Vec<String>> {
        let head = self.columns.iter().map(|c| c.to_string()).collect();
        std::iter::once(head).chain(self.rows.iter().map(|row| row.iter().map(Cell::shown).collect())).collect()
    }

    pub fn print(&self) {
        let lines = self.shown();
        let width = |c: usize| lines.iter().map(|line| line[c].chars().count()).max().unwrap_or(0);
        println!("{}\n", self.title);
        for line in &lines {
            let cells = line.iter().enumerate().map(|(c, cell)| match self.rows.first().map(|row| &row[c]) {
                Some(Cell::Text(_)) => format!("  {cell:<0$}", width(c)),
                _ => format!("  {cell:>0$}", width(c)),
            });
            println!("{}", cells.collect::<String>().trim_end());
        }
        println!();
    }

    /// The table, and its figures from a folder.
    pub fn markdown(&self, folder: &str) -> String {
        let lines: Vec<_> = self.shown().iter().map(|line| format!("| {} |\n", line.join(" | "))).collect();
        let rule = format!("|{}\n", "---|".repeat(self.columns.len()));
        let figures = self.figures.iter().map(|(caption, file)| format!("\n![{caption}]({folder}/{file})\n"));
        format!("{}\n\n{}{rule}{}{}", self.title, lines[0], lines[1..].concat(), figures.collect::<String>())
    }

    pub fn json(&self) -> Value {
        let row = |row: &Vec<Cell>| -> Value {
            self.columns.iter().zip(row).map(|(column, cell)| (column.replace(' ', "_"), cell.json())).collect()
        };
        json!({ "name": self.name, "title": self.title, "rows": self.rows.iter().map(row).collect::<Vec<_>>() })
    }
}
