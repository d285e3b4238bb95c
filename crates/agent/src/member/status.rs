//! What the agent says of its member.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use twinlock_pair::view::{Instance as Seen, Synchronous};
use twinlock_postgres::{Observation, Sender, handshake};

use super::observe;
use super::shared::Shared;
use crate::api::{
    CertificateStatus, InstanceState, InstanceStatus, JobStatus, MemberStatus, Receiver, ServerTls, Tls,
    Transmitter,
};
use crate::clock::now;

/// How long the handshake with the peer's server may take.
const HANDSHAKE: Duration = Duration::from_secs(2);

pub(super) async fn status(shared: &Shared, with_handshake: bool) -> MemberStatus {
    let view = observe::observe(shared).await;
    let observation = shared.observation.borrow().clone();
    let mut receiver = observation.as_ref().and_then(|seen| receiver(shared, seen));
    if let (true, Some(receiver)) = (with_handshake, receiver.as_mut()) {
        receiver.server = server_tls(shared).await;
    }
    let leaf = shared.credential.leaf();
    MemberStatus {
        pair: shared.config.pair.clone(),
        member: shared.config.member.clone(),
        agent_pid: std::process::id(),
        guard_pid: shared.guard_pid.get(),
        agent_started: shared.started_at,
        release: shared.instance.installation().version().to_string(),
        pair_state: shared.story.borrow().pair_state(),
        because: shared.because.borrow().clone(),
        last_error: shared.last_error.borrow().clone(),
        register: shared.reading(),
        lease_remaining_ms: shared.lease_until.get().map_or(0, |until| until.0.saturating_sub(now().0)),
        instance: instance(shared, &view.instance, observation.as_ref()),
        job: shared.job.get().map(|(job, since)| JobStatus {
            job,
            elapsed_seconds: now().since(since).as_secs_f64(),
            percent: shared.job_percent.get(),
        }),
        order: shared.order.get(),
        transmitters: observation.iter().flat_map(|seen| transmitters(shared, seen)).collect(),
        receiver,
        certificate: Some(CertificateStatus {
            subject: leaf.subject(),
            serial: leaf.serial_hex(),
            not_after: leaf.not_after(),
        }),
    }
}

fn instance(shared: &Shared, seen: &Seen, observation: Option<&Observation>) -> InstanceStatus {
    let state = match seen {
        Seen::Absent => InstanceState::Absent,
        Seen::Stopped { .. } => InstanceState::Stopped,
        Seen::Starting => InstanceState::Starting,
        Seen::Unresponsive { .. } => InstanceState::Unresponsive,
        Seen::Standby(_) => InstanceState::Standby,
        Seen::Primary(_) => InstanceState::Primary,
    };
    let synchronous: Option<Synchronous> = match seen {
        Seen::Primary(facts) => Some(facts.synchronous),
        _ => None,
    };
    InstanceStatus {
        state,
        postmaster_pid: shared.running.borrow().as_ref().map(|running| running.pid()),
        timeline: observation.map(|seen| seen.timeline),
        system_identifier: observation.map(|seen| seen.system_identifier),
        gate_open: state == InstanceState::Primary && shared.gate().open,
        synchronous,
        flush_lsn: observation.and_then(|seen| seen.flush_lsn).map(|lsn| lsn.0),
        receive_lsn: observation.and_then(|seen| seen.receive_lsn).map(|lsn| lsn.0),
        replay_lsn: observation.and_then(|seen| seen.replay_lsn).map(|lsn| lsn.0),
        replay_lag_seconds: observation.and_then(|seen| seen.replay_lag_seconds),
    }
}

fn transmitters(shared: &Shared, seen: &Observation) -> Vec<Transmitter> {
    let flushed = seen.flush_lsn;
    let peer = &shared.config.peer.name;
    let ours = seen.senders.iter().filter(|sender| sender.application_name == *peer);
    ours.map(|sender| transmitter(sender, flushed.map(|lsn| lsn.0))).collect()
}

fn transmitter(sender: &Sender, flushed: Option<u64>) -> Transmitter {
    let confirmed = sender.flush_lsn.map(|lsn| lsn.0);
    Transmitter {
        member: sender.application_name.clone(),
        pid: sender.pid,
        client_addr: sender.client_addr.clone(),
        client_port: sender.client_port,
        state: sender.state.clone(),
        sync_state: sender.sync_state.clone(),
        flush_lsn: confirmed,
        replay_lsn: sender.replay_lsn.map(|lsn| lsn.0),
        lag_bytes: flushed.zip(confirmed).map(|(here, there)| here.saturating_sub(there)),
        lag_seconds: sender.flush_lag_seconds,
        tls: sender.tls.as_ref().map(|tls| Tls {
            protocol: tls.version.clone(),
            cipher: tls.cipher.clone(),
            peer_subject: tls.client_dn.clone(),
            peer_serial: tls.client_serial.clone(),
        }),
    }
}

fn receiver(shared: &Shared, seen: &Observation) -> Option<Receiver> {
    let receiver = seen.receiver.as_ref()?;
    let local = receiver.port.and_then(|port| local_end(shared, port));
    Some(Receiver {
        state: receiver.status.clone(),
        sender_host: receiver.host.clone(),
        sender_port: receiver.port,
        local_addr: local.map(|(address, _)| address.to_string()),
        local_port: local.map(|(_, port)| port),
        server: None,
    })
}

/// This end of the connection to `remote_port`, held by a process of the instance: PostgreSQL's own views
/// do not show it on a standby.
fn local_end(shared: &Shared, remote_port: u16) -> Option<(std::net::Ipv4Addr, u16)> {
    let processes = twinlock_postgres::processes_of(shared.instance.data()).ok()?;
    let sockets: Vec<u64> = processes.iter().flat_map(|pid| sockets_of(*pid)).collect();
    let table = fs::read_to_string("/proc/self/net/tcp").ok()?;
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, remote, inode) = (fields.get(1)?, fields.get(2)?, fields.get(9)?.parse::<u64>().ok()?);
        let (_, port) = end_of(remote)?;
        (port == remote_port && sockets.contains(&inode)).then(|| end_of(local))?
    })
}

fn end_of(text: &str) -> Option<(std::net::Ipv4Addr, u16)> {
    let (address, port) = text.split_once(':')?;
    let address = u32::from_str_radix(address, 16).ok()?;
    Some((std::net::Ipv4Addr::from(address.swap_bytes()), u16::from_str_radix(port, 16).ok()?))
}

fn sockets_of(pid: u32) -> Vec<u64> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
    let links = entries.flatten().filter_map(|entry| fs::metadata(entry.path()).ok());
    links.map(|link| link.ino()).collect()
}

async fn server_tls(shared: &Shared) -> Option<ServerTls> {
    let upstream = shared.upstream();
    let address = std::net::SocketAddr::new(upstream.hostaddr, upstream.port);
    let seen = handshake(address, &upstream.host_name, &shared.tls_files(), HANDSHAKE).await.ok()?;
    Some(ServerTls {
        protocol: seen.protocol.to_string(),
        cipher: seen.cipher.to_string(),
        subject: seen.subject.to_string(),
        serial: seen.serial.to_string(),
        verified: seen.verified,
    })
}
