//! Long steps, one at a time, beside the loop.

use std::fs;
use std::rc::Rc;
use std::time::Duration;

use twinlock_manifest::metadata::{AdminUser, Schema};
use twinlock_pair::Action;
use twinlock_pair::register::Change;
use twinlock_pair::view::Job;
use twinlock_postgres::{
    BootstrapPlan, Gate, InitOptions, Lsn, PostgresError, StopMode, Synchronous, admission,
};
use zeroize::Zeroizing;

use super::act::make;
use super::settings::{REPLICATION_ROLE, Wanted};
use super::shared::{GateState, Shared, eprint_line};
use crate::clock::now;
use crate::error::AgentError;

/// How long recovery may take before a start counts as failed.
const RECOVERY: Duration = Duration::from_secs(3_600);
/// How long a standby may take to replay what it received before it opens.
const REPLAY: Duration = Duration::from_secs(600);
/// How long the end of recovery may take.
const PROMOTION: Duration = Duration::from_secs(60);
/// How long an instance may take to stop in order.
const STOP: Duration = Duration::from_secs(20);
/// How long commits may wait while a standby is admitted.
const ADMISSION: Duration = Duration::from_secs(2);
/// How long the schema script may take.
const SCRIPT: Duration = Duration::from_secs(3_600);

/// Begins the job for `action`.
pub(super) fn start(shared: &Rc<Shared>, action: &Action) {
    let job = match action {
        Action::Initialise => Job::Initialise,
        Action::StartPrimary | Action::StartStandby => Job::Start,
        Action::StopFast => Job::Stop,
        Action::Promote => Job::Promote,
        Action::ShowWaits => Job::Admit,
        Action::BaseBackup => Job::BaseBackup,
        Action::Rewind => Job::Rewind,
        _ => return,
    };
    shared.job.set(Some((job, now())));
    shared.job_percent.set(None);
    let action = action.clone();
    let shared = Rc::clone(shared);
    tokio::task::spawn_local(async move {
        match run(&shared, &action).await {
            Ok(()) => shared.succeeded(action.name()),
            Err(error) => failed(&shared, &action, &error).await,
        }
        shared.job.set(None);
        shared.wake.notify_one();
    });
}

async fn run(shared: &Rc<Shared>, action: &Action) -> Result<(), AgentError> {
    match action {
        Action::Initialise => initialise(shared).await,
        Action::StartPrimary => start_primary(shared).await,
        Action::StartStandby => start_standby(shared).await,
        Action::StopFast => stop(shared).await,
        Action::Promote => promote(shared).await,
        Action::ShowWaits => show_waits(shared).await,
        Action::BaseBackup => base_backup(shared).await,
        Action::Rewind => rewind(shared).await,
        _ => Ok(()),
    }
}

async fn failed(shared: &Shared, action: &Action, error: &AgentError) {
    shared.failed(action.name(), error);
    match action {
        Action::Initialise => {
            drop(shared.instance.stop(StopMode::Immediate, STOP).await);
            drop(shared.disarm_guard());
            // Nothing was acknowledged to anybody yet: a half-made database is of no use.
            drop(fs::remove_dir_all(shared.instance.data()));
            *shared.creation_failed.borrow_mut() = Some(error.line());
        }
        Action::Rewind => {
            let later = matches!(error, AgentError::Postgres(PostgresError::UpstreamNotReady { .. }));
            shared.rewind_failed.set(!later);
        }
        _ => {}
    }
}

/// Creates the first member's database: server, roles, database, schema, and says so in the register.
async fn initialise(shared: &Rc<Shared>) -> Result<(), AgentError> {
    let plan = bootstrap_plan(shared)?;
    if !shared.instance.is_initialised() {
        let options = init_options(&shared.config.encoding);
        shared.instance.initialise(&options).await?;
    }
    if shared.instance.adopt()?.is_none() {
        begin_primary(shared).await?;
    }
    // Nobody else is in the in-sync set of a new pair.
    shared.instance.set_synchronous(&Synchronous::Alone)?;
    shared.instance.bootstrap(&plan).await?;
    shared.set_gate(GateState { open: false, position: None })?;
    make(shared, &Change::Initialised { member: shared.me.clone() }).await?;
    remove_admin_password(shared);
    shared.story.borrow_mut().created();
    checkpoint_later(shared);
    Ok(())
}

/// A locale other than `C` fixes the encoding.
fn init_options(encoding: &str) -> InitOptions {
    let locale = if encoding == "UTF8" { "C.UTF-8" } else { "C" };
    InitOptions { encoding: encoding.to_owned(), locale: locale.to_owned() }
}

fn bootstrap_plan(shared: &Shared) -> Result<BootstrapPlan, AgentError> {
    let directory = shared.config.metadata();
    let path = directory.join("adminUser");
    let text = Zeroizing::new(fs::read_to_string(&path).map_err(AgentError::file("read", &path))?);
    let unusable = |error: twinlock_manifest::ManifestError| AgentError::Unusable(error.to_string());
    let admin = AdminUser::parse(&text, "adminUser").map_err(unusable)?;
    let path = directory.join("schema.sql");
    let statements = if path.exists() {
        let text = fs::read_to_string(&path).map_err(AgentError::file("read", &path))?;
        let schema = Schema::read(&text, "schema.sql").map_err(unusable)?;
        schema
            .statements()
            .iter()
            .map(|statement| (usize::try_from(statement.line).unwrap_or(usize::MAX), statement.sql.clone()))
            .collect()
    } else {
        Vec::new()
    };
    Ok(BootstrapPlan {
        replication_role: REPLICATION_ROLE.to_owned(),
        admin_user: Some(admin.name().to_owned()),
        admin_password: Some(Zeroizing::new(admin.password().expose().to_owned())),
        database: Some(shared.config.database.clone()),
        statements,
        script_bound: SCRIPT,
    })
}

/// The password was needed once; the server has a verifier of it.
fn remove_admin_password(shared: &Shared) {
    let path = shared.config.metadata().join("adminUser");
    if let Err(error) = fs::remove_file(&path) {
        eprint_line(&format!("cannot remove {}: {error}", path.display()));
    }
}

/// Starts in place with the gate closed: recovery may have made visible what was never replicated.
async fn start_primary(shared: &Shared) -> Result<(), AgentError> {
    begin_primary(shared).await?;
    let seen = shared.session.observe(ADMISSION).await?;
    let position = seen.flush_lsn.map(|Lsn(position)| position);
    shared.set_gate(GateState { open: false, position })
}

async fn begin_primary(shared: &Shared) -> Result<(), AgentError> {
    shared.set_gate(GateState { open: false, position: Some(u64::MAX) })?;
    shared.instance.configure(&shared.settings(Wanted::Primary, Gate::Closed), &shared.tls_files())?;
    shared.arm_guard()?;
    let running = shared.instance.start().await?;
    *shared.running.borrow_mut() = Some(running);
    Ok(shared.instance.wait_ready(RECOVERY).await?)
}

async fn start_standby(shared: &Shared) -> Result<(), AgentError> {
    shared.instance.configure(&shared.settings(Wanted::Standby, Gate::Open), &shared.tls_files())?;
    shared.disarm_guard()?;
    let running = shared.instance.start().await?;
    *shared.running.borrow_mut() = Some(running);
    Ok(shared.instance.wait_ready(RECOVERY).await?)
}

async fn stop(shared: &Shared) -> Result<(), AgentError> {
    if shared.observation.borrow().as_ref().is_some_and(|seen| !seen.in_recovery) {
        // Most of the work of the shutdown checkpoint is done while clients still commit.
        drop(shared.session.checkpoint(STOP).await);
    }
    shared.instance.stop(StopMode::Fast, STOP).await?;
    shared.disarm_guard()
}

/// The register says that this member is active: replay what was received, then open.
async fn promote(shared: &Rc<Shared>) -> Result<(), AgentError> {
    shared.instance.stop_receiving(ADMISSION).await?;
    let seen = shared.session.observe(ADMISSION).await?;
    if let Some(received) = seen.receive_lsn {
        shared.instance.replayed_to(received, REPLAY).await?;
    }
    shared.set_gate(GateState { open: true, position: None })?;
    shared.arm_guard()?;
    // Only this member is in the in-sync set since it took over.
    shared.instance.set_synchronous(&Synchronous::Alone)?;
    shared.instance.promote(PROMOTION).await?;
    shared.instance.configure(&shared.settings(Wanted::Primary, Gate::Open), &shared.tls_files())?;
    shared.instance.reload()?;
    checkpoint_later(shared);
    Ok(())
}

/// The checkpoint that a rewind of the other member needs.
fn checkpoint_later(shared: &Rc<Shared>) {
    let shared = Rc::clone(shared);
    tokio::task::spawn_local(async move {
        let done = shared.session.checkpoint(REPLAY).await;
        match (done, shared.session.observe(ADMISSION).await) {
            (Ok(()), Ok(seen)) if !seen.in_recovery => shared.checkpointed_timeline.set(Some(seen.timeline)),
            _ => eprint_line(
                "the checkpoint after the promotion failed; the other member waits for the next one",
            ),
        }
    });
}

/// Shows that commits wait, then names the peer, which is not relied upon yet.
async fn show_waits(shared: &Shared) -> Result<(), AgentError> {
    let Some(reading) = shared.reading() else { return Ok(()) };
    let probe = admission::show_commits_wait(&shared.instance, ADMISSION).await?;
    shared.instance.set_synchronous(&Synchronous::Standby(shared.config.peer.name.clone()))?;
    probe.released(ADMISSION).await?;
    shared.waits_shown.set(Some(reading.register.revision));
    Ok(())
}

async fn base_backup(shared: &Rc<Shared>) -> Result<(), AgentError> {
    let settings = shared.settings(Wanted::Standby, Gate::Open);
    let tls = shared.tls_files();
    shared.instance.configure(&settings, &tls)?;
    let progress = |progress: twinlock_postgres::Progress| {
        let percent = progress.done_kib.saturating_mul(100) / progress.total_kib.max(1);
        shared.job_percent.set(u8::try_from(percent.min(100)).ok());
    };
    shared.instance.base_backup(&shared.upstream(), &settings, &tls, progress).await?;
    shared.rewind_failed.set(false);
    Ok(())
}

async fn rewind(shared: &Shared) -> Result<(), AgentError> {
    let settings = shared.settings(Wanted::Standby, Gate::Open);
    let tls = shared.tls_files();
    shared.instance.configure(&shared.settings(Wanted::Primary, Gate::Closed), &tls)?;
    let outcome = shared.instance.rewind(&shared.upstream(), &settings, &tls).await?;
    eprint_line(&format!("rewind: {outcome:?}"));
    Ok(())
}
