//! The tables of a database and their migrations. All shops of a database have the same tables.

use std::time::Duration;

use super::address::Address;
use super::connect::{LOOK_TIME_MAX, Link};
use super::error::Failure;
use super::session::Session;
use crate::store::StoreError;

/// The version after all [`MIGRATIONS`]. A database of a later version is refused.
pub(super) const SCHEMA_VERSION: i32 = MIGRATIONS.len() as i32;

/// The migrations from an empty database to the current version. A database of version N has had the first N. A
/// released migration is never changed.
const MIGRATIONS: [&str; 1] = [include_str!("schema/1.sql")];

/// The longest migration. A later one may have to read every movement.
const TIME_MAX: Duration = Duration::from_secs(3600);

/// The key of the lock that lets one server migrate at a time: the letters `HFRT`.
const LOCK: i64 = 0x4846_5254;

/// The encodings of a database that keep every text. The second one looks at no byte.
const ENCODINGS: [&str; 2] = ["UTF8", "SQL_ASCII"];

/// Creates the tables, or migrates them to this version, in a database that can keep the shop.
///
/// # Errors
/// If the database lacks characters, its standby does not answer, the tables are of a later version, or the role of the
/// address may not change them.
pub(super) fn migrate(link: &mut Link, address: &Address) -> Result<(), StoreError> {
    let failed = |failure: Failure| failure.into_error("preparar", address);
    let unfit = |reason: String| Err(StoreError::Unfit { database: address.to_string(), reason });
    let encoding = link.run(LOOK_TIME_MAX, encoding).map_err(failed)?;
    if !ENCODINGS.contains(&encoding.as_str()) {
        return unfit(format!(
            "guarda os textos em {encoding}, que não tem todas as letras e sinais; crie outro banco, com `createdb \
             --encoding=UTF8 --locale=C --template=template0`"
        ));
    }
    let from = link.run(TIME_MAX, version).map_err(failed)?;
    if from < SCHEMA_VERSION {
        wait_for_standbys(link, address)?;
        let migrated = link.change(TIME_MAX, run);
        match migrated {
            Err(refused) if refused.is("42501") => {
                return unfit(format!(
                    "está no esquema {from}, e esta versão precisa do {SCHEMA_VERSION}, que o usuário do endereço não \
                     pode criar; inicie o servidor uma vez com o usuário dono do banco (docs/postgres.md)"
                ));
            }
            // Another server has created them meanwhile, or another program has a table of such a name.
            Err(Failure::Refused(refused)) if refused.code().code() == "42P07" => {
                let undo = async |session: &Session| Ok(session.client().batch_execute("ROLLBACK").await?);
                link.run(TIME_MAX, undo).map_err(failed)?;
                if link.run(TIME_MAX, version).map_err(failed)? < SCHEMA_VERSION {
                    let found = refused.message();
                    return unfit(format!("tem no esquema hortifruti tabelas de outro programa ({found})"));
                }
            }
            migrated => {
                migrated.map_err(failed)?;
                tracing::info!(from, to = SCHEMA_VERSION, "the tables of the database were updated");
            }
        }
    }
    // Read again, because an engine that had undone the migration answers the commit as if nothing was wrong.
    check_version(link, address)
}

/// Checks that the tables are those of this version.
///
/// # Errors
/// If there are none, or they are of another version.
pub(super) fn check_version(link: &mut Link, address: &Address) -> Result<(), StoreError> {
    let found = link.run(TIME_MAX, version).map_err(|failure| failure.into_error("ler", address))?;
    let reason = match found {
        SCHEMA_VERSION => return Ok(()),
        0 => "não tem as tabelas do hortifruti; confira o endereço, ou inicie antes um servidor com ele"
            .to_owned(),
        ..SCHEMA_VERSION => {
            format!("está no esquema {found}, de uma versão anterior; inicie antes um servidor com ele")
        }
        _ => format!(
            "foi criado por uma versão mais nova (esquema {found}; esta versão conhece o {SCHEMA_VERSION})"
        ),
    };
    Err(StoreError::Unfit { database: address.to_string(), reason })
}

/// Makes a commit that changes nothing. Without a standby for it, the tables or a whole moved shop would wait for one
/// without a word.
///
/// # Errors
/// If the engine, or a standby that it waits for, does not answer.
pub(super) fn wait_for_standbys(link: &mut Link, address: &Address) -> Result<(), StoreError> {
    let commit = "SELECT pg_logical_emit_message(true, 'hortifruti', ''::text)";
    let waited = link.change(LOOK_TIME_MAX, async |session| {
        session.query_one(commit, &[]).await?;
        Ok(())
    });
    waited.map_err(|failure| failure.into_error("preparar", address))
}

async fn encoding(session: &Session) -> Result<String, Failure> {
    Ok(session.query_one("SELECT current_setting('server_encoding')", &[]).await?.try_get(0)?)
}

/// The version of the tables; 0 if there are none.
async fn version(session: &Session) -> Result<i32, Failure> {
    // `to_regclass` would answer from a cache that does not know yet what another server has just made.
    let exists = "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'hortifruti' AND tablename = 'schema_version')";
    if !session.client().query_one(exists, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    Ok(session.client().query_one("SELECT version FROM hortifruti.schema_version", &[]).await?.try_get(0)?)
}

/// Runs the migrations that the database has not had yet, in one transaction.
async fn run(session: &Session) -> Result<(), Failure> {
    session.client().batch_execute(&format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK})")).await?;
    let from = version(session).await?;
    let has_schema = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'hortifruti')";
    if !session.client().query_one(has_schema, &[]).await?.try_get::<_, bool>(0)? {
        session.client().batch_execute("CREATE SCHEMA hortifruti").await?;
    }
    if from == 0 {
        let table =
            "CREATE TABLE schema_version (version int4 NOT NULL); INSERT INTO schema_version VALUES (0)";
        session.client().batch_execute(table).await?;
    }
    for statements in MIGRATIONS.iter().skip(usize::try_from(from).unwrap_or(MIGRATIONS.len())) {
        session.client().batch_execute(statements).await?;
    }
    let update = "UPDATE schema_version SET version = $1 WHERE version < $1";
    session.client().execute(update, &[&SCHEMA_VERSION]).await?;
    Ok(session.client().batch_execute("COMMIT").await?)
}
