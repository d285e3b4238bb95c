//! `cargo xtask start`: from a fresh machine to a running pair whose replication is shown to be encrypted.
//!
//! The inputs are those of `examples/repltls`. Everything may be run again: certificates are kept, and a pair that
//! exists is left as it is. A program that has no `up` yet gets as far as the wallets, and what is left out is said.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::need::{self, Purpose};
use crate::place::{self, PROGRAM};
use crate::process;
use crate::section;
use crate::workspace::Workspace;

const EXAMPLE: &str = "examples/repltls";
const PAIR: &str = "repltls";

/// What OpenSSL, and so PostgreSQL, calls the cipher suite that the example demands.
const CIPHER: &str = "ECDHE-ECDSA-AES128-GCM-SHA256";

/// How many connections a pair has between its members that must be encrypted: one transmitter, one receiver.
const ENCRYPTED_ENDS: usize = 2;

/// Does all of it, and prints what to try next.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Failure> {
    section::timed("what this machine needs", || need::ensure(workspace, Purpose::Start))?;
    section::timed("build", || {
        process::run(workspace.cargo().args(["build", "--locked", "--release", "--package", PROGRAM]))
    })?;
    let programs = place::programs(workspace, &workspace.target.join("release"))?;
    let example =
        Example { workspace, program: programs.join(PROGRAM), own: workspace.root.join(".twinlock/start") };
    section::timed("certificates", || example.make_wallets())?;
    section::timed("are they fit for replication", || example.check_wallets())?;
    if !example.can_bring_up() {
        example.say_what_is_missing();
        return Ok(());
    }
    section::timed("a pair that replicates over TLS", || example.bring_up())?;
    section::timed("how it is doing", || example.show())?;
    section::timed("proof of encryption", || example.prove())?;
    example.suggest();
    Ok(())
}

/// Statements for psql that kill the server it is connected to, without knowing where that keeps its files. The server is
/// the parent of the process that serves the connection.
const KILL_ACTIVE: &str = r#"printf '%s\n' 'select pg_backend_pid() as id \gset' '\setenv ID :id' '\! kill -9 $(awk "/^PPid/{print \$2}" /proc/$ID/status)'"#;

struct Example<'a> {
    workspace: &'a Workspace,
    program: PathBuf,
    /// Where this example keeps the wallets that it makes.
    own: PathBuf,
}

impl Example<'_> {
    fn wallets(&self) -> PathBuf {
        self.own.join("wallets")
    }

    /// The folder that stands for the Secret: what is in it is named as the pair's metadata files are.
    fn secret(&self) -> PathBuf {
        self.own.join("repl-tls")
    }

    fn make_wallets(&self) -> Result<(), Failure> {
        let made = self.wallets().join("serverWallet/cwallet.sso");
        if made.is_file() {
            println!("kept: {}", made.display());
        } else {
            private_directory(&self.own)?;
            self.run(&["certs", "create", "--dir", &self.wallets().display().to_string()])?;
        }
        let replication_wallet = self.secret().join("replicationWallet");
        private_directory(&replication_wallet)?;
        let copy = replication_wallet.join("cwallet.sso");
        std::fs::copy(&made, &copy).map(drop).map_err(Failure::file("copy the wallet to", &copy))
    }

    fn check_wallets(&self) -> Result<(), Failure> {
        let wallet = self.secret().join("replicationWallet").display().to_string();
        self.run(&["wallet", "check", &wallet])?;
        self.run(&["wallet", "show", &wallet])
    }

    /// Whether the program that was built has the command, for as long as that is being written.
    fn can_bring_up(&self) -> bool {
        process::succeeds(self.twinlock().args(["up", "--help"]))
    }

    fn say_what_is_missing(&self) {
        let twinlock = self.shown_program();
        let wallets = process::quoted(&self.wallets().display().to_string());
        section::heading("not in this version");
        println!(
            "Bringing up the pair is not in this version: `{PROGRAM} up` does not exist yet, and nothing is running.\n\
             What exists was done: the wallets with which the members of a pair will replicate are in {wallets}.\n\n\
             Try next:\n\n  \
             {twinlock} wallet show {wallets}/clientWallet\n  \
             {twinlock} certs --help         # issue, renew, sign and revoke certificates\n  \
             {twinlock} wallet --help        # passwords, secrets, import, export, sealing\n"
        );
    }

    fn bring_up(&self) -> Result<(), Failure> {
        let secret = format!("repl-tls={}", self.secret().display());
        let config = format!("repl-tls={EXAMPLE}/cm_replTLS");
        let manifest = format!("{EXAMPLE}/repltls.yaml");
        self.run(&["up", "-f", &manifest, "--config", &config, "--secret", &secret])
    }

    fn show(&self) -> Result<(), Failure> {
        self.run(&["get"])?;
        self.run(&["status", PAIR, "--detail"])
    }

    /// Reads the status once more, as anyone can, and does not take its look for granted.
    fn prove(&self) -> Result<(), Failure> {
        let status = process::output(self.twinlock().args(["status", PAIR, "--detail"]))?;
        let proof = encrypted_ends(&status);
        proof.iter().for_each(|line| println!("{}", line.trim_end()));
        if proof.len() >= ENCRYPTED_ENDS && status.contains(CIPHER) {
            println!("both ends of the replication connection are encrypted with {CIPHER}");
            return Ok(());
        }
        Err(Failure::Stopped(format!(
            "the status does not show an encrypted replication connection with {CIPHER} at both ends:\n{status}\
             The pair is left running; see `{PROGRAM} events {PAIR}` for why."
        )))
    }

    fn suggest(&self) {
        let twinlock = self.shown_program();
        section::heading("try next");
        println!(
            "The pair goes on running. These commands work from anywhere:\n\n  \
             {twinlock} psql {PAIR} -- -c 'select * from sampleuser.emp'\n  \
             {twinlock} get -w               # watch it, while in another terminal you kill the active:\n  \
             {KILL_ACTIVE} | {twinlock} psql {PAIR}\n  \
             {twinlock} switchover {PAIR}    # swap the roles, losing nothing\n  \
             {twinlock} events {PAIR}        # what happened and why\n  \
             {twinlock} url {PAIR}           # for your application\n  \
             {twinlock} down {PAIR}          # stop it; --purge also deletes its data\n"
        );
    }

    fn run(&self, arguments: &[&str]) -> Result<(), Failure> {
        let mut command = self.twinlock();
        command.args(arguments);
        println!("% {}", process::shown(&command));
        process::run(&mut command)
    }

    fn twinlock(&self) -> Command {
        let mut command = process::program(&self.program);
        command.current_dir(&self.workspace.root);
        command
    }

    fn shown_program(&self) -> String {
        process::quoted(&self.program.display().to_string())
    }
}

/// The lines of a detailed status that name an encrypted end of a replication connection.
fn encrypted_ends(status: &str) -> Vec<&str> {
    status.lines().filter(|line| line.contains("(SSL)")).collect()
}

/// A directory for private keys.
fn private_directory(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(Failure::file("create", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ends_shown_as_encrypted_count() {
        let status = "TRANSMITTER:\n For : REPLTLS (track 0) (SSL)\nRECEIVER:\n For : REPLTLS (track 0)\n";
        assert_eq!(encrypted_ends(status), [" For : REPLTLS (track 0) (SSL)"]);
    }
}
