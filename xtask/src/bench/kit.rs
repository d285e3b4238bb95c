//! What benchmarks share: fair order, figures with their spread, a table, and the machine they were taken on.
//!
//! Two things are compared by running them in turns, because a machine changes under a benchmark (heat, neighbours,
//! page cache). The ratio is taken within each turn and then summarised, so a slow minute slows both sides of it.

use std::fmt;

/// What repeated measurements of one thing came to. Never empty.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figures {
    /// Ascending.
    sorted: Vec<f64>,
}

impl Figures {
    /// Summarises measurements; `None` if there are none or one is not a number.
    pub(crate) fn of(measurements: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = measurements.into_iter().collect();
        if sorted.is_empty() || sorted.iter().any(|figure| !figure.is_finite()) {
            return None;
        }
        sorted.sort_by(f64::total_cmp);
        Some(Self { sorted })
    }

    /// The middle one, or the mean of the two in the middle.
    pub(crate) fn median(&self) -> f64 {
        let middle = self.sorted.len() / 2;
        if self.sorted.len() % 2 == 0 {
            f64::midpoint(self.sorted[middle - 1], self.sorted[middle])
        } else {
            self.sorted[middle]
        }
    }

    /// The smallest that at least `percent` of the measurements do not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.sorted.len() * percent.min(100)).div_ceil(100);
        self.sorted[rank.max(1) - 1]
    }

    /// The smallest.
    pub(crate) fn min(&self) -> f64 {
        self.sorted[0]
    }

    /// The largest.
    pub(crate) fn max(&self) -> f64 {
        self.sorted[self.sorted.len() - 1]
    }

    /// How many there are.
    pub(crate) fn runs(&self) -> usize {
        self.sorted.len()
    }
}

/// `median (min–max, n runs)`
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, min, max] = [self.median(), self.min(), self.max()].map(rounded);
        write!(f, "{median} ({min}–{max}, {} runs)", self.runs())
    }
}

/// Two things measured in turns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) ours: Figures,
    pub(crate) theirs: Figures,
    /// Ours divided by theirs, turn by turn.
    pub(crate) ratio: Figures,
}

/// Measures two things in turns, after one turn of each that is not counted, and reports each turn to `seen`.
///
/// Who goes first alternates, so that neither always finds the machine as the other left it. `None` if there are no
/// rounds or a figure is not a number.
pub(crate) fn interleaved<E>(
    rounds: usize,
    mut ours: impl FnMut() -> Result<f64, E>,
    mut theirs: impl FnMut() -> Result<f64, E>,
    mut seen: impl FnMut(usize, f64, f64),
) -> Result<Option<Comparison>, E> {
    theirs()?;
    ours()?;
    let mut pairs = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let (our, their) = if round % 2 == 0 {
            let our = ours()?;
            (our, theirs()?)
        } else {
            let their = theirs()?;
            (ours()?, their)
        };
        seen(round, our, their);
        pairs.push((our, their));
    }
    Ok(compared(&pairs))
}

fn compared(pairs: &[(f64, f64)]) -> Option<Comparison> {
    Some(Comparison {
        ours: Figures::of(pairs.iter().map(|(our, _)| *our))?,
        theirs: Figures::of(pairs.iter().map(|(_, their)| *their))?,
        ratio: Figures::of(pairs.iter().map(|(our, their)| our / their))?,
    })
}

/// Rows under headings, in columns as wide as they need.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|heading| (*heading).to_owned()).collect()] }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: &[&dyn fmt::Display]) -> &mut Self {
        self.rows.push(cells.iter().map(ToString::to_string).collect());
        self
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max()
        };
        let widths: Vec<usize> = (0..columns).filter_map(width).collect();
        for row in &self.rows {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
            writeln!(f, "{}", cells.join("   ").trim_end())?;
        }
        Ok(())
    }
}

/// One line about the machine, without which a figure means little.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let model = value_of(&read("/proc/cpuinfo"), "model name").unwrap_or("unknown processor").to_owned();
    let memory_kib =
        value_of(&read("/proc/meminfo"), "MemTotal").and_then(|value| value.split(' ').next()?.parse().ok());
    let memory_gib: u64 = memory_kib.unwrap_or(0_u64) / (1024 * 1024);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("machine: {cores} cores ({model}), {memory_gib} GiB, Linux {}", kernel.trim())
}

/// The value of a `name : value` line, as the files of `/proc` have them.
fn value_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}

/// Three significant digits, and all of a large number.
pub(crate) fn rounded(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        size if size >= 1.0 => format!("{figure:.2}"),
        _ => format!("{figure:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_summarised() {
        let figures = Figures::of([3.0, 1.0, 2.0, 10.0]).unwrap();
        assert_eq!((figures.median(), figures.min(), figures.max()), (2.5, 1.0, 10.0));
        assert_eq!((figures.percentile(50), figures.percentile(95), figures.percentile(0)), (2.0, 10.0, 1.0));
        assert_eq!(figures.to_string(), "2.50 (1.00–10.0, 4 runs)");
        assert_eq!(Figures::of([]), None);
        assert_eq!(Figures::of([f64::NAN]), None);
    }

    #[test]
    fn ratio_is_taken_within_each_turn() {
        // The machine halves its speed after two turns; the ratio does not notice.
        let mut ours = [0.0, 100.0, 100.0, 50.0, 50.0].into_iter();
        let mut theirs = [0.0, 200.0, 200.0, 100.0, 100.0].into_iter();
        let mut turns = 0;
        let compared = interleaved(
            4,
            || ours.next().ok_or("too many runs"),
            || theirs.next().ok_or("too many runs"),
            |_, _, _| turns += 1,
        );
        let compared = compared.unwrap().unwrap();
        assert_eq!((compared.ratio.min(), compared.ratio.max(), turns), (0.5, 0.5, 4));
    }

    #[test]
    fn comparison_stops_at_the_first_failure() {
        let outcome = interleaved(3, || Err("broken"), || Ok(1.0), |_, _, _| {});
        assert_eq!(outcome, Err("broken"));
    }

    #[test]
    fn table_aligns_its_columns() {
        let mut table = Table::new(&["what", "seconds"]);
        table.row(&[&"up to Normal", &rounded(1.234)]).row(&[&"x", &rounded(250.4)]);
        assert_eq!(table.to_string(), "what           seconds\nup to Normal   1.23\nx              250\n");
    }
}
