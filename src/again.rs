//! The command that repeats a change whose outcome is unknown: the command line of this process with a request
//! id, quoted so that a person can paste it into a terminal.

use std::ffi::{OsStr, OsString};

use crate::access::SECRET_VARIABLE;
use crate::platform::advice::{quoted, with_variables};
use crate::port_file::OF_SERVICE_VARIABLE;

/// The prefix of the environment variables that this program reads.
pub(crate) const VARIABLE_PREFIX: &str = "HORTIFRUTI_";

/// The option that carries the request id of a change.
const REQUEST_ID: &str = "--request-id";

/// The command line that started this process, with this request id.
pub fn command(request_id: &str) -> String {
    let variables = std::env::vars_os().filter(|(name, _)| is_ours(name));
    written(variables, std::env::args_os(), request_id)
}

/// Whether a variable is one of ours, no secret, and not one of the whole machine.
pub(crate) fn is_ours(variable: &OsStr) -> bool {
    variable != SECRET_VARIABLE
        && variable != OF_SERVICE_VARIABLE
        && variable.as_encoded_bytes().starts_with(VARIABLE_PREFIX.as_bytes())
}

/// Writes a command with this program's environment variables before it, because they may have been set for
/// this command only.
fn written(
    variables: impl Iterator<Item = (OsString, OsString)>,
    arguments: impl Iterator<Item = OsString>,
    request_id: &str,
) -> String {
    let variables = with_variables(variables);
    let arguments: Vec<String> = arguments.map(|argument| argument.to_string_lossy().into_owned()).collect();
    // After `--`, a product's name may look like the option.
    let mut options = arguments.iter().take_while(|argument| *argument != "--");
    let has_id = options.any(|argument| argument.split('=').next() == Some(REQUEST_ID));
    let arguments: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
    // The option goes right after the subcommand, because a word after `--` is no option. `product` has subcommands
    // of its own.
    let words = if arguments.get(1).is_some_and(|word| word == "product") { 3 } else { 2 };
    let (start, rest) = arguments.split_at(arguments.len().min(words));
    let id = if has_id { Vec::new() } else { vec![REQUEST_ID.to_owned(), quoted(request_id)] };
    [variables, start.to_vec(), id, rest.to_vec()].concat().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn check(variables: &[(&str, &str)], arguments: &[&str], expected: &str) {
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        assert_eq!(written(variables, arguments.iter().map(Into::into), "a-1"), expected);
    }

    #[test]
    fn a_secret_is_not_written() {
        let ours = ["HORTIFRUTI_SERVER", "HORTIFRUTI_TOKEN_FILE", "HORTIFRUTI_TOKEN", "PATH"];
        assert_eq!(ours.map(|name| is_ours(OsStr::new(name))), [true, true, false, false]);
    }

    #[cfg(unix)]
    #[test]
    fn a_command_comes_back_as_it_was_typed() {
        check(&[], &["hortifruti", "update", "Caju", "-20"], "hortifruti update --request-id a-1 Caju -20");
        check(&[], &["h", "product", "retire", "Caju"], "h product retire --request-id a-1 Caju");
        check(
            &[("HORTIFRUTI_SERVER", "loja:8082"), ("HORTIFRUTI_PORT_FILE", "a b")],
            &["/opt/a b/hortifruti", "update", "--", "ALHO 'D'ÁGUA' $5", "-20"],
            "HORTIFRUTI_PORT_FILE='a b' HORTIFRUTI_SERVER=loja:8082 '/opt/a b/hortifruti' update \
             --request-id a-1 -- \"ALHO 'D'ÁGUA' \"'$5' -20",
        );
        check(&[], &["h", "update", "Uva", "1", "--request-id=b"], "h update Uva 1 '--request-id=b'");
        check(&[], &["h", "import", "-", "--request-id", "b"], "h import - --request-id b");
        check(
            &[],
            &["h", "update", "--", "--request-id x", "1"],
            "h update --request-id a-1 -- '--request-id x' 1",
        );
    }
}
