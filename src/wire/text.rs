//! The text protocol: a request is one line, a reply one or more lines and an empty one.

mod frames;
mod grammar;
mod replies;
mod watched;

pub use frames::{Frame, Frames, LINE_BYTES_MAX, Lines};
pub use grammar::{write_request, write_token};
pub use replies::{
    GRPC_ONLY, HTTP_ONLY, NO_TLS, TEXT_ONLY, TLS_ONLY, message, read_reply, read_token_reply, write_adjusted,
    write_list_end, write_list_line, write_message, write_product, write_refusal, write_reply,
};
pub use watched::{read_watched, write_watched};
