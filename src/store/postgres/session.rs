//! The statements of one connection, each prepared once.

use std::cell::RefCell;
use std::collections::HashMap;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, RowStream, Statement};

use super::error::{Failure, bad_value};

/// The value of a parameter.
pub(super) type Value<'v> = Box<dyn ToSql + Sync + 'v>;

/// The parameters of a statement.
pub(super) type Parameters<'p> = &'p [&'p (dyn ToSql + Sync)];

/// The side of a connection that sends statements.
pub(super) struct Session {
    client: Client,
    /// The prepared statements, by their text.
    prepared: RefCell<HashMap<String, Statement>>,
}

impl Session {
    pub(super) fn new(client: Client) -> Self {
        Self { client, prepared: RefCell::default() }
    }

    /// The library's own interface, for statements that are not prepared.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The prepared statement of this text.
    pub(super) async fn prepared(&self, text: &str) -> Result<Statement, Failure> {
        let known = self.prepared.borrow().get(text).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let prepared = self.client.prepare(text).await?;
        self.prepared.borrow_mut().insert(text.to_owned(), prepared.clone());
        Ok(prepared)
    }

    /// The rows of a query.
    pub(super) async fn query(&self, text: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, Failure> {
        let statement = self.prepared(text).await?;
        Ok(self.client.query(&statement, parameters).await?)
    }

    /// The only row of a query, if there is one.
    pub(super) async fn query_opt(
        &self,
        text: &str,
        parameters: Parameters<'_>,
    ) -> Result<Option<Row>, Failure> {
        let statement = self.prepared(text).await?;
        Ok(self.client.query_opt(&statement, parameters).await?)
    }

    /// The only row of a query.
    pub(super) async fn query_one(&self, text: &str, parameters: Parameters<'_>) -> Result<Row, Failure> {
        let row = self.query_opt(text, parameters).await?;
        row.ok_or_else(|| bad_value("falta uma linha que todo banco tem"))
    }

    /// The rows of a query, as they arrive.
    pub(super) async fn stream(&self, text: &str, parameters: Parameters<'_>) -> Result<RowStream, Failure> {
        let statement = self.prepared(text).await?;
        Ok(self.client.query_raw(&statement, parameters.iter().copied()).await?)
    }

    /// Runs a statement, and returns the number of rows that it wrote.
    pub(super) async fn execute(&self, text: &str, parameters: Parameters<'_>) -> Result<u64, Failure> {
        let statement = self.prepared(text).await?;
        Ok(self.client.execute(&statement, parameters).await?)
    }
}
