//! Arguments in Oracle's style: `-name`, followed by as many values as the name has.

use std::collections::BTreeMap;

use crate::wallet::{Failure, output};

/// One option that a command knows.
pub(super) struct Known {
    pub(super) name: &'static str,
    /// How many values must follow.
    pub(super) values: usize,
    /// How many more may follow.
    pub(super) more: usize,
}

/// An option without values.
pub(super) const fn flag(name: &'static str) -> Known {
    Known { name, values: 0, more: 0 }
}

/// An option with one value.
pub(super) const fn value(name: &'static str) -> Known {
    Known { name, values: 1, more: 0 }
}

/// The options that were given.
pub(super) struct Given {
    command: String,
    options: BTreeMap<&'static str, Vec<String>>,
}

impl Given {
    /// Sorts out the arguments of `command`. What is not known is refused by name.
    pub(super) fn parse(command: &str, arguments: &[String], known: &[Known]) -> Result<Self, Failure> {
        let mut options = BTreeMap::new();
        let mut rest = arguments;
        while let Some((name, after)) = rest.split_first() {
            let option = known.iter().find(|option| option.name.eq_ignore_ascii_case(name));
            let option = option.ok_or_else(|| {
                Failure::usage(format!("{command}: {name} is not supported")).hint(supported(known))
            })?;
            // Negative numbers do not occur, so a value never starts with a hyphen unless it must.
            let optional =
                after.iter().skip(option.values).take(option.more).take_while(|next| !next.starts_with('-'));
            let count = option.values + optional.count();
            let Some(values) = after.get(..count) else {
                return Err(Failure::usage(format!("{command}: {name} needs {} value(s)", option.values)));
            };
            if options.insert(option.name, values.to_vec()).is_some() {
                return Err(Failure::usage(format!("{command}: {name} is given twice")));
            }
            rest = &after[count..];
        }
        Ok(Self { command: command.to_owned(), options })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.options.contains_key(name)
    }

    pub(super) fn values(&self, name: &str) -> Option<&[String]> {
        self.options.get(name).map(Vec::as_slice)
    }

    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values(name)?.first().map(String::as_str)
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Failure> {
        self.value(name).ok_or_else(|| Failure::usage(format!("{}: {name} is missing", self.command)))
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u32>, Failure> {
        let parse = |text: &str| {
            text.parse().map_err(|_| {
                Failure::usage(format!("{}: {name} must be a number, not {text:?}", self.command))
            })
        };
        self.value(name).map(parse).transpose()
    }

    /// A secret that stands among the arguments, as the tools' documentation has it.
    pub(super) fn secret(&self, name: &str, at: usize) -> Option<&str> {
        let secret = self.values(name)?.get(at)?;
        output::note(format!(
            "warning: every user of this host can read the value of {name} while the command runs; leave it out to be \
             asked for it"
        ));
        Some(secret)
    }
}

fn supported(known: &[Known]) -> String {
    let names: Vec<&str> = known.iter().map(|option| option.name).collect();
    format!("nothing was changed; supported here: {}", names.join(" "))
}
