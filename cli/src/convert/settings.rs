//! What a state dict does not hold: from `--set NAME=VALUE`, else from the file's metadata entry `config`. Every setting given must be
//! one that the kind knows.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use crate::error::{Error, Result, refuse};

/// Settings by name, and which of them were asked for.
pub struct Settings {
    given: BTreeMap<String, Value>,
    config: BTreeMap<String, Value>,
    asked: RefCell<BTreeSet<String>>,
}

impl Settings {
    /// Settings of a command: `NAME=VALUE` each, the value JSON or else text; the entry `config` of the state dict's metadata, and those
    /// entries that are settings themselves.
    pub fn new(set: &[String], metadata: &HashMap<String, String>, plain: &[&str]) -> Result<Settings> {
        let parsed = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_string()));
        let mut given = BTreeMap::new();
        for text in set {
            let Some((name, value)) = text.split_once('=') else {
                return refuse!("setting {text} has no value, expected NAME=VALUE");
            };
            if given.insert(name.to_string(), parsed(value)).is_some() {
                return refuse!("setting {name} is given twice");
            }
        }
        let mut config: BTreeMap<String, Value> = match metadata.get("config") {
            None => BTreeMap::new(),
            Some(text) => serde_json::from_str(text)
                .map_err(|e| Error::new(format!("metadata entry config: {e}, expected a JSON object")))?,
        };
        for name in plain {
            if let Some(text) = metadata.get(*name) {
                config.insert(name.to_string(), parsed(text));
            }
        }
        Ok(Settings { given, config, asked: RefCell::default() })
    }

    /// The value of a setting; null counts as not given.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.asked.borrow_mut().insert(name.to_string());
        match self.given.get(name) {
            Some(value) => Some(value),
            None => self.config.get(name),
        }
        .filter(|value| !value.is_null())
    }

    /// Whether a setting is given as null.
    pub fn is_null(&self, name: &str) -> bool {
        self.asked.borrow_mut().insert(name.to_string());
        self.given.get(name).or(self.config.get(name)).is_some_and(Value::is_null)
    }

    /// A number.
    pub fn number(&self, name: &str, unset: f64) -> Result<f64> {
        match self.get(name) {
            None => Ok(unset),
            Some(value) => match value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok())) {
                Some(number) => Ok(number),
                None => refuse!("setting {name} is {value}, expected a number"),
            },
        }
    }

    /// A count, or the default.
    pub fn count(&self, name: &str, unset: usize) -> Result<usize> {
        Ok(self.count_if(name)?.unwrap_or(unset))
    }

    /// A count, if given.
    pub fn count_if(&self, name: &str) -> Result<Option<usize>> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok())) {
                Some(number) => Ok(Some(number as usize)),
                None => refuse!("setting {name} is {value}, expected a count"),
            },
        }
    }

    /// true or false.
    pub fn flag(&self, name: &str, unset: bool) -> Result<bool> {
        match self.get(name) {
            None => Ok(unset),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(value) => refuse!("setting {name} is {value}, expected true or false"),
        }
    }

    /// One of these words.
    pub fn word<'a>(&'a self, name: &str, unset: &'a str, known: &[&str]) -> Result<&'a str> {
        match self.get(name) {
            None => Ok(unset),
            Some(Value::String(word)) if known.contains(&word.as_str()) => Ok(word),
            Some(value) => refuse!("setting {name} is {value}, expected one of {known:?}"),
        }
    }

    /// Numbers, one for each axis; a single one stands for all.
    pub fn numbers(&self, name: &str, axes: usize) -> Result<Option<Vec<f64>>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let list = match value {
            Value::Array(list) => list.iter().map(Value::as_f64).collect(),
            value => value.as_f64().map(|v| vec![v; axes]),
        };
        match list {
            Some(list) if list.len() == axes => Ok(Some(list)),
            _ => refuse!("setting {name} is {value}, expected a number or a list of {axes}"),
        }
    }

    /// Counts, one for each axis; a single one stands for all.
    pub fn counts(&self, name: &str, axes: usize) -> Result<Option<Vec<usize>>> {
        match self.numbers(name, axes)? {
            None => Ok(None),
            Some(list) if list.iter().all(|v| *v >= 0.0 && v.fract() == 0.0 && *v < 1e9) => {
                Ok(Some(list.into_iter().map(|v| v as usize).collect()))
            }
            Some(list) => refuse!("setting {name} is {list:?}, expected counts"),
        }
    }

    /// A list of numbers of any length.
    pub fn list(&self, name: &str) -> Result<Option<Vec<f64>>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.as_array().and_then(|list| list.iter().map(Value::as_f64).collect()) {
            Some(list) => Ok(Some(list)),
            None => refuse!("setting {name} is {value}, expected a list of numbers"),
        }
    }

    /// A setting that may only have this value.
    pub fn only(&self, name: &str, allowed: &[Value]) -> Result<()> {
        match self.get(name) {
            Some(value) if !allowed.contains(value) => {
                let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
                refuse!("setting {name} is {value}, expected {}: pcml has no such network", allowed.join(" or "))
            }
            _ => Ok(()),
        }
    }

    /// Checks a number that the tensors show against what is said of it.
    pub fn agree(&self, name: &str, found: usize) -> Result<()> {
        match self.count_if(name)? {
            Some(said) if said != found => refuse!("setting {name} is {said}, but the tensors have {found}"),
            _ => Ok(()),
        }
    }

    /// Settings that change nothing, or that the tensors show.
    pub fn ignore(&self, names: &[&str]) {
        self.asked.borrow_mut().extend(names.iter().map(|name| name.to_string()));
    }

    /// Refuses settings that nothing asked for.
    pub fn finish(&self, kind: &str) -> Result<()> {
        let asked = self.asked.borrow();
        match self.given.keys().chain(self.config.keys()).find(|name| !asked.contains(*name)) {
            None => Ok(()),
            Some(name) => {
                let known: Vec<&str> = asked.iter().map(String::as_str).collect();
                refuse!("setting {name} is not one of kind {kind}, expected one of {}", known.join(", "))
            }
        }
    }
}
