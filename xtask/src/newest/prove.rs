//! Shows, once per fetched tree, that it is a working PostgreSQL with TLS and the tools that a pair needs.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::process;

/// The user for whom root runs PostgreSQL, which refuses to run as root.
const POSTGRES_USER: &str = "postgres";

const TOOLS: &[&str] = &["pg_basebackup", "pg_rewind", "pg_controldata", "pg_ctl", "pgbench"];

/// Initialises an instance in `work`, starts it with TLS, asks its version over TLS, and stops it. Returns its answer.
pub(super) fn serves_tls(bindir: &Path, major: u32, work: &Path) -> Result<String, Failure> {
    let proof = Proof { bindir, directory: work.join("proof") };
    proof.prepare()?;
    for tool in TOOLS {
        proof.run(tool, &["--version"])?;
    }
    proof.run("initdb", &["--pgdata", &proof.data(), "--auth", "trust", "--data-checksums", "--no-sync"])?;
    let port = free_port()?;
    proof.make_certificate()?;
    let log = proof.directory.join("log").display().to_string();
    let options = format!(
        "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c ssl=on -c fsync=off \
         -c ssl_cert_file=../server.crt -c ssl_key_file=../server.key"
    );
    proof.run(
        "pg_ctl",
        &["--wait", "--pgdata", &proof.data(), "--log", &log, "--options", &options, "start"],
    )?;
    let answer = proof.ask(port);
    proof.run("pg_ctl", &["--wait", "--pgdata", &proof.data(), "--mode", "immediate", "stop"])?;
    let answer = answer?;
    if answer.starts_with(&format!("PostgreSQL {major}.")) && answer.contains("|t|TLSv1") {
        return Ok(answer.trim().to_owned());
    }
    Err(Failure::Stopped(format!("the fetched PostgreSQL {major} answered: {answer}")))
}

struct Proof<'a> {
    bindir: &'a Path,
    directory: PathBuf,
}

impl Proof<'_> {
    fn data(&self) -> String {
        self.directory.join("data").display().to_string()
    }

    fn prepare(&self) -> Result<(), Failure> {
        std::fs::create_dir_all(&self.directory).map_err(Failure::file("create", &self.directory))?;
        if process::is_root() {
            process::output(process::program("chown").arg(POSTGRES_USER).arg(&self.directory))?;
        }
        Ok(())
    }

    fn make_certificate(&self) -> Result<(), Failure> {
        let mut openssl = as_postgres(Path::new("openssl"));
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
        openssl.args(["-subj", "/CN=proof", "-days", "1", "-keyout", "server.key", "-out", "server.crt"]);
        process::output(openssl.current_dir(&self.directory)).map(drop)
    }

    fn ask(&self, port: u16) -> Result<String, Failure> {
        let target =
            format!("host=127.0.0.1 port={port} user={POSTGRES_USER} dbname=postgres sslmode=require");
        let query = "select version(), ssl, version from pg_stat_ssl where pid = pg_backend_pid()";
        self.run(
            "psql",
            &["--no-psqlrc", "--tuples-only", "--no-align", "--dbname", &target, "--command", query],
        )
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, Failure> {
        let mut command = as_postgres(&self.bindir.join(program));
        // The user of initdb becomes the first role: the same for root and for anyone else.
        if program == "initdb" {
            command.args(["--username", POSTGRES_USER]);
        }
        command.args(arguments).current_dir(&self.directory);
        // A server that pg_ctl starts keeps its standard output open; it goes to the log, so pg_ctl's ends with it.
        process::output(&mut command)
    }
}

fn as_postgres(program: &Path) -> Command {
    if !process::is_root() {
        return process::program(program);
    }
    let mut command = process::program("runuser");
    command.args(["-u", POSTGRES_USER, "--"]).arg(program);
    command
}

fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(Failure::file("bind a port of", Path::new("127.0.0.1")))
}
