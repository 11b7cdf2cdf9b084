//! The shops of a database by their names.

use super::address::Address;
use super::connect::{LOOK_TIME_MAX, Link};
use super::error::Failure;
use super::migrate;
use super::session::Session;
use crate::catalog::Name;
use crate::store::StoreError;

/// The shops, the one of exactly this name first.
const SELECT: &str = "SELECT id, name FROM shop ORDER BY name <> $1, id";

/// Both rows or none.
const INSERT: &str = "WITH new AS (INSERT INTO shop (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id)
     INSERT INTO lease (shop, epoch) SELECT id, 0 FROM new";

/// The number of the shop of this name, which is found as a product is, without regard to case or accents.
pub(super) async fn find(session: &Session, name: &Name) -> Result<Option<i32>, Failure> {
    for row in session.query(SELECT, &[&name.as_str()]).await? {
        if Name::parse(row.try_get(1)?).is_ok_and(|found| found.key() == name.key()) {
            return Ok(Some(row.try_get(0)?));
        }
    }
    Ok(None)
}

/// Registers the shop if it is new. Returns its number. Writes nothing otherwise, so that a server can stand by while
/// the engine waits for its standby.
pub(super) async fn register(session: &Session, name: &Name) -> Result<i32, Failure> {
    if let Some(number) = find(session, name).await? {
        return Ok(number);
    }
    session.execute(INSERT, &[&name.as_str()]).await?;
    Ok(session.query_one("SELECT id FROM shop WHERE name = $1", &[&name.as_str()]).await?.try_get(0)?)
}

/// The number of the shop of an address, which is there.
///
/// # Errors
/// If the shop or the tables are not there, or the tables are of another version.
pub(super) fn existing(link: &mut Link, address: &Address) -> Result<i32, StoreError> {
    migrate::check_version(link, address)?;
    let found = link.run(LOOK_TIME_MAX, async |session| find(session, address.shop()).await);
    found.map_err(|failure| failure.into_error("ler", address))?.ok_or_else(|| StoreError::Unfit {
        database: address.to_string(),
        reason: format!("não tem a loja {}; confira o nome em shop=", address.shop()),
    })
}
