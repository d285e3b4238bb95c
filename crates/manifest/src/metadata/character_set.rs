//! Oracle's names of character sets, and PostgreSQL's.

/// A character set of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CharacterSet {
    oracle: &'static str,
    postgres: &'static str,
}

/// Oracle's name, PostgreSQL's name, whether PostgreSQL can store it (some are for clients only).
const SETS: &[(&str, &str, bool)] = &[
    ("AL32UTF8", "UTF8", true),
    ("UTF8", "UTF8", true),
    // Every US7ASCII text is UTF-8; PostgreSQL's SQL_ASCII would check nothing and store anything.
    ("US7ASCII", "UTF8", true),
    ("WE8ISO8859P1", "LATIN1", true),
    ("EE8ISO8859P2", "LATIN2", true),
    ("SE8ISO8859P3", "LATIN3", true),
    ("NEE8ISO8859P4", "LATIN4", true),
    ("CL8ISO8859P5", "ISO_8859_5", true),
    ("AR8ISO8859P6", "ISO_8859_6", true),
    ("EL8ISO8859P7", "ISO_8859_7", true),
    ("IW8ISO8859P8", "ISO_8859_8", true),
    ("WE8ISO8859P9", "LATIN5", true),
    ("NE8ISO8859P10", "LATIN6", true),
    ("BLT8ISO8859P13", "LATIN7", true),
    ("CEL8ISO8859P14", "LATIN8", true),
    ("WE8ISO8859P15", "LATIN9", true),
    ("EE8MSWIN1250", "WIN1250", true),
    ("CL8MSWIN1251", "WIN1251", true),
    ("WE8MSWIN1252", "WIN1252", true),
    ("EL8MSWIN1253", "WIN1253", true),
    ("TR8MSWIN1254", "WIN1254", true),
    ("IW8MSWIN1255", "WIN1255", true),
    ("AR8MSWIN1256", "WIN1256", true),
    ("BLT8MSWIN1257", "WIN1257", true),
    ("VN8MSWIN1258", "WIN1258", true),
    ("TH8TISASCII", "WIN874", true),
    ("RU8PC866", "WIN866", true),
    ("CL8KOI8R", "KOI8R", true),
    ("CL8KOI8U", "KOI8U", true),
    ("JA16EUC", "EUC_JP", true),
    ("KO16KSC5601", "EUC_KR", true),
    ("ZHS16CGB231280", "EUC_CN", true),
    ("ZHT32EUC", "EUC_TW", true),
    ("JA16SJIS", "SJIS", false),
    ("KO16MSWIN949", "UHC", false),
    ("ZHS16GBK", "GBK", false),
    ("ZHS32GB18030", "GB18030", false),
    ("ZHT16BIG5", "BIG5", false),
];

impl CharacterSet {
    /// The set of this Oracle name that a database can have.
    pub(crate) fn of_database(name: &str) -> Option<Self> {
        Self::find(name, true)
    }

    /// The set of this Oracle name that a client can have.
    pub(crate) fn of_client(name: &str) -> Option<Self> {
        Self::find(name, false)
    }

    fn find(name: &str, stored: bool) -> Option<Self> {
        SETS.iter()
            .find(|(oracle, _, can_store)| oracle.eq_ignore_ascii_case(name) && (*can_store || !stored))
            .map(|(oracle, postgres, _)| Self { oracle, postgres })
    }

    /// Oracle's names of all sets that a database (`stored`) or a client can have.
    pub(crate) fn names(stored: bool) -> impl Iterator<Item = &'static str> {
        SETS.iter().filter(move |(.., can_store)| *can_store || !stored).map(|(oracle, ..)| *oracle)
    }

    /// Oracle's names of all character sets that are known, for a database or for a client.
    pub fn known() -> impl Iterator<Item = &'static str> {
        Self::names(false)
    }

    /// Oracle's name, as in `DatabaseCharacterSet`.
    pub fn oracle_name(&self) -> &'static str {
        self.oracle
    }

    /// PostgreSQL's name, as in `initdb --encoding`.
    pub fn postgres_name(&self) -> &'static str {
        self.postgres
    }
}

/// Unicode.
impl Default for CharacterSet {
    fn default() -> Self {
        Self { oracle: "AL32UTF8", postgres: "UTF8" }
    }
}
