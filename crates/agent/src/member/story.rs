//! Telling what changed: the events of this member, and the state of the pair as it sees it.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use twinlock_manifest::documents::PairKind;
use twinlock_manifest::state::{
    AgentState, DatabaseState, Event, EventReason, EventType, PairState, RepAgentState, RepScheme, RepState,
    ServerState, Updatable,
};
use twinlock_pair::view::View;
use twinlock_pair::view::{Instance, Job, PrimaryFacts, RegisterKnowledge};

use super::shared::{Shared, eprint_line};
use crate::config::{MemberConfig, read_json, write_json};
use crate::events;

/// How recently the other member must have been heard to count as up.
const PEER_FRESH: Duration = Duration::from_millis(2_000);

/// What was told last.
pub(super) struct Story {
    path: PathBuf,
    kind: PairKind,
    member: String,
    release: String,
    file: PathBuf,
    told: Told,
    last: Option<Words>,
}

/// What must survive a restart of the agent, so that nothing is told twice.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    pair_state: PairState,
}

/// The words for what the instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Words {
    server: ServerState,
    database: DatabaseState,
    updatable: Updatable,
    rep_agent: RepAgentState,
    rep_scheme: RepScheme,
    rep_state: RepState,
}

impl Story {
    pub(super) fn new(config: &MemberConfig, release: String) -> Story {
        let file = config.home.join("told.json");
        Story {
            path: config.events(),
            kind: config.kind,
            member: config.member.clone(),
            release,
            told: read_json(&file).unwrap_or(Told { pair_state: PairState::Initializing }),
            file,
            last: None,
        }
    }

    /// The agent is up.
    pub(super) fn begin(&mut self) {
        let at = OffsetDateTime::now_utc();
        self.write(&Event::agent(at, self.kind, &self.member, AgentState::Up));
        self.write(&Event::release(at, self.kind, &self.member, &self.release));
    }

    /// The database was created.
    pub(super) fn created(&mut self) {
        let text = format!("{} {} database created", self.kind.member_word(), self.member);
        self.write(&Event::new(OffsetDateTime::now_utc(), EventType::Normal, EventReason::Create, text));
    }

    /// The state of the pair as this member sees it.
    pub(super) fn pair_state(&self) -> PairState {
        self.told.pair_state
    }

    fn write(&self, event: &Event) {
        if let Err(error) = events::append(&self.path, event) {
            eprint_line(&error.line());
        }
    }

    fn words(&mut self, now: Words) {
        let at = OffsetDateTime::now_utc();
        let (kind, member) = (self.kind, self.member.clone());
        let last = self.last.replace(now);
        let differs = |same: fn(&Words, &Words) -> bool| last.as_ref().is_none_or(|last| !same(last, &now));
        if differs(|a, b| a.server == b.server) {
            self.write(&Event::server(at, kind, &member, now.server));
        }
        if differs(|a, b| a.database == b.database) {
            self.write(&Event::database(at, kind, &member, now.database));
        }
        if differs(|a, b| a.updatable == b.updatable) && now.database == DatabaseState::Loaded {
            self.write(&Event::updatable(at, kind, &member, now.updatable));
        }
        if differs(|a, b| a.rep_scheme == b.rep_scheme) {
            self.write(&Event::rep_scheme(at, kind, &member, now.rep_scheme));
        }
        if differs(|a, b| a.rep_agent == b.rep_agent) {
            self.write(&Event::rep_agent(at, kind, &member, now.rep_agent));
        }
        if differs(|a, b| a.rep_state == b.rep_state) {
            self.write(&Event::rep_state(at, kind, &member, now.rep_state));
        }
    }

    fn state(&mut self, now: PairState, tells: bool) {
        let was = self.told.pair_state;
        if was == now {
            return;
        }
        self.told.pair_state = now;
        if let Err(error) = write_json(&self.file, &self.told) {
            eprint_line(&error.line());
        }
        if tells {
            self.write(&Event::pair_state(OffsetDateTime::now_utc(), self.kind, was, now));
        }
    }
}

/// Writes the events of what changed since the last look.
pub(super) fn tell(shared: &Shared, view: &View) {
    let state = pair_state(shared, view);
    let words = words(view);
    let mut story = shared.story.borrow_mut();
    story.words(words);
    let active = is_active(view);
    let tells = (active && view.holds_lease())
        || (!active && state == PairState::ActiveDown)
        || matches!(state, PairState::Failed | PairState::ManualInterventionRequired);
    story.state(state, tells);
}

fn is_active(view: &View) -> bool {
    matches!(&view.register, RegisterKnowledge::Read { reading, .. } if reading.register.active == view.me)
}

fn words(view: &View) -> Words {
    let stopped = Words {
        server: ServerState::Down,
        database: DatabaseState::Unloaded,
        updatable: Updatable::Unknown,
        rep_agent: RepAgentState::NotRunning,
        rep_scheme: RepScheme::None,
        rep_state: RepState::Idle,
    };
    match &view.instance {
        Instance::Absent => Words { database: DatabaseState::None, ..stopped },
        Instance::Stopped { .. } => stopped,
        Instance::Starting => Words { server: ServerState::Up, database: DatabaseState::Loading, ..stopped },
        Instance::Unresponsive { .. } => {
            Words { server: ServerState::Unknown, database: DatabaseState::Unknown, ..stopped }
        }
        Instance::Standby(facts) => Words {
            server: ServerState::Up,
            database: DatabaseState::Loaded,
            updatable: Updatable::No,
            rep_agent: if facts.streaming { RepAgentState::Running } else { RepAgentState::NotRunning },
            rep_scheme: RepScheme::Exists,
            rep_state: if facts.streaming { RepState::Standby } else { RepState::Idle },
        },
        Instance::Primary(facts) => Words {
            server: ServerState::Up,
            database: DatabaseState::Loaded,
            updatable: Updatable::Yes,
            rep_agent: if facts.sender.is_some() {
                RepAgentState::Running
            } else {
                RepAgentState::NotRunning
            },
            rep_scheme: RepScheme::Exists,
            rep_state: if facts.gate_open { RepState::Active } else { RepState::Idle },
        },
    }
}

fn pair_state(shared: &Shared, view: &View) -> PairState {
    let previous = shared.story.borrow().pair_state();
    if shared.creation_failed.borrow().is_some() {
        return PairState::Failed;
    }
    let reading = match &view.register {
        RegisterKnowledge::Refused { .. } => return PairState::ManualInterventionRequired,
        RegisterKnowledge::Unread => return previous,
        RegisterKnowledge::Read { reading, .. } => reading,
    };
    let state = if reading.register.active == view.me {
        seen_by_active(view, reading.register.in_sync(&view.peer))
    } else {
        seen_by_standby(view, reading.register.in_sync(&view.me))
    };
    if previous == PairState::Initializing && state != PairState::Normal {
        return PairState::Initializing;
    }
    state
}

fn seen_by_active(view: &View, in_sync: bool) -> PairState {
    let peer_up = view.fresh_peer(PEER_FRESH).is_some_and(|peer| !peer.stopping);
    match &view.instance {
        Instance::Primary(facts) if facts.gate_open && view.holds_lease() => serving(facts, in_sync, peer_up),
        Instance::Standby(_) => PairState::ActiveTakeover,
        Instance::Primary(_) if view.holds_lease() => PairState::ConfiguringActive,
        _ if view.job == Some(Job::Promote) => PairState::ActiveTakeover,
        _ if view.job == Some(Job::Start) => PairState::ConfiguringActive,
        _ if !view.holds_lease() && peer_up => PairState::ActiveDown,
        _ if !view.holds_lease() => PairState::WaitingForActive,
        _ => PairState::ActiveDown,
    }
}

fn serving(facts: &PrimaryFacts, in_sync: bool, peer_up: bool) -> PairState {
    match (&facts.sender, in_sync) {
        (Some(sender), true) if sender.streaming => PairState::Normal,
        (Some(_), false) => PairState::StandbyCatchup,
        _ if peer_up && !in_sync => PairState::StandbyStarting,
        _ => PairState::StandbyDown,
    }
}

fn seen_by_standby(view: &View, in_sync: bool) -> PairState {
    let peer = view.fresh_peer(PEER_FRESH);
    let open = peer.is_some_and(|peer| peer.primary_open);
    match &view.instance {
        Instance::Standby(facts) if open && facts.streaming && in_sync => PairState::Normal,
        Instance::Standby(facts) if open && facts.streaming => PairState::StandbyCatchup,
        _ if open => PairState::StandbyStarting,
        _ => PairState::ActiveDown,
    }
}
