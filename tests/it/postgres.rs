//! The store in PostgreSQL, under a server of which anything may end.

use crate::support::postgres::{Cluster, versions};

#[test]
fn a_standby_that_is_promoted_has_what_the_killed_primary_has_answered() {
    for version in versions() {
        let mut primary = Cluster::new(version);
        let standby = primary.standby("b");
        primary.wait_for_standby("b");
        primary.sql("postgres", "CREATE TABLE kept (number int); INSERT INTO kept VALUES (7)");
        primary.kill();
        standby.promote();
        assert_eq!(standby.sql("postgres", "SELECT * FROM kept"), "7", "{}", version.name);
        primary.restart();
        assert_eq!(primary.sql("postgres", "SELECT count(*) FROM kept"), "1", "{}", version.name);
    }
}
