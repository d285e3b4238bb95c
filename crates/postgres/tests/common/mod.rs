//! Instances for tests on real PostgreSQL: Debian's, or the one that `TWINLOCK_TEST_PG_BINDIR` names.

#![allow(dead_code, reason = "each test program uses its part")]
#![allow(clippy::unwrap_used, reason = "what the set-up of a test cannot do ends the test")]

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use twinlock_postgres::{
    BootstrapPlan, CommitLevel, Directories, Gate, Identity, InitOptions, Installation, Instance,
    Observation, Protocol, RoleSettings, RuntimePlace, Session, Settings, Synchronous, TlsFiles, TlsPolicy,
    Upstream,
};
use twinlock_testkit::{Place, TestCertificates, free_port, wait_until_async};
use twinlock_wallet::Credential;

pub(crate) const BOUND: Duration = Duration::from_secs(30);
/// Environment variable with the program directory of another PostgreSQL than Debian's.
pub(crate) const BINDIR: &str = "TWINLOCK_TEST_PG_BINDIR";
pub(crate) const WALLET_NAME: &str = "repl.example";
pub(crate) const PASSWORD: &str = "tiger-lily-77";

/// One instance of a pair with everything that is wanted of it.
pub(crate) struct Member {
    pub(crate) instance: Instance,
    pub(crate) settings: Settings,
    pub(crate) tls: TlsFiles,
}

pub(crate) fn installation() -> Installation {
    let bindir = std::env::var_os(BINDIR).map(PathBuf::from);
    Installation::discover(bindir.as_deref()).expect("PostgreSQL is installed")
}

pub(crate) fn tls_files(credential: &Credential) -> TlsFiles {
    TlsFiles {
        certificate_pem: credential.chain_pem(),
        key_pem: credential.key_pem(),
        trusted_pem: credential.trusted_pem(),
    }
}

pub(crate) fn tls12(ciphers: &str) -> TlsPolicy {
    TlsPolicy {
        openssl_ciphers: ciphers.to_owned(),
        tls13: None,
        min_protocol: Protocol::Tls12,
        max_protocol: Protocol::Tls12,
    }
}

pub(crate) fn tls13(suites: &str) -> TlsPolicy {
    TlsPolicy {
        openssl_ciphers: "HIGH:!aNULL".to_owned(),
        tls13: Some(suites.to_owned()),
        min_protocol: Protocol::Tls13,
        max_protocol: Protocol::Tls13,
    }
}

impl Member {
    /// A member that has directories and nothing else.
    pub(crate) fn new(place: &Place, number: u16, credential: &Credential) -> Self {
        let directories = Directories {
            data: place.disk(&format!("{number}/data")),
            runtime: place.memory(&number.to_string()),
            log: place.disk(&format!("{number}/log")),
        };
        directories.prepare(RuntimePlace::MemoryOnly).unwrap();
        let settings = Settings {
            name: format!("pair-{number}"),
            listen: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
            port: free_port(),
            tls: tls12("ECDHE-ECDSA-AES128-GCM-SHA256"),
            // A killed server leaves shared memory in /dev/shm; this kind lies in the data directory.
            user: [("shared_buffers", "16MB"), ("dynamic_shared_memory_type", "mmap")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            shared_preload_libraries: Vec::new(),
            role: RoleSettings::Primary,
            gate: Gate::Open,
            plaintext_clients: false,
            identity: Identity {
                certificate_name: WALLET_NAME.to_owned(),
                replication_role: "twinlock_replication".to_owned(),
                admin_role: Some("sampleuser".to_owned()),
                database: Some("sample".to_owned()),
                local_os_users: vec!["root".to_owned(), "postgres".to_owned()],
            },
            commit: CommitLevel::On,
        };
        Self { instance: Instance::new(installation(), directories), settings, tls: tls_files(credential) }
    }

    /// A member that runs as the active one, its roles created, its commits waiting for nobody.
    pub(crate) async fn active(place: &Place, number: u16, credential: &Credential) -> Self {
        let member = Self::new(place, number, credential);
        member.begin().await;
        member
    }

    /// Initialises it, starts it and creates its roles.
    pub(crate) async fn begin(&self) {
        self.instance.initialise(&InitOptions::default()).await.unwrap();
        self.start().await;
        self.instance.set_synchronous(&Synchronous::Alone).unwrap();
        self.instance.bootstrap(&self.plan(&[])).await.unwrap();
    }

    pub(crate) fn plan(&self, statements: &[(usize, &str)]) -> BootstrapPlan {
        BootstrapPlan {
            replication_role: self.settings.identity.replication_role.clone(),
            admin_user: self.settings.identity.admin_role.clone(),
            admin_password: Some(PASSWORD.to_owned().into()),
            database: self.settings.identity.database.clone(),
            statements: statements.iter().map(|(line, sql)| (*line, (*sql).to_owned())).collect(),
            script_bound: BOUND,
        }
    }

    /// Makes `self` the running standby of `active`, by a base backup.
    pub(crate) async fn follow(&mut self, active: &Self) {
        let upstream = active.upstream_for(self);
        self.settings.role = RoleSettings::Standby { upstream: upstream.clone() };
        self.configure();
        self.instance.base_backup(&upstream, &self.settings, &self.tls, |_| ()).await.unwrap();
        self.start().await;
        active.wait_for_sender(&self.settings.name).await;
    }

    /// How `standby` reaches this member.
    pub(crate) fn upstream_for(&self, standby: &Self) -> Upstream {
        Upstream {
            host_name: WALLET_NAME.to_owned(),
            hostaddr: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: self.settings.port,
            application_name: standby.settings.name.clone(),
        }
    }

    pub(crate) fn configure(&self) {
        self.instance.configure(&self.settings, &self.tls).unwrap();
    }

    pub(crate) async fn start(&self) {
        self.configure();
        let running = self.instance.start().await.unwrap();
        assert!(running.pid() > 1);
        self.instance.wait_ready(BOUND).await.unwrap();
    }

    pub(crate) async fn observe(&self) -> Observation {
        Session::new(&self.instance).observe(BOUND).await.unwrap()
    }

    pub(crate) async fn wait_for_sender(&self, name: &str) {
        wait_until_async("the standby streams", BOUND, async || {
            let seen = self.observe().await;
            seen.senders.iter().any(|sender| sender.application_name == name && sender.state == "streaming")
        })
        .await;
    }

    /// Makes `standby` the one that commits wait for.
    pub(crate) async fn rely_on(&self, standby: &Self) {
        let probe = twinlock_postgres::admission::show_commits_wait(&self.instance, BOUND).await.unwrap();
        self.instance.set_synchronous(&Synchronous::Standby(standby.settings.name.clone())).unwrap();
        probe.released(BOUND).await.unwrap();
    }

    /// Runs a statement as superuser over the socket.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let output = self.psql(&format!("host={} user=postgres dbname={database}", self.socket()), sql);
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs a statement over a connection described by `conninfo`; the port is added.
    pub(crate) fn psql(&self, conninfo: &str, sql: &str) -> Output {
        self.psql_command(conninfo, sql).output().unwrap()
    }

    pub(crate) fn psql_command(&self, conninfo: &str, sql: &str) -> Command {
        let mut command = Command::new(self.instance.installation().program("psql"));
        let conninfo = format!("{conninfo} port={} connect_timeout=5", self.settings.port);
        command.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", &conninfo, "-c", sql]);
        command.env("PGPASSWORD", PASSWORD);
        command
    }

    pub(crate) fn socket(&self) -> String {
        self.instance.directories().socket().display().to_string()
    }

    /// A client's connection string over TCP.
    pub(crate) fn client(&self, sslmode: &str) -> String {
        format!("host=127.0.0.1 user=sampleuser dbname=sample sslmode={sslmode} sslcert=/none sslkey=/none")
    }

    pub(crate) fn log(&self) -> String {
        let files = std::fs::read_dir(&self.instance.directories().log).unwrap();
        files
            .map(|file| String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()).into_owned())
            .collect()
    }
}

/// A credential that serves both members.
pub(crate) fn shared_credential() -> Credential {
    TestCertificates::new().credential(WALLET_NAME)
}

/// A running pair: the active with its standby, on which commits do not wait yet.
pub(crate) async fn pair(place: &Place) -> (Member, Member) {
    let credential = shared_credential();
    let active = Member::active(place, 0, &credential).await;
    let mut standby = Member::new(place, 1, &credential);
    standby.follow(&active).await;
    (active, standby)
}
