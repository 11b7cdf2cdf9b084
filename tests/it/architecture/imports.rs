//! Reads which module of `src/` imports which, in every way that Rust has of naming another
//! module: `use` with groups and `super`, paths in code, and paths inside macro calls.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, Item, UseTree, Visibility};

/// A module's path from the crate's root: `["server", "text"]`.
type ModulePath = Vec<String>;

/// Every module that is compiled outside tests, and what each imports.
pub(super) struct Modules(BTreeMap<ModulePath, Module>);

struct Module {
    file: PathBuf,
    code: String,
    /// Modules that the file declares.
    children: BTreeSet<String>,
    /// Names that `use` brings in, with the path that each stands for.
    imports: Vec<Import>,
    /// Paths that the code names outside `use`.
    named: Vec<Vec<String>>,
}

struct Import {
    name: String,
    path: Vec<String>,
    is_public: bool,
}

impl Modules {
    /// Reads the crate with this root file, following its `mod` declarations.
    pub(super) fn read(root: &Path) -> Self {
        let mut modules = Self(BTreeMap::new());
        modules.read_file(root, &[], root.parent().unwrap());
        modules
    }

    fn read_file(&mut self, file: &Path, path: &[String], folder: &Path) {
        let code = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let module = Module::parse(file, code);
        let children = module.children.clone();
        self.0.insert(path.to_vec(), module);
        for child in children {
            let path: ModulePath = path.iter().cloned().chain([child.clone()]).collect();
            self.read_file(&folder.join(format!("{child}.rs")), &path, &folder.join(&child));
        }
    }

    /// Each module with its file and its code.
    pub(super) fn files(&self) -> impl Iterator<Item = (String, &Path, &str)> {
        self.0.iter().map(|(path, module)| (path.join("::"), module.file.as_path(), module.code.as_str()))
    }

    /// The modules that each module imports something from, which is where the thing is defined and
    /// not where it is exported again. A module that only exports what its own children hold does
    /// not import them.
    pub(super) fn edges(&self) -> BTreeMap<String, BTreeSet<String>> {
        let edges = self.0.iter().map(|(path, module)| {
            let imported = module
                .imports
                .iter()
                .filter(|import| !(import.is_public && self.is_own(path, &import.path)))
                .map(|import| &import.path);
            let targets = imported
                .chain(&module.named)
                .filter_map(|named| self.definition(path, named))
                .filter(|target| target != path)
                .map(|target| target.join("::"))
                .collect();
            (path.join("::"), targets)
        });
        edges.collect()
    }

    /// Whether a path leads from a module into one of its own children.
    fn is_own(&self, module: &[String], named: &[String]) -> bool {
        self.absolute(module, named).is_some_and(|path| path.len() > module.len() && path.starts_with(module))
    }

    /// The module that holds the definition of what a path names, if that is of this crate and not
    /// a module itself.
    fn definition(&self, module: &[String], named: &[String]) -> Option<ModulePath> {
        let mut path = self.absolute(module, named)?;
        // The functions of `platform` are exported most often: by the system, by the kernel, and by a part of it.
        for _ in 0..6 {
            let depth = (0..=path.len()).rev().find(|depth| self.0.contains_key(&path[..*depth]))?;
            let item = path.get(depth)?;
            let holder = &self.0[&path[..depth]];
            let Some(import) = holder.imports.iter().find(|import| import.name == *item) else {
                return Some(path[..depth].to_vec());
            };
            let Some(source) = self.absolute(&path[..depth], &import.path) else {
                // The holder exports something of another crate.
                return Some(path[..depth].to_vec());
            };
            path = source.into_iter().chain(path[depth + 1..].iter().cloned()).collect();
        }
        panic!("{named:?} in {module:?} is exported too often to be followed");
    }

    /// The path from the crate's root, if what it names is of this crate.
    fn absolute(&self, module: &[String], named: &[String]) -> Option<Vec<String>> {
        let (first, rest) = named.split_first()?;
        let mut path = match first.as_str() {
            "crate" | "hortifruti" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module[..module.len().checked_sub(1)?].to_vec(),
            first if self.0[module].children.contains(first) => {
                module.iter().cloned().chain([first.to_owned()]).collect()
            }
            first => {
                let import = self.0[module].imports.iter().find(|import| import.name == first)?;
                if import.path.first().is_some_and(|name| name == first) {
                    return None;
                }
                self.absolute(module, &import.path)?
            }
        };
        for name in rest {
            if name == "super" {
                path.pop()?;
            } else {
                path.push(name.clone());
            }
        }
        Some(path)
    }
}

impl Module {
    fn parse(file: &Path, code: String) -> Self {
        let items =
            syn::parse_file(&code).unwrap_or_else(|error| panic!("{}: {error}", file.display())).items;
        let mut module = Self {
            file: file.to_owned(),
            code,
            children: BTreeSet::new(),
            imports: Vec::new(),
            named: Vec::new(),
        };
        for item in items {
            match item {
                Item::Mod(item) if is_of_tests(&item.attrs) => {}
                Item::Mod(item) if item.content.is_none() => {
                    module.children.insert(item.ident.to_string());
                }
                Item::Use(item) if is_of_tests(&item.attrs) => {}
                Item::Use(item) => {
                    let is_public = !matches!(item.vis, Visibility::Inherited);
                    module.read_use(&item.tree, Vec::new(), is_public);
                }
                Item::Fn(item) if is_of_tests(&item.attrs) => {}
                Item::Impl(item) if is_of_tests(&item.attrs) => {}
                item => read_paths(item.into_token_stream(), &mut module.named),
            }
        }
        module
    }

    fn read_use(&mut self, tree: &UseTree, mut path: Vec<String>, is_public: bool) {
        match tree {
            UseTree::Path(tree) => {
                path.push(tree.ident.to_string());
                self.read_use(&tree.tree, path, is_public);
            }
            UseTree::Name(tree) if tree.ident == "self" => {
                let name = path.last().unwrap().clone();
                self.imports.push(Import { name, path, is_public });
            }
            UseTree::Name(tree) => {
                path.push(tree.ident.to_string());
                self.imports.push(Import { name: tree.ident.to_string(), path, is_public });
            }
            UseTree::Rename(tree) => {
                path.push(tree.ident.to_string());
                self.imports.push(Import { name: tree.rename.to_string(), path, is_public });
            }
            UseTree::Group(tree) => {
                tree.items.iter().for_each(|tree| self.read_use(tree, path.clone(), is_public));
            }
            UseTree::Glob(_) => {
                assert!(
                    !matches!(path.first().map(String::as_str), Some("crate" | "super" | "self")),
                    "{}: a glob hides what is imported",
                    self.file.display()
                );
            }
        }
    }
}

/// Whether an item is compiled for tests only.
fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.to_token_stream().to_string().contains("test")
    })
}

/// Finds every path of several names in some code, inside macro calls too.
fn read_paths(code: TokenStream, found: &mut Vec<Vec<String>>) {
    let mut path: Vec<String> = Vec::new();
    let mut colons = 0;
    let mut end = |path: &mut Vec<String>| {
        let path = std::mem::take(path);
        if path.len() > 1 {
            found.push(path);
        }
    };
    let mut groups = Vec::new();
    for token in code {
        match token {
            TokenTree::Ident(ident) => {
                if colons != 2 {
                    end(&mut path);
                }
                path.push(ident.to_string());
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            TokenTree::Group(group) => {
                end(&mut path);
                colons = 0;
                groups.push(group.stream());
            }
            _ => {
                end(&mut path);
                colons = 0;
            }
        }
    }
    end(&mut path);
    groups.into_iter().for_each(|group| read_paths(group, found));
}

/// The groups of modules that import each other in a circle.
pub(super) fn circles(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reaches = |from: &String| {
        let mut reached: BTreeSet<&String> = BTreeSet::new();
        let mut open: Vec<&String> = edges[from].iter().collect();
        while let Some(next) = open.pop() {
            if reached.insert(next) {
                open.extend(edges.get(next).into_iter().flatten());
            }
        }
        reached
    };
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        edges.keys().map(|name| (name, reaches(name))).collect();
    let mut circles: Vec<Vec<String>> = Vec::new();
    for (name, others) in &reached {
        let circle: Vec<String> = others
            .iter()
            .filter(|other| reached.get(*other).is_some_and(|back| back.contains(*name)))
            .map(|other| (*other).clone())
            .collect();
        if circle.first() == Some(*name) {
            circles.push(circle);
        }
    }
    circles
}
