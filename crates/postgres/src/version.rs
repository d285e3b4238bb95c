//! Versions of PostgreSQL.

use std::fmt;

/// The oldest supported major version.
pub const OLDEST_MAJOR: u32 = 14;
/// The newest supported major version.
pub const NEWEST_MAJOR: u32 = 18;

/// A version of PostgreSQL, such as 15.18.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 15 in 15.18.
    pub major: u32,
    /// 18 in 15.18; 0 for a version that is not released yet.
    pub minor: u32,
}

impl Version {
    /// Reads what `postgres --version` prints: `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    pub(crate) fn parse(output: &str) -> Option<Self> {
        let (_, rest) = output.split_once("(PostgreSQL) ")?;
        let number = rest.split_whitespace().next()?;
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (major, rest) = number.split_at(digits(number));
        // "19devel" and "19beta1" have no minor number yet.
        let minor = rest.strip_prefix('.').map_or("0", |rest| &rest[..digits(rest)]);
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }

    /// Whether Twinlock works with this version.
    pub fn is_supported(self) -> bool {
        (OLDEST_MAJOR..=NEWEST_MAJOR).contains(&self.major)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_printed_are_read() {
        for (output, major, minor) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", 15, 18),
            ("postgres (PostgreSQL) 17.10\n", 17, 10),
            ("postgres (PostgreSQL) 19devel\n", 19, 0),
            ("postgres (PostgreSQL) 18beta1\n", 18, 0),
        ] {
            assert_eq!(Version::parse(output), Some(Version { major, minor }), "{output}");
        }
    }

    #[test]
    fn other_programs_have_no_version() {
        for output in ["", "postgres (PostgreSQL) ", "postgres (PostgreSQL) x", "cockroach 1.2"] {
            assert_eq!(Version::parse(output), None, "{output}");
        }
    }
}
