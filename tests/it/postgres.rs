//! The store in PostgreSQL, under servers and engines of which anything may end.

#[cfg(test)]
mod access;
#[cfg(test)]
mod altered;
pub(crate) mod doubt;
#[cfg(test)]
mod failover;
#[cfg(test)]
mod pooler;
pub(crate) mod storm;
#[cfg(test)]
mod strangers;
#[cfg(test)]
mod tests;
pub(crate) mod together;
pub(crate) mod wire;
