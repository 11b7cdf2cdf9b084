//! A timer with microseconds. Tokio's own timer counts milliseconds, far longer than an answer takes.

pub(crate) use super::kernel::Timer;
