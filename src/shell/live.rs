//! Movements as they come, until Ctrl-C.

use std::io::{self, Write};
use std::ops::ControlFlow;

use crate::client::{Client, ClientError};
use crate::operation::WatchRequest;
use crate::render::{Format, render_live, render_live_head};
use crate::terminal;

/// Shows movements as they become durable, until Ctrl-C, or until nobody reads the output. The inner result is
/// that of the output.
///
/// # Errors
/// If the server refuses the request, or there is none when the watch begins.
pub fn show_live(
    client: &mut Client,
    request: &WatchRequest<'_>,
    format: Format,
) -> Result<io::Result<()>, ClientError> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut shown = render_live_head(&mut out, format);
    client.watch(request, &mut |event| {
        if shown.is_ok() {
            shown = match event {
                Some(event) => render_live(&mut out, event, format),
                None => out.flush(),
            };
        }
        let is_over = shown.is_err() || event.is_none() && terminal::is_output_closed();
        if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(shown.and_then(|()| out.flush()))
}
