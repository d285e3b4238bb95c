//! A file system without room.

#![allow(clippy::unwrap_used, reason = "what a test cannot do ends it")]

mod common;

use common::{Member, pair, shared_credential};
use twinlock_postgres::{Directories, InitOptions, Instance, PostgresError};
use twinlock_testkit::{Place, unprivileged};

/// The same member with its data directory on a small file system.
fn moved(member: &Member, place: &Place) -> Instance {
    let directories = member.instance.directories();
    let data = place.small("data");
    Instance::new(member.instance.installation().clone(), Directories { data, ..directories.clone() })
}

#[test]
fn full_disk_is_named_and_nothing_is_left() {
    unprivileged!(small_disk, async |place: &Place| {
        let member = Member::new(place, 0, &shared_credential());
        let instance = moved(&member, place);
        let error = instance.initialise(&InitOptions::default()).await.unwrap_err();
        assert!(matches!(error, PostgresError::DiskFull { .. }), "{error:?}");
        assert_eq!(std::fs::read_dir(place.small("")).unwrap().count(), 0);
    });
}

#[test]
fn full_disk_ends_a_base_backup_without_a_trace() {
    unprivileged!(small_disk, async |place: &Place| {
        let (active, standby) = pair(place).await;
        let instance = moved(&standby, place);
        let upstream = active.upstream_for(&standby);
        let error =
            instance.base_backup(&upstream, &standby.settings, &standby.tls, |_| ()).await.unwrap_err();
        assert!(matches!(error, PostgresError::DiskFull { .. }), "{error:?}");
        assert_eq!(std::fs::read_dir(place.small("")).unwrap().count(), 0);
    });
}
