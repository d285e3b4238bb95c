//! What the tasks of one agent share. One thread, so cells and no locks.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use twinlock_pair::register::MemberName;
use twinlock_pair::view::{Asked, Job, Lsn, Order, PeerReport, RegisterKnowledge, View};
use twinlock_pair::{Decision, Moment, decide};
use twinlock_postgres::{Directories, Installation, Instance, Observation, Running, RuntimePlace, Session};
use twinlock_wallet::{Credential, Wallet};

use super::story::Story;
use crate::client::{AgentClient, WitnessClient};
use crate::clock::now;
use crate::config::{MemberConfig, read_json, write_json};
use crate::deadline::{self, Bound};
use crate::error::AgentError;
use crate::tls::Control;

/// The state of one agent.
pub(super) struct Shared {
    pub(super) config: MemberConfig,
    pub(super) me: MemberName,
    pub(super) peer_name: MemberName,
    pub(super) instance: Instance,
    pub(super) session: Session,
    pub(super) credential: Credential,
    pub(super) control: Control,
    /// For changes and renewals.
    pub(super) witness: WitnessClient,
    /// For promises.
    pub(super) peer: AgentClient,
    pub(super) started: Moment,
    pub(super) started_at: time::OffsetDateTime,
    pub(super) wake: Notify,

    pub(super) register: RefCell<RegisterKnowledge>,
    pub(super) seen_revision: Cell<Option<u64>>,
    pub(super) lease_until: Cell<Option<Moment>>,
    pub(super) promised_until: Cell<Option<Moment>>,
    pub(super) peer_report: RefCell<Option<(Moment, PeerReport)>>,
    pub(super) guard_pid: Cell<Option<u32>>,

    pub(super) running: RefCell<Option<Running>>,
    pub(super) observation: RefCell<Option<Observation>>,
    pub(super) silent_since: Cell<Option<Moment>>,
    pub(super) not_streaming_since: Cell<Option<Moment>>,
    pub(super) sender_missing_since: Cell<Option<Moment>>,
    /// What the peer had last confirmed, and when that last moved or there was nothing to confirm.
    pub(super) sender_progress: Cell<(Lsn, Moment)>,
    pub(super) checkpointed_timeline: Cell<Option<u32>>,
    /// Revision of the register at which commits were shown to wait for the peer.
    pub(super) waits_shown: Cell<Option<u64>>,
    /// What became of the last change asked of the arbiter.
    pub(super) asked: Cell<Asked>,
    pub(super) rewind_failed: Cell<bool>,

    pub(super) job: Cell<Option<(Job, Moment)>>,
    pub(super) job_percent: Cell<Option<u8>>,
    pub(super) last_failure: Cell<Option<(Moment, &'static str)>>,
    pub(super) last_error: RefCell<Option<String>>,
    /// Creation failed for good: a person must change what was declared.
    pub(super) creation_failed: RefCell<Option<String>>,
    pub(super) handed_over: Cell<Option<Moment>>,
    pub(super) order: Cell<Option<Order>>,
    pub(super) because: RefCell<String>,
    pub(super) story: RefCell<Story>,
    /// What the last decision looked at.
    pub(super) view: RefCell<Option<View>>,
    gate: Cell<GateState>,
}

/// What must survive a restart of the agent beside a running instance; on tmpfs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GateState {
    /// Whether clients may come in.
    pub(super) open: bool,
    /// What the standby must have flushed before.
    pub(super) position: Option<Lsn>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    revision: u64,
}

impl Shared {
    /// Opens everything that an agent needs.
    pub(super) fn open(config: MemberConfig) -> Result<Shared, AgentError> {
        config.timing.check().map_err(AgentError::Unusable)?;
        let control = Control::open(&config.control_wallet)?;
        let path = config.replication_wallet();
        let credential = Wallet::open_auto_login(&path)
            .and_then(|wallet| wallet.credential())
            .map_err(|cause| AgentError::Wallet { path, cause })?;
        let installation = Installation::discover(config.postgres_bindir.as_deref())?;
        let directories =
            Directories { data: config.data(), runtime: config.runtime.clone(), log: config.log() };
        directories.prepare(RuntimePlace::MemoryOnly)?;
        let instance = Instance::new(installation, directories);
        let seen = config.seen();
        let seen: Option<Seen> = if seen.exists() { Some(read_json(&seen)?) } else { None };
        let inherited = match deadline::read(&config.deadline()) {
            Bound::Until(until) if now() < until => Some(until),
            _ => None,
        };
        let gate = read_json(&gate_file(&config)).unwrap_or(GateState { open: false, position: None });
        let story = Story::new(&config, instance.installation().version().to_string());
        Ok(Shared {
            me: MemberName(config.member.clone()),
            peer_name: MemberName(config.peer.name.clone()),
            session: Session::new(&instance),
            witness: WitnessClient::with(config.witness, control.clone()),
            peer: AgentClient::with(config.peer.agent, control.clone()),
            started: now(),
            started_at: time::OffsetDateTime::now_utc(),
            wake: Notify::new(),
            register: RefCell::new(RegisterKnowledge::Unread),
            seen_revision: Cell::new(seen.map(|seen| seen.revision)),
            lease_until: Cell::new(inherited),
            promised_until: Cell::new(None),
            peer_report: RefCell::new(None),
            guard_pid: Cell::new(None),
            running: RefCell::new(None),
            observation: RefCell::new(None),
            silent_since: Cell::new(None),
            not_streaming_since: Cell::new(None),
            sender_missing_since: Cell::new(None),
            sender_progress: Cell::new((0, Moment(0))),
            checkpointed_timeline: Cell::new(None),
            waits_shown: Cell::new(None),
            asked: Cell::new(Asked::Unknown),
            rewind_failed: Cell::new(false),
            job: Cell::new(None),
            job_percent: Cell::new(None),
            last_failure: Cell::new(None),
            last_error: RefCell::new(None),
            creation_failed: RefCell::new(None),
            handed_over: Cell::new(None),
            order: Cell::new(None),
            because: RefCell::new(String::new()),
            story: RefCell::new(story),
            view: RefCell::new(None),
            gate: Cell::new(gate),
            config,
            instance,
            credential,
            control,
        })
    }

    /// What to do next, remembering why.
    pub(super) fn decide(&self, view: &View) -> Decision {
        let decision = match self.creation_failed.borrow().as_ref() {
            Some(why) if self.order.get().is_none() => {
                Decision { action: twinlock_pair::Action::Wait, because: format!("creation failed: {why}") }
            }
            _ => decide(view),
        };
        let mut because = self.because.borrow_mut();
        if *because != decision.because {
            eprint_line(&format!("{}: {}", decision.action.name(), decision.because));
            because.clone_from(&decision.because);
        }
        decision
    }

    /// The register as last read, if it may be believed.
    pub(super) fn reading(&self) -> Option<twinlock_pair::ledger::Reading> {
        match &*self.register.borrow() {
            RegisterKnowledge::Read { reading, .. } => Some(reading.clone()),
            _ => None,
        }
    }

    pub(super) fn gate(&self) -> GateState {
        self.gate.get()
    }

    pub(super) fn set_gate(&self, gate: GateState) -> Result<(), AgentError> {
        write_json(&gate_file(&self.config), &gate)?;
        self.gate.set(gate);
        Ok(())
    }

    /// Extends the right to act, and tells the guard where the instance may commit.
    pub(super) fn extend_lease(&self, until: Moment) -> Result<(), AgentError> {
        let until = self.lease_until.get().map_or(until, |earlier| earlier.max(until));
        self.lease_until.set(Some(until));
        if let Bound::Until(_) = deadline::read(&self.config.deadline()) {
            deadline::write(&self.config.deadline(), Bound::Until(until))?;
        }
        Ok(())
    }

    /// From here on the instance may commit, so the guard holds it to the lease.
    pub(super) fn arm_guard(&self) -> Result<(), AgentError> {
        let until = self.lease_until.get().unwrap_or(Moment(0));
        deadline::write(&self.config.deadline(), Bound::Until(until))
    }

    /// No process of an instance that could commit is left.
    pub(super) fn disarm_guard(&self) -> Result<(), AgentError> {
        deadline::write(&self.config.deadline(), Bound::Following)
    }

    /// Durably remembers the newest register that this member acts on.
    pub(super) fn remember_seen(&self, revision: u64) -> Result<(), AgentError> {
        if self.seen_revision.get().is_none_or(|seen| seen < revision) {
            write_json(&self.config.seen(), &Seen { revision })?;
            self.seen_revision.set(Some(revision));
        }
        Ok(())
    }

    /// Notes an error for status and log.
    pub(super) fn failed(&self, name: &'static str, error: &AgentError) {
        let line = error.line();
        eprint_line(&format!("{name} failed: {line}"));
        *self.last_error.borrow_mut() = Some(format!("{name}: {line}"));
        self.last_failure.set(Some((now(), name)));
    }

    pub(super) fn succeeded(&self, name: &'static str) {
        if self.last_failure.get().is_some_and(|(_, failed)| failed == name) {
            self.last_failure.set(None);
            *self.last_error.borrow_mut() = None;
        }
    }
}

fn gate_file(config: &MemberConfig) -> PathBuf {
    config.runtime.join("gate.json")
}

/// The agent's log is its standard error; `guard` points it at a file.
pub(super) fn eprint_line(text: &str) {
    use std::io::Write;
    let at = time::OffsetDateTime::now_utc();
    let at = at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default();
    // Without a log there is nobody to tell.
    drop(writeln!(std::io::stderr().lock(), "{at} {text}"));
}
