//! The witness: keeps the register of every pair, durably, and answers members over mutual TLS.
//!
//! | method, path | body | answer |
//! |---|---|---|
//! | `GET /v1/register/PAIR[?after=REVISION]` | – | `Reading`; with `after` it waits for a change, a second at most |
//! | `PUT /v1/register/PAIR` | `Register` | `Reading`: a person's seed |
//! | `DELETE /v1/register/PAIR` | – | whether there was one |
//! | `POST /v1/register/PAIR/change` | [`ChangeRequest`] | `Reading` |
//! | `POST /v1/register/PAIR/renew` | [`RenewRequest`] | `Reading` |
//!
//! A refusal is `409` with `Refusal` as JSON.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use hyper::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::timeout;
use twinlock_pair::ledger::{Ledger, Reading, Refusal};
use twinlock_pair::register::{Change, MemberName, Register};

use crate::clock::now;
use crate::config::{WitnessConfig, read_json, write_json};
use crate::error::AgentError;
use crate::http::{self, Call, Reply};
use crate::lock::Lock;
use crate::process;
use crate::tls::Control;

/// How long a watcher waits at most.
const WATCH: Duration = Duration::from_secs(1);

/// A compare-and-swap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeRequest {
    /// Revision that the member saw.
    pub expected: u64,
    /// What it wants.
    pub change: Change,
}

/// A renewal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RenewRequest {
    /// Who holds the lease.
    pub member: MemberName,
    /// In which generation.
    pub generation: u64,
}

/// Runs the witness until it is killed.
///
/// # Errors
/// When its configuration, wallet or durable file cannot be used, the port is taken, or another witness runs on
/// the same file. A damaged file is never replaced: a person must look.
pub fn run(config: &Path) -> Result<(), AgentError> {
    let config = WitnessConfig::read(config)?;
    process::detach();
    let _lock = Lock::take(&config.lock)?;
    let control = Control::open(&config.control_wallet)?;
    let registers: BTreeMap<String, Register> =
        if config.file.exists() { read_json(&config.file)? } else { BTreeMap::new() };
    let lease = Duration::from_millis(config.lease_ms);
    let ledger = Ledger::load(registers, lease, now());
    process::runtime()?.block_on(tokio::task::LocalSet::new().run_until(async move {
        let listener = http::listen(config.listen).await?;
        let witness = Rc::new(Witness::new(ledger, config.file));
        http::serve(listener, control, move |call| {
            let witness = Rc::clone(&witness);
            async move { witness.answer(&call).await }
        })
        .await;
        Ok(())
    }))
}

struct Witness {
    ledger: RefCell<Ledger>,
    file: PathBuf,
    changed: watch::Sender<()>,
}

impl Witness {
    fn new(ledger: Ledger, file: PathBuf) -> Witness {
        Witness { ledger: RefCell::new(ledger), file, changed: watch::Sender::new(()) }
    }

    async fn answer(&self, call: &Call) -> Reply {
        let mut parts = call.path.trim_start_matches('/').split('/');
        let (Some("v1"), Some("register"), Some(pair)) = (parts.next(), parts.next(), parts.next()) else {
            return Reply::not_found();
        };
        match (&call.method, parts.next()) {
            (&Method::GET, None) => self.read(pair, call.query.as_deref()).await,
            (&Method::PUT, None) => match call.json() {
                Ok(register) => self.durably(|ledger| ledger.seed(pair, register, now())),
                Err(reply) => reply,
            },
            (&Method::DELETE, None) => self.durably(|ledger| Ok(ledger.forget(pair))),
            (&Method::POST, Some("change")) => match call.json::<ChangeRequest>() {
                Ok(request) => {
                    self.durably(|ledger| ledger.change(pair, request.expected, &request.change, now()))
                }
                Err(reply) => reply,
            },
            (&Method::POST, Some("renew")) => match call.json::<RenewRequest>() {
                Ok(request) => {
                    let renewed =
                        self.ledger.borrow_mut().renew(pair, &request.member, request.generation, now());
                    told(renewed)
                }
                Err(reply) => reply,
            },
            _ => Reply::not_found(),
        }
    }

    /// A change: written to disk before it is answered, and not made at all if it cannot be written.
    fn durably<T: Serialize>(&self, change: impl FnOnce(&mut Ledger) -> Result<T, Refusal>) -> Reply {
        let mut next = self.ledger.borrow().clone();
        let answer = match change(&mut next) {
            Ok(answer) => answer,
            Err(refusal) => return refused(&refusal),
        };
        if let Err(error) = write_json(&self.file, next.registers()) {
            return Reply::refused(StatusCode::INTERNAL_SERVER_ERROR, &error.line());
        }
        *self.ledger.borrow_mut() = next;
        self.changed.send_replace(());
        Reply::ok(&answer)
    }

    async fn read(&self, pair: &str, query: Option<&str>) -> Reply {
        let after =
            query.and_then(|query| query.strip_prefix("after=")).and_then(|text| text.parse::<u64>().ok());
        let mut changed = self.changed.subscribe();
        let first = self.ledger.borrow().read(pair, now());
        let (Ok(reading), Some(revision)) = (&first, after) else { return told(first) };
        if reading.register.revision != revision || reading.lease_free() {
            return told(first);
        }
        let lapse = Duration::from_millis(reading.lease_remaining_ms.max(reading.embargo_remaining_ms) + 1);
        // Either a change or the lapse of the lease ends the wait; which of them is seen by reading again.
        drop(timeout(lapse.min(WATCH), changed.changed()).await);
        told(self.ledger.borrow().read(pair, now()))
    }
}

fn told(result: Result<Reading, Refusal>) -> Reply {
    match result {
        Ok(reading) => Reply::ok(&reading),
        Err(refusal) => refused(&refusal),
    }
}

fn refused(refusal: &Refusal) -> Reply {
    Reply::json(StatusCode::CONFLICT, refusal)
}
