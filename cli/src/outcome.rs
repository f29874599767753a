//! What a command has to tell, for people and for programs.

use std::fmt::Display;

use serde_json::{Map, Value};

/// Facts in order: as lines, or as a JSON object.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    facts: Map<String, Value>,
    lines: Vec<(String, String)>,
}

impl Outcome {
    /// Nothing yet.
    pub fn new() -> Outcome {
        Outcome::default()
    }

    /// A fact with the text of its line.
    pub fn tell(&mut self, name: &str, value: impl Into<Value>, text: impl Display) {
        self.facts.insert(name.replace(' ', "_"), value.into());
        self.lines.push((name.to_string(), text.to_string()));
    }

    /// A fact whose text is its value.
    pub fn fact(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        let text = shown(&value);
        self.tell(name, value, text);
    }

    /// A line that is told to people alone.
    pub fn line(&mut self, name: &str, text: impl Display) {
        self.lines.push((name.to_string(), text.to_string()));
    }

    /// A fact that is told to programs alone.
    pub fn data(&mut self, name: &str, value: impl Into<Value>) {
        self.facts.insert(name.to_string(), value.into());
    }

    /// For programs.
    pub fn json(&self) -> Value {
        Value::Object(self.facts.clone())
    }

    /// For people.
    pub fn text(&self) -> String {
        let width = self.lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        self.lines.iter().map(|(name, text)| format!("{name:width$}  {text}\n")).collect()
    }
}

/// A value without JSON's marks where it has none inside.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) if list.iter().all(|v| !v.is_object() && !v.is_array()) => {
            list.iter().map(shown).collect::<Vec<_>>().join(" x ")
        }
        other => other.to_string(),
    }
}
