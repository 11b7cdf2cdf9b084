//! Compiles the contracts in `proto/` to `OUT_DIR`, as code and as descriptors, with protox, so that nobody
//! needs protoc, copies the files of the panel there, and names the commit of a release build.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

const PROTOS: [&str; 3] =
    ["proto/produtos.proto", "proto/hortifruti/v1/inventory.proto", "proto/grpc/health/v1/health.proto"];

/// The field that few changes have and that would double the size of each: a stream moves hundreds of thousands of
/// changes a second.
const RARE: &str = ".hortifruti.v1.AdjustStockRequest.purchase";

/// Spaces of a style sheet that mean nothing.
const CSS_SPACES: &[(&str, &str)] = &[
    (": ", ":"),
    ("; ", ";"),
    (", ", ","),
    ("{ ", "{"),
    (" {", "{"),
    (" }", "}"),
    (";}", "}"),
    (" > ", ">"),
];

/// Signs after which a line may go on where the next one stood.
const CSS_OPEN: &[char] = &['{', '}', ';', ','];
const SCRIPT_OPEN: &[char] = &['{', '}', '(', ';', ','];
const HTML_OPEN: &[char] = &['>'];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/panel");
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).open_files(PROTOS)?;
    // Without comments, because this copy becomes a part of the executable.
    let descriptors = Path::new(&std::env::var("OUT_DIR")?).join("descriptors.bin");
    fs::write(descriptors, compiler.encode_file_descriptor_set())?;
    let files = compiler.include_source_info(true).file_descriptor_set();
    tonic_prost_build::configure().boxed(RARE).build_server(false).compile_fds(files)?;
    copy_panel()?;
    name_commit();
    Ok(())
}

/// Copies the files of the panel to `OUT_DIR`, without the comments and spaces that no browser needs.
fn copy_panel() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&std::env::var("OUT_DIR")?).join("panel");
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir("src/panel")? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        let is_comment =
            |line: &str| line.starts_with("//") || (line.starts_with("/*") && line.ends_with("*/"));
        let is_needed = |line: &&str| !line.is_empty() && !is_comment(line);
        let extension = path.extension().and_then(|extension| extension.to_str());
        let open = match extension {
            Some("css") => CSS_OPEN,
            Some("js") => SCRIPT_OPEN,
            Some("html") => HTML_OPEN,
            _ => &[],
        };
        let mut lean = String::new();
        for line in text.lines().map(str::trim).filter(is_needed) {
            if line.matches('`').count() % 2 == 1 || line.contains(" // ") {
                let what = "a text over several lines, or a comment after code, would change";
                return Err(format!("{}: {what}: {line}", path.display()).into());
            }
            lean.push_str(line);
            if !line.ends_with(open) {
                lean.push('\n');
            }
        }
        match extension {
            Some("css") => CSS_SPACES.iter().for_each(|(spaced, tight)| lean = lean.replace(spaced, tight)),
            Some("js") => lean = tight_script(&lean),
            _ => {}
        }
        fs::write(folder.join(path.file_name().ok_or("a file without a name")?), lean)?;
    }
    Ok(())
}

/// The place in a script at which a sign stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Code, within so many braces of its own.
    Code(usize),
    /// A text between these quotes. Code may stand within backquotes.
    Text(char),
    /// A regular expression, or a class of signs in one.
    Pattern,
    Class,
}

/// A script without the spaces that mean nothing: those that part no two words, outside of texts.
fn tight_script(script: &str) -> String {
    let is_word = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '$');
    let mut tight = String::with_capacity(script.len());
    let mut places = vec![Place::Code(0)];
    let mut signs = script.chars().peekable();
    while let Some(sign) = signs.next() {
        let before = tight.chars().next_back().unwrap_or('\n');
        let is_inner = places.len() > 1;
        let place = places.last_mut().expect("the code around is never left");
        match (*place, sign) {
            (Place::Text(_) | Place::Pattern | Place::Class, '\\') => {
                tight.push(sign);
                tight.extend(signs.next());
                continue;
            }
            (Place::Text('`'), '$') if signs.peek() == Some(&'{') => places.push(Place::Code(0)),
            (Place::Text(quote), sign) if quote == sign => drop(places.pop()),
            (Place::Pattern, '[') => *place = Place::Class,
            (Place::Class, ']') => *place = Place::Pattern,
            (Place::Pattern, '/') => drop(places.pop()),
            (Place::Code(_), '"' | '\'' | '`') => places.push(Place::Text(sign)),
            // After a value, this sign divides.
            (Place::Code(_), '/')
                if tight.ends_with("return") || !(is_word(before) || matches!(before, ')' | ']')) =>
            {
                places.push(Place::Pattern);
            }
            (Place::Code(depth), '{') => *place = Place::Code(depth + 1),
            (Place::Code(depth), '}' | ']') => {
                // The last statement and the last member need no sign after them.
                if matches!(before, ';' | ',') {
                    tight.pop();
                }
                match (sign, depth) {
                    ('}', 1) if is_inner => drop(places.pop()),
                    ('}', _) => *place = Place::Code(depth.saturating_sub(1)),
                    _ => {}
                }
            }
            (Place::Code(_), ' ') => {
                // A variable that nothing assigns to is as good, and shorter.
                if let Some(rest) = tight.strip_suffix("const").filter(|rest| !rest.ends_with(is_word)) {
                    tight.truncate(rest.len());
                    tight.push_str("let");
                }
                let after = signs.peek().copied().unwrap_or('\n');
                let parts_words = is_word(before) && is_word(after);
                let parts_signs = before == after && matches!(before, '+' | '-' | '/');
                if !parts_words && !parts_signs {
                    continue;
                }
            }
            _ => {}
        }
        tight.push(sign);
    }
    tight
}

/// Gives a release build, whose figures people compare, the name of its commit: that of the environment, which
/// packagers set who build without git, or else that of git. Other builds have none, so that they need not be built
/// again for each commit.
fn name_commit() {
    println!("cargo::rerun-if-env-changed=HORTIFRUTI_COMMIT");
    if let Ok(commit) = std::env::var("HORTIFRUTI_COMMIT") {
        println!("cargo::rustc-env=HORTIFRUTI_COMMIT={commit}");
        return;
    }
    // Sources without git may lie in the repository of a packager, whose commits are other ones.
    let is_release = std::env::var_os("PROFILE").is_some_and(|profile| profile == "release");
    if !is_release || !Path::new(".git").exists() {
        return;
    }
    let git = |arguments: &[&str]| {
        let output =
            Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
    };
    // The log has each new commit; a clone without logs is built again if it changes its branch.
    let file = |name| git(&["rev-parse", "--git-path", name]).filter(|path| Path::new(path).exists());
    let head = file("logs/HEAD").or_else(|| file("HEAD"));
    if let (Some(head), Some(commit)) = (head, git(&["rev-parse", "--short=10", "HEAD"])) {
        println!("cargo::rerun-if-changed={head}");
        println!("cargo::rustc-env=HORTIFRUTI_COMMIT={commit}");
    }
}
