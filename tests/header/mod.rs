//! Makes the C headers from the Rust sources.
//!
//! procsup.h is `src/capi/procsup.h.in` with the declarations filled in: each `@section` there names files of `src/capi/`, whose public `ps_` items
//! appear in the order of those files, so that a type stands right before its first use. A `pub use` of a type that lives elsewhere puts it where the
//! `use` stands: `pub use crate::registry::Cause as ps_exit_cause`. cbindgen writes one declaration at a time, for it sorts what it gets at once by
//! kind.

mod flat;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use quote::ToTokens;
use syn::{Attribute, Fields, Ident, Item, ItemEnum, UseTree, Variant, Visibility};

/// Structures that have the name of a call, as stat(2) has: C knows them by their tag alone.
const BY_TAG: [&str; 1] = ["ps_worker_socket"];

/// g++ warns of such a call (-Wshadow) that it hides the structure's constructor.
const SHADOW: &str =
    "#if defined(__cplusplus) && defined(__GNUC__)\n#pragma GCC diagnostic push\n#pragma GCC diagnostic ignored \"-Wshadow\"\n#endif";
const SHADOW_END: &str = "#if defined(__cplusplus) && defined(__GNUC__)\n#pragma GCC diagnostic pop\n#endif";

/// The headers of `include/`, by name, from the sources of the package at `root`; `scratch` is a file for cbindgen to read one item from.
pub fn headers(root: &Path, scratch: &Path) -> [(&'static str, String); 2] {
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml");
    let mut header = Header { sources: root.join("src"), scratch: scratch.to_owned(), config, written: HashSet::new() };
    let text = header.text().expect("the sources are Rust");
    let flat = flat::flat(&text);
    [("procsup.h", text), ("procsup.ffi.h", flat)]
}

struct Header {
    sources: PathBuf,
    /// Where cbindgen reads one item from.
    scratch: PathBuf,
    config: cbindgen::Config,
    /// Names of the items that are in the header already.
    written: HashSet<String>,
}

impl Header {
    /// The template with its sections filled in: `@section NAME FILE...`, then what is said of the whole section, up to the next `@`.
    fn text(&mut self) -> syn::Result<String> {
        let template = fs::read_to_string(self.sources.join("capi/procsup.h.in")).expect("read src/capi/procsup.h.in");
        let mut parts = template.split("\n@");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (order, rest) = part.split_once('\n').unwrap_or((part, ""));
            let Some(order) = order.strip_prefix("section ") else {
                text += rest;
                continue;
            };
            let (files, name): (Vec<&str>, Vec<&str>) = order.split(' ').partition(|word| word.ends_with(".rs"));
            let name = name.join(" ");
            text += &format!("\n/* {:=<20} {name} {:=<width$} */\n", "", "", width = 82 - name.len());
            if !rest.trim().is_empty() {
                text += &format!("\n{}\n", rest.trim());
            }
            for file in files {
                let module: Vec<&str> = file.trim_end_matches(".rs").split('/').filter(|part| *part != "mod").collect();
                let module = [&["capi"], &module[..]].concat();
                for item in parse(&self.sources.join("capi").join(file))?.items {
                    if let Some((name, item)) = self.declared(item, &module)? {
                        text += &format!("\n{}\n", self.declaration(&name, &item));
                    }
                }
            }
        }
        Ok(text)
    }

    /// The name and the item of this module, if C is to see it, and has not yet.
    fn declared(&mut self, item: Item, module: &[&str]) -> syn::Result<Option<(String, Item)>> {
        let (visibility, name) = match &item {
            Item::Const(item) => (&item.vis, item.ident.to_string()),
            Item::Enum(item) => (&item.vis, item.ident.to_string()),
            Item::Fn(item) if item.sig.abi.is_some() => (&item.vis, item.sig.ident.to_string()),
            Item::Struct(item) => (&item.vis, item.ident.to_string()),
            Item::Type(item) => (&item.vis, item.ident.to_string()),
            Item::Use(item) if is_public(&item.vis) => return self.used(&item.tree, module),
            _ => return Ok(None),
        };
        let wanted = is_public(visibility) && (name.starts_with("ps_") || name.starts_with("PS_"));
        let both = BY_TAG.contains(&&*name) && matches!(item, Item::Fn(_));
        let known = if both { format!("{name}()") } else { name.clone() };
        Ok((wanted && self.written.insert(known)).then_some((name, item)))
    }

    /// The type that a `use` brings here under a name of C.
    fn used(&mut self, tree: &UseTree, module: &[&str]) -> syn::Result<Option<(String, Item)>> {
        for (path, known) in brought(tree, module) {
            if known.starts_with("ps_") {
                let mut item = self.find(&path)?.unwrap_or_else(|| panic!("the header: there is no type {}", path.join("::")));
                if let Item::Enum(item) = &mut item {
                    item.ident = Ident::new(&known, item.ident.span());
                }
                return self.declared(item, module);
            }
        }
        Ok(None)
    }

    /// The type of this path, also if its module only hands it on.
    fn find(&self, path: &[String]) -> syn::Result<Option<Item>> {
        let Some((name, module)) = path.split_last() else { return Ok(None) };
        let at: PathBuf = [&self.sources].into_iter().cloned().chain(module.iter().map(PathBuf::from)).collect();
        let Some(file) = [at.with_extension("rs"), at.join("mod.rs")].into_iter().find(|file| file.exists()) else { return Ok(None) };
        for item in parse(&file)?.items {
            match &item {
                Item::Enum(found) if found.ident == name => return Ok(Some(item)),
                Item::Struct(found) if found.ident == name => return Ok(Some(item)),
                Item::Use(handed_on) => {
                    let module: Vec<&str> = module.iter().map(String::as_str).collect();
                    if let Some((path, _)) = brought(&handed_on.tree, &module).into_iter().find(|(_, known)| known == name) {
                        return self.find(&path);
                    }
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// The declaration in C, with its description.
    fn declaration(&self, name: &str, item: &Item) -> String {
        let item = &if let Item::Enum(item) = item { Item::Enum(as_in_c(item)) } else { item.clone() };
        fs::write(&self.scratch, item.to_token_stream().to_string()).expect("write what cbindgen reads");
        let mut config = self.config.clone();
        config.export.include = vec![name.to_owned()];
        let generated = cbindgen::Builder::new().with_config(config).with_src(&self.scratch).generate();
        let mut text = Vec::new();
        generated.unwrap_or_else(|error| panic!("the header: {name}: {error}")).write(&mut text);
        let text = by_tag(&short(String::from_utf8(text).expect("our sources are UTF-8").trim()));
        let hides = matches!(item, Item::Fn(_)) && BY_TAG.contains(&name);
        if hides { format!("{SHADOW}\n{text}\n{SHADOW_END}") } else { text }
    }
}

/// An enum with the names that its values have in C: those of `#[strum(serialize = "...")]`. Its description stays, and its numbers.
fn as_in_c(rust: &ItemEnum) -> ItemEnum {
    let documented = |attrs: &[Attribute]| attrs.iter().filter(|attr| attr.path().is_ident("doc")).cloned().collect();
    let mut c = ItemEnum { attrs: documented(&rust.attrs), ..rust.clone() };
    c.attrs.push(syn::parse_quote!(#[repr(C)]));
    for variant in &mut c.variants {
        let named = variant.attrs.iter().find(|attr| attr.path().is_ident("strum")).expect("an enum of the header has names in C");
        let name: syn::MetaNameValue = named.parse_args().expect("strum(serialize = NAME)");
        let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }) = name.value else { panic!("strum(serialize = NAME)") };
        *variant =
            Variant { attrs: documented(&variant.attrs), fields: Fields::Unit, ident: name.parse().expect("a name"), ..variant.clone() };
    }
    c
}

/// What a `use` in `module` brings: whole paths from the root of the crate, and the names that they get.
fn brought(tree: &UseTree, module: &[&str]) -> Vec<(Vec<String>, String)> {
    let whole = |name: &Ident| module.iter().map(|room| (*room).to_owned()).chain([name.to_string()]).collect();
    match tree {
        UseTree::Path(path) => match path.ident.to_string().as_str() {
            "crate" => brought(&path.tree, &[]),
            "self" => brought(&path.tree, module),
            "super" => brought(&path.tree, module.split_last().map_or(&[], |(_, above)| above)),
            room => brought(&path.tree, &[module, &[room]].concat()),
        },
        UseTree::Name(name) => vec![(whole(&name.ident), name.ident.to_string())],
        UseTree::Rename(both) => vec![(whole(&both.ident), both.rename.to_string())],
        UseTree::Group(group) => group.items.iter().flat_map(|tree| brought(tree, module)).collect(),
        UseTree::Glob(_) => Vec::new(),
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn parse(file: &Path) -> syn::Result<syn::File> {
    syn::parse_file(&fs::read_to_string(file).unwrap_or_else(|error| panic!("the header: {}: {error}", file.display())))
}

/// What is known by its tag alone, in its declaration and in those that name it.
fn by_tag(text: &str) -> String {
    BY_TAG.iter().fold(text.to_owned(), |text, name| {
        let text = text.replace(&format!("typedef struct {name} {{"), &format!("struct {name} {{"));
        text.replace(&format!("}} {name};"), "};").replace(&format!(" {name} *"), &format!(" struct {name} *"))
    })
}

/// A description of one line takes one line.
fn short(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match lines.as_slice() {
            [.., open, said] if line.trim() == "*/" && open.trim() == "/**" && open.len() + said.trim().len() < 109 => {
                let joined = format!("{} {} */", open, said.trim().trim_start_matches("* "));
                lines.truncate(lines.len() - 2);
                lines.push(joined);
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}
