//! The state of the server.

use std::time::SystemTime;

use super::v1;
use crate::operation::{LeaseStatus, ServerRole, StatusReply, StoreState, TransportStatus};
use crate::wire::NotAReply;

/// The message of the server's state.
pub(super) fn status_response(status: &StatusReply) -> v1::GetStatusResponse {
    let transport = |transport: &TransportStatus| v1::TransportStatus {
        name: transport.name.clone(),
        open_connections: count(transport.open),
        total_connections: count(transport.total),
    };
    // No time of a transaction is longer than a message can say.
    let duration = |time| prost_types::Duration::try_from(time).ok();
    v1::GetStatusResponse {
        version: status.version.clone(),
        commit: status.commit.clone(),
        schema_version: i32::try_from(status.schema).unwrap_or(i32::MAX),
        start_time: Some(status.started_at.into()),
        address: status.address.clone(),
        transports: status.transports.iter().map(transport).collect(),
        watchers: count(status.watchers),
        products: count(status.products),
        last_sequence: status.last_sequence,
        store_state: match status.store {
            StoreState::Open => v1::StoreState::Open,
            StoreState::Refusing => v1::StoreState::Refusing,
            StoreState::InDoubt => v1::StoreState::InDoubt,
            StoreState::Stopped => v1::StoreState::Stopped,
            StoreState::StandsBy => v1::StoreState::StandsBy,
        }
        .into(),
        last_store_error: status
            .last_error
            .as_ref()
            .map(|(kind, at)| v1::StoreError { kind: kind.clone(), time: Some((*at).into()) }),
        database_bytes: count(status.database_bytes),
        log_bytes: count(status.log_bytes),
        answered_requests: count(status.requests),
        waiting_changes: count(status.waiting_changes),
        commits: count(status.commits),
        commit_median: status.commit_median.and_then(duration),
        commit_p99: status.commit_p99.and_then(duration),
        label_masks: status.label_masks.iter().map(ToString::to_string).collect(),
        lease: status.lease.as_ref().map(|lease| v1::ShopLease {
            role: match lease.role {
                ServerRole::StandsBy => v1::ServerRole::StandsBy,
                ServerRole::Elected => v1::ServerRole::Elected,
                ServerRole::Writes => v1::ServerRole::Writes,
                ServerRole::Leaves => v1::ServerRole::Leaves,
            }
            .into(),
            epoch: lease.epoch,
            age: lease.age.and_then(duration),
            holder: lease.holder.clone().unwrap_or_default(),
            reconnections: count(lease.reconnections),
            synchronous_standbys: lease.synchronous_standbys.map(count),
            replication_lag_bytes: lease.replication_lag_bytes.map(count),
        }),
    }
}

/// Reads the server's state, as the server sent it.
///
/// # Errors
/// If no server of ours would send the message.
pub fn status_reply(message: v1::GetStatusResponse) -> Result<StatusReply, NotAReply> {
    let count = |number| u64::try_from(number).map_err(|_| NotAReply);
    let time = |time: Option<prost_types::Timestamp>| {
        time.and_then(|time| SystemTime::try_from(time).ok()).ok_or(NotAReply)
    };
    let duration = |duration: Option<prost_types::Duration>| {
        duration.map(|duration| duration.try_into().map_err(|_| NotAReply)).transpose()
    };
    let transport = |message: v1::TransportStatus| {
        Ok(TransportStatus {
            open: count(message.open_connections)?,
            total: count(message.total_connections)?,
            name: message.name,
        })
    };
    let lease = message.lease.map(|lease| {
        Ok(LeaseStatus {
            role: match v1::ServerRole::try_from(lease.role) {
                Ok(v1::ServerRole::StandsBy) => ServerRole::StandsBy,
                Ok(v1::ServerRole::Elected) => ServerRole::Elected,
                Ok(v1::ServerRole::Writes) => ServerRole::Writes,
                Ok(v1::ServerRole::Leaves) => ServerRole::Leaves,
                Ok(v1::ServerRole::Unspecified) | Err(_) => return Err(NotAReply),
            },
            epoch: lease.epoch,
            age: duration(lease.age)?,
            holder: Some(lease.holder).filter(|holder| !holder.is_empty()),
            reconnections: count(lease.reconnections)?,
            synchronous_standbys: lease.synchronous_standbys.map(count).transpose()?,
            replication_lag_bytes: lease.replication_lag_bytes.map(count).transpose()?,
        })
    });
    let last_error = message.last_store_error.map(|error| Ok((error.kind, time(error.time)?)));
    Ok(StatusReply {
        schema: u32::try_from(message.schema_version).map_err(|_| NotAReply)?,
        started_at: time(message.start_time)?,
        transports: message.transports.into_iter().map(transport).collect::<Result<_, _>>()?,
        watchers: count(message.watchers)?,
        products: count(message.products)?,
        last_sequence: message.last_sequence,
        store: match v1::StoreState::try_from(message.store_state) {
            Ok(v1::StoreState::Open) => StoreState::Open,
            Ok(v1::StoreState::Refusing) => StoreState::Refusing,
            Ok(v1::StoreState::InDoubt) => StoreState::InDoubt,
            Ok(v1::StoreState::Stopped) => StoreState::Stopped,
            Ok(v1::StoreState::StandsBy) => StoreState::StandsBy,
            Ok(v1::StoreState::Unspecified) | Err(_) => return Err(NotAReply),
        },
        last_error: last_error.transpose()?,
        database_bytes: count(message.database_bytes)?,
        log_bytes: count(message.log_bytes)?,
        requests: count(message.answered_requests)?,
        waiting_changes: count(message.waiting_changes)?,
        commits: count(message.commits)?,
        commit_median: duration(message.commit_median)?,
        commit_p99: duration(message.commit_p99)?,
        label_masks: message
            .label_masks
            .iter()
            .map(|mask| mask.parse().map_err(|_| NotAReply))
            .collect::<Result<_, _>>()?,
        lease: lease.transpose()?,
        version: message.version,
        commit: message.commit,
        address: message.address,
    })
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_state_crosses_the_wire() {
        let started_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_796_000_000);
        let status = StatusReply {
            version: "0.1.0".into(),
            commit: "abc".into(),
            schema: 9,
            started_at,
            address: "127.0.0.1:8082".into(),
            transports: vec![TransportStatus { name: "text".into(), open: 2, total: 7 }],
            watchers: 1,
            products: 4,
            last_sequence: 812,
            store: StoreState::InDoubt,
            last_error: Some(("io".into(), started_at)),
            database_bytes: 4096,
            log_bytes: 1,
            requests: 99,
            waiting_changes: 3,
            commits: 800,
            commit_median: Some(Duration::from_micros(2500)),
            commit_p99: None,
            label_masks: vec!["2CCCCCCPPPPPD".parse().unwrap()],
            lease: None,
        };
        for role in ServerRole::ALL {
            let lease = LeaseStatus {
                role,
                epoch: 7,
                age: Some(Duration::from_millis(250)),
                holder: Some("loja2:8082".into()),
                reconnections: 2,
                synchronous_standbys: Some(0),
                replication_lag_bytes: None,
            };
            let status = StatusReply { lease: Some(lease), ..status.clone() };
            assert_eq!(status_reply(status_response(&status)).unwrap(), status);
        }
        for store in StoreState::ALL {
            let status = StatusReply { store, ..status.clone() };
            assert_eq!(status_reply(status_response(&status)).unwrap(), status);
        }
        assert!(status_reply(v1::GetStatusResponse::default()).is_err());
    }
}
