//! The fenced blocks of a page, and what their first line says of them.

use std::fmt;
use std::process::Command;

use super::text;
use crate::support::{Need, try_run};

/// Languages that can be run.
const RUNNABLE: [&str; 4] = ["console", "ini", "python", "sh"];

const FENCE: &str = "```";

/// What is done with a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// Run in a new shop.
    Run,
    /// Run in the shop of the block before.
    Continued,
    /// Compared with what the block before printed.
    Output,
    /// An excerpt of this file.
    From(String),
    /// Not run, for a reason that the page gives.
    NotRun,
}

#[derive(Debug, Clone)]
pub(super) struct Block {
    page: String,
    line: usize,
    pub(super) language: String,
    pub(super) mark: Mark,
    /// With a line end after each line.
    pub(super) text: String,
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.page, self.line)
    }
}

/// The blocks of a page, in their order.
pub(super) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for (index, line) in text(page).lines().enumerate() {
        let line_number = index + 1;
        match (line.strip_prefix(FENCE), is_open) {
            (Some(""), true) => is_open = false,
            (Some(info), false) => {
                is_open = true;
                blocks.push(Block::new(page, line_number, info));
            }
            (None, true) => {
                let text = &mut blocks.last_mut().unwrap().text;
                text.push_str(line);
                text.push('\n');
            }
            (None, false) => {
                assert!(!line.trim_start().starts_with(FENCE), "{page}:{line_number} is indented")
            }
            (Some(_), true) => panic!("{page}:{line_number}: a block in a block"),
        }
    }
    assert!(!is_open, "{page} ends in a block");
    blocks
}

impl Block {
    fn new(page: &str, line: usize, info: &str) -> Self {
        let (language, mark) = info.split_once(' ').unwrap_or((info, ""));
        let is_runnable = RUNNABLE.contains(&language);
        let mark = match (mark, mark.strip_prefix("from "), mark.strip_prefix("not-run: ")) {
            ("", ..) if is_runnable => Mark::Run,
            ("continued", ..) if is_runnable => Mark::Continued,
            ("output", ..) => Mark::Output,
            (_, Some(file), _) => Mark::From(file.to_owned()),
            (_, _, Some(reason)) if !reason.is_empty() => Mark::NotRun,
            _ => panic!("{page}:{line}: how is {info:?} to be tested?"),
        };
        Self { page: page.to_owned(), line, language: language.to_owned(), mark, text: String::new() }
    }

    /// Whether the machine has what the block needs; if not, says that it is skipped.
    pub(super) fn needs_are_met(&self) -> bool {
        let needs: [(Need, &str, &[&str]); 5] = [
            (Need::Curl, "curl ", &["curl", "--version"]),
            (Need::Openssl, "openssl ", &["openssl", "version"]),
            (Need::Netcat, "| nc ", &["nc", "-h"]),
            (Need::Systemd, "[Unit]", &["systemd-analyze", "--version"]),
            (Need::Python, "grpc", &["python3", "-c", "import grpc, grpc_tools, grpc_status"]),
        ];
        needs.into_iter().filter(|(_, word, _)| self.text.contains(word)).all(|(need, _, probe)| {
            let probed = try_run(Command::new(probe[0]).args(&probe[1..]));
            let is_met = probed.is_ok_and(|ended| ended.code == 0);
            if !is_met {
                need.skip(format!("{self} is not run: `{}` fails", probe.join(" ")));
            }
            is_met
        })
    }
}
