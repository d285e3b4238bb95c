//! A crate uses only crates above it: what is pure stays pure, and a reader knows where a thing can come from.

use serde_json::Value;

use super::verdict;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// One crate of the workspace.
struct Layer {
    package: &'static str,
    may_use: MayUse,
}

/// What a crate's code may depend on within the workspace.
enum MayUse {
    These(&'static [&'static str]),
    /// Every crate above it in the table.
    Above,
}

use MayUse::{Above, These};

/// The layout, top down. Everything may use the test kit for its tests; nothing may use it otherwise.
const LAYOUT: &[Layer] = &[
    Layer { package: "twinlock-manifest", may_use: These(&[]) },
    Layer { package: "twinlock-wallet", may_use: These(&[]) },
    Layer { package: "twinlock-keystore", may_use: These(&["twinlock-wallet"]) },
    Layer { package: "twinlock-volume", may_use: These(&["twinlock-keystore"]) },
    Layer { package: "twinlock-mount", may_use: These(&["twinlock-volume"]) },
    Layer { package: "twinlock-postgres", may_use: These(&["twinlock-wallet"]) },
    Layer { package: "twinlock-pair", may_use: These(&["twinlock-manifest"]) },
    Layer {
        package: "twinlock-vdb",
        may_use: These(&["twinlock-volume", "twinlock-mount", "twinlock-postgres"]),
    },
    Layer { package: "twinlock-pgext", may_use: These(&[]) },
    Layer {
        package: "twinlock-shard",
        may_use: These(&[
            "twinlock-manifest",
            "twinlock-wallet",
            "twinlock-keystore",
            "twinlock-postgres",
            "twinlock-pair",
        ]),
    },
    Layer { package: "twinlock-exporter", may_use: These(&["twinlock-wallet", "twinlock-postgres"]) },
    Layer { package: "twinlock-agent", may_use: Above },
    Layer { package: "twinlock-operator", may_use: These(&["twinlock-manifest", "twinlock-agent"]) },
    Layer { package: "twinlock", may_use: Above },
    Layer {
        package: TEST_KIT,
        may_use: These(&["twinlock-manifest", "twinlock-wallet", "twinlock-postgres"]),
    },
    // Compiled before everything else, on every machine: it drives the program from outside.
    Layer { package: "xtask", may_use: These(&[]) },
];

const TEST_KIT: &str = "twinlock-testkit";

/// A dependency of one workspace crate on another.
struct Edge<'a> {
    from: &'a str,
    to: &'a str,
    only_tests: bool,
}

/// Compares the manifests of the workspace with [`LAYOUT`].
pub(crate) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let metadata = workspace.metadata()?;
    let members = members(&metadata);
    let mut findings: Vec<String> =
        members.iter().filter_map(|member| unknown_crate(name_of(member))).collect();
    let names: Vec<&str> = members.iter().map(|member| name_of(member)).collect();
    findings.extend(members.iter().flat_map(|member| edges(member, &names)).filter_map(|edge| wrong(&edge)));
    verdict(
        findings,
        "The layout is in ARCHITECTURE.md; its table as data is in xtask/src/check/direction.rs.",
    )
}

/// The packages of the workspace itself.
pub(super) fn members(metadata: &Value) -> Vec<&Value> {
    let listed = |id: &Value| metadata["workspace_members"].as_array().is_some_and(|ids| ids.contains(id));
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    packages.iter().filter(|package| listed(&package["id"])).collect()
}

/// A package's name.
pub(super) fn name_of(package: &Value) -> &str {
    package["name"].as_str().unwrap_or_default()
}

fn edges<'a>(member: &'a Value, names: &[&str]) -> Vec<Edge<'a>> {
    let dependencies = member["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ours = dependencies.iter().filter(|dependency| names.contains(&name_of(dependency)));
    ours.map(|dependency| Edge {
        from: name_of(member),
        to: name_of(dependency),
        only_tests: dependency["kind"] == "dev",
    })
    .collect()
}

fn unknown_crate(package: &str) -> Option<String> {
    let known = LAYOUT.iter().any(|layer| layer.package == package);
    (!known).then(|| format!("{package} is not in the layout"))
}

fn wrong(edge: &Edge) -> Option<String> {
    let position = LAYOUT.iter().position(|layer| layer.package == edge.from)?;
    let allowed = match LAYOUT[position].may_use {
        These(those) => those.contains(&edge.to),
        Above => LAYOUT[..position].iter().any(|layer| layer.package == edge.to),
    };
    let in_its_tests = edge.only_tests && edge.to == TEST_KIT;
    (!allowed && !in_its_tests).then(|| format!("{} may not use {}", edge.from, edge.to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(from: &str, to: &str, only_tests: bool) -> bool {
        wrong(&Edge { from, to, only_tests }).is_none()
    }

    #[test]
    fn downward_use_is_allowed_and_upward_is_not() {
        assert!(allowed("twinlock-keystore", "twinlock-wallet", false));
        assert!(allowed("twinlock-agent", "twinlock-pair", false));
        assert!(!allowed("twinlock-wallet", "twinlock-keystore", false));
        assert!(!allowed("twinlock-agent", "twinlock", false));
        assert!(!allowed("twinlock-pair", "twinlock-postgres", true));
    }

    #[test]
    fn test_kit_is_for_tests_only() {
        assert!(allowed("twinlock-wallet", TEST_KIT, true));
        assert!(!allowed("twinlock-wallet", TEST_KIT, false));
        assert!(!allowed("twinlock", TEST_KIT, false));
    }

    #[test]
    fn table_names_only_crates_of_the_table() {
        for layer in LAYOUT {
            let These(those) = layer.may_use else { continue };
            for used in those {
                assert!(unknown_crate(used).is_none(), "{} names {used}", layer.package);
            }
        }
    }

    #[test]
    fn edges_come_from_manifests() {
        let member = serde_json::json!({"name": "a", "dependencies": [
            {"name": "b", "kind": null}, {"name": "serde", "kind": null}, {"name": "c", "kind": "dev"}]});
        let found = edges(&member, &["a", "b", "c"]);
        let found: Vec<_> = found.iter().map(|edge| (edge.to, edge.only_tests)).collect();
        assert_eq!(found, [("b", false), ("c", true)]);
    }
}
