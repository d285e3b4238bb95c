//! Every page that a page links to within the repository exists.

use std::path::{Path, PathBuf};

use super::verdict;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// Follows the relative links of every Markdown file.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let mut findings = Vec::new();
    for file in workspace.files()?.iter().filter(|file| file.extension().is_some_and(|ending| ending == "md"))
    {
        let text = workspace.text(file)?.unwrap_or_default();
        for (line, target) in links(&text) {
            let path = destination(file, target);
            if path.is_some_and(|path| !workspace.root.join(path).exists()) {
                findings.push(format!("{}:{line}: links to {target}, which does not exist", file.display()));
            }
        }
    }
    verdict(findings, "Write the page, or take the link away.")
}

/// Targets of inline links outside of code blocks, with their line numbers.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if !in_code {
            let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            found.extend(targets.map(|target| (index + 1, target)));
        }
    }
    found
}

/// The file that a link names, relative to the root; `None` for another site or a place on the same page.
fn destination(page: &Path, target: &str) -> Option<PathBuf> {
    let path = target.split('#').next().unwrap_or_default();
    if path.is_empty() || path.contains(':') {
        return None;
    }
    Some(page.parent().unwrap_or(Path::new("")).join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_of_code() {
        let text = "See [a](x.md) and [b](../y.md#part).\n```\n[no](z.md)\n```\n[c](https://example.org)\n";
        assert_eq!(links(text), [(1, "x.md"), (1, "../y.md#part"), (5, "https://example.org")]);
    }

    #[test]
    fn only_files_of_the_repository_are_followed() {
        let page = Path::new("docs/index.md");
        assert_eq!(destination(page, "../y.md#part"), Some("docs/../y.md".into()));
        assert_eq!(destination(page, "#part"), None);
        assert_eq!(destination(page, "mailto:a@example.org"), None);
    }
}
