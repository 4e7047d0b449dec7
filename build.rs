//! Two jobs: name the shared library for the dynamic linker, and generate the C header.
//!
//! The header in `include/` is committed; a build never writes into the source tree unless
//! `PROCSUP_UPDATE_HEADER=1` asks for it (`./x header`). A test compares the two.

use std::{env, fs, path::PathBuf};

fn main() {
    // cargo gives a cdylib no soname; and a Rust library must not be unmapped while a thread that
    // once called it still runs its thread-local destructors.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,{}", soname());
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    println!("cargo:rerun-if-env-changed=PROCSUP_UPDATE_HEADER");

    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml");
    let generated = cbindgen::Builder::new().with_crate(&root).with_config(config).generate();
    match generated {
        Ok(bindings) => {
            let mut header = Vec::new();
            bindings.write(&mut header);
            let header = with_banners(&String::from_utf8(header).expect("our sources are UTF-8"));
            fs::write(out.join("procsup.h"), header).expect("write to OUT_DIR");
            if env::var_os("PROCSUP_UPDATE_HEADER").is_some_and(|v| v == "1") {
                fs::copy(out.join("procsup.h"), root.join("include/procsup.h")).expect("write include/procsup.h");
            }
        }
        // A syntax error in the sources is better reported by rustc, which runs next.
        Err(cbindgen::Error::ParseSyntaxError { .. }) => {}
        Err(error) => panic!("the header cannot be generated: {error}"),
    }
}

/// The name by which programs ask the loader for the library. It stands for one interface: while the major version is 0 each minor version may
/// change that, so it is part of the name.
fn soname() -> String {
    match (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR")) {
        ("0", minor) => format!("libprocsup.so.0.{minor}"),
        (major, _) => format!("libprocsup.so.{major}"),
    }
}

/// The first function of a section opens its doc comment with `@section NAME`: that becomes a banner, which cbindgen cannot write.
fn with_banners(header: &str) -> String {
    const MARK: &str = "/**\n * @section ";
    let mut parts = header.split(MARK);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("\n *\n").expect("a section's name is followed by an empty line");
        text += &format!("/* {} {} {} */\n\n/**\n{rest}", "=".repeat(20), name, "=".repeat(92 - name.len()));
    }
    text
}
