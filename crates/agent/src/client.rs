//! How the command line, agents and witness call each other.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use hyper::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use twinlock_pair::Register;
use twinlock_pair::ledger::{Reading, Refusal};
use twinlock_pair::register::{Change, MemberName};
use twinlock_pair::view::{Order, PeerReport};

use crate::api::{MemberStatus, PromiseAnswer, PromiseRequest};
use crate::error::AgentError;
use crate::http::Channel;
use crate::tls::Control;
use crate::witness::{ChangeRequest, RenewRequest};

/// How long a call may take.
const BOUND: Duration = Duration::from_secs(2);

/// Calls one agent.
#[derive(Debug)]
pub struct AgentClient {
    channel: Channel,
}

impl AgentClient {
    /// A client of the agent at `address`; connects at the first call.
    ///
    /// # Errors
    /// When the control wallet cannot be used.
    pub fn new(address: SocketAddr, control_wallet: &Path) -> Result<AgentClient, AgentError> {
        Ok(AgentClient::with(address, Control::open(control_wallet)?))
    }

    pub(crate) fn with(address: SocketAddr, control: Control) -> AgentClient {
        AgentClient { channel: Channel::new(address, control) }
    }

    /// Everything the agent knows of its member.
    ///
    /// # Errors
    /// When it cannot be reached or does not answer in time.
    pub async fn status(&self, handshake: bool) -> Result<MemberStatus, AgentError> {
        let (path, bound) =
            if handshake { ("/v1/status?handshake", 3 * BOUND) } else { ("/v1/status", BOUND) };
        call(&self.channel, Method::GET, path, &(), bound).await
    }

    /// What the agent says to its peer.
    ///
    /// # Errors
    /// As [`AgentClient::status`].
    pub async fn report(&self) -> Result<PeerReport, AgentError> {
        call(&self.channel, Method::GET, "/v1/report", &(), Duration::from_millis(800)).await
    }

    /// Gives a person's order.
    ///
    /// # Errors
    /// As [`AgentClient::status`]; and when the agent refuses.
    pub async fn order(&self, order: Order) -> Result<(), AgentError> {
        call::<_, serde_json::Value>(&self.channel, Method::POST, "/v1/order", &order, BOUND).await?;
        Ok(())
    }

    /// Asks a standby not to seek the lease for a while.
    ///
    /// # Errors
    /// As [`AgentClient::status`]; and when it refuses.
    pub async fn promise(&self, request: &PromiseRequest) -> Result<PromiseAnswer, AgentError> {
        call(&self.channel, Method::POST, "/v1/promise", request, Duration::from_millis(800)).await
    }
}

/// Calls the witness.
#[derive(Debug)]
pub struct WitnessClient {
    channel: Channel,
}

impl WitnessClient {
    /// A client of the witness at `address`; connects at the first call.
    ///
    /// # Errors
    /// When the control wallet cannot be used.
    pub fn new(address: SocketAddr, control_wallet: &Path) -> Result<WitnessClient, AgentError> {
        Ok(WitnessClient::with(address, Control::open(control_wallet)?))
    }

    pub(crate) fn with(address: SocketAddr, control: Control) -> WitnessClient {
        WitnessClient { channel: Channel::new(address, control) }
    }

    /// What the pair's register says.
    ///
    /// # Errors
    /// When the witness cannot be reached, or has no such register.
    pub async fn read(&self, pair: &str) -> Result<Reading, AgentError> {
        call(&self.channel, Method::GET, &format!("/v1/register/{pair}"), &(), BOUND).await
    }

    /// Waits at the witness until the register differs from `revision` or the lease is free, for a second at most.
    ///
    /// # Errors
    /// As [`WitnessClient::read`].
    pub async fn watch(&self, pair: &str, revision: u64) -> Result<Reading, AgentError> {
        let path = format!("/v1/register/{pair}?after={revision}");
        call(&self.channel, Method::GET, &path, &(), BOUND).await
    }

    /// Creates the pair's register.
    ///
    /// # Errors
    /// As [`WitnessClient::read`]; and when there is one already.
    pub async fn seed(&self, pair: &str, register: &Register) -> Result<Reading, AgentError> {
        call(&self.channel, Method::PUT, &format!("/v1/register/{pair}"), register, BOUND).await
    }

    /// Forgets the pair's register; says whether there was one.
    ///
    /// # Errors
    /// When the witness cannot be reached.
    pub async fn forget(&self, pair: &str) -> Result<bool, AgentError> {
        call(&self.channel, Method::DELETE, &format!("/v1/register/{pair}"), &(), BOUND).await
    }

    pub(crate) async fn change(
        &self,
        pair: &str,
        expected: u64,
        change: &Change,
    ) -> Result<Reading, AgentError> {
        let request = ChangeRequest { expected, change: change.clone() };
        call(&self.channel, Method::POST, &format!("/v1/register/{pair}/change"), &request, BOUND).await
    }

    pub(crate) async fn renew(
        &self,
        pair: &str,
        member: &MemberName,
        generation: u64,
        bound: Duration,
    ) -> Result<Reading, AgentError> {
        let request = RenewRequest { member: member.clone(), generation };
        call(&self.channel, Method::POST, &format!("/v1/register/{pair}/renew"), &request, bound).await
    }
}

async fn call<B: Serialize, T: DeserializeOwned>(
    channel: &Channel,
    method: Method,
    path: &str,
    body: &B,
    bound: Duration,
) -> Result<T, AgentError> {
    let body = if method == Method::GET || method == Method::DELETE {
        Vec::new()
    } else {
        serde_json::to_vec(body).map_err(|cause| AgentError::Unusable(cause.to_string()))?
    };
    let (status, body) = channel.call(method, path, body, bound).await?;
    if status == StatusCode::CONFLICT
        && let Ok(cause) = serde_json::from_slice::<Refusal>(&body)
    {
        return Err(AgentError::Refused { cause });
    }
    let answered = |body: &[u8]| AgentError::Answered {
        address: channel.address(),
        status: status.as_u16(),
        body: String::from_utf8_lossy(body).into_owned(),
    };
    if !status.is_success() {
        return Err(answered(&body));
    }
    serde_json::from_slice(&body).map_err(|_| answered(&body))
}
