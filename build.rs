//! Three jobs: name the shared library for the dynamic linker, lay out its functions, and build the programs of a spawner and of a contained child's init.
//!
//! They (src/sys/spawner/program, src/sys/spawn/contained/program) are part of the library as bytes. They are built by the same compiler for the same target, without any library,
//! as the build of the library itself may be of any kind (instrumented, unoptimized) that a process of a few pages must not be.
//!
//! The C header is not made here: it is committed, and who only builds the library needs nothing of what makes it (tests/header).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    // cargo gives a cdylib no soname; and a Rust library must not be unmapped while a thread that
    // once called it still runs its thread-local destructors.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,{}", soname());
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rerun-if-changed=src/sys"); // where the program and the engine's files are that it has
    println!("cargo:rustc-check-cfg=cfg(spawner_program)");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    println!("cargo:rerun-if-changed=hot.ld");
    for unknown_to_cargo in ["release.args", "hot.profdata"] {
        println!("cargo:rerun-if-changed={unknown_to_cargo}");
    }
    let layout = root.join("hot.ld");
    if env::var("OPT_LEVEL").is_ok_and(|level| level != "0") && takes(&layout, &out) {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-T,{}", layout.display());
    }
    programs(&root.join("src/sys"), &out);
}

/// Whether functions can be laid out by this script: what a spawn passes stands side by side then, and not on ninety pages of which the kernel's exec
/// has just thrown most out of the processor's tables. The linker of the toolchain, LLD, adds it to its own layout; others have no such scripts or
/// make a second .text of it. So it is asked, with a library of nothing.
fn takes(layout: &Path, out: &Path) -> bool {
    let (source, library) = (out.join("nothing.rs"), out.join("libnothing.so"));
    let mut command = Command::new(env::var_os("RUSTC").expect("set by cargo"));
    command.args(["--edition=2024", "--crate-type=cdylib", "--crate-name=nothing", "--cap-lints=allow", "-Cpanic=abort"]);
    command.args(["--target", &env::var("TARGET").expect("set by cargo"), "-o"]).arg(&library).arg(&source);
    command.arg(format!("-Clink-arg=-Wl,-T,{}", layout.display())).args(linker().map(|linker| format!("-Clinker={linker}")));
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    command.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty()));
    let nothing = "#![no_std]\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! {\n    loop {}\n}\n";
    let made = fs::write(&source, nothing).and_then(|()| command.output()).is_ok_and(|done| done.status.success());
    // Its signature is in .comment.
    let by_lld = |bytes: Vec<u8>| bytes.windows(11).any(|bytes| bytes == b"Linker: LLD");
    made && fs::read(&library).is_ok_and(by_lld)
}

/// The name by which programs ask the loader for the library. It stands for one interface: while the major version is 0 each minor version may
/// change that, so it is part of the name.
fn soname() -> String {
    match (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR")) {
        ("0", minor) => format!("libprocsup.so.0.{minor}"),
        (major, _) => format!("libprocsup.so.{major}"),
    }
}

/// Each program: its name, where it is, and what is unsupported without it.
const PROGRAMS: [(&str, &str, &str); 2] = [
    ("spawner", "spawner/program/main.rs", "ps_supervisor_set_spawner"),
    ("contained", "spawn/contained/program/main.rs", "PS_ISOLATE_CONTAINED"),
];

/// Builds the programs. Where that cannot be (a check for a target that has no linker here), the library is without one, and says so when it is asked
/// for.
fn programs(sources: &Path, out: &Path) {
    let variable = |name: &str| env::var(name).expect("set by cargo");
    let (target, host) = (variable("TARGET"), variable("HOST"));
    let rustc = |source: &str, made: &Path, options: &[String]| {
        let mut command = Command::new(variable("RUSTC"));
        command.args([
            "--edition=2024",
            "--cfg=spawner_program",
            "--cap-lints=allow",
            "-Cpanic=abort",
            "-Cforce-unwind-tables=no",
            "-Copt-level=2",
            "-Ccodegen-units=1",
        ]);
        command.args(["-Coverflow-checks=off", "-Cdebug-assertions=off", "-Crelocation-model=static", "--target", &target, "-o"]);
        command.arg(made).arg(sources.join(source)).args(options);
        match command.output() {
            Ok(done) if done.status.success() => Ok(()),
            Ok(done) => Err(String::from_utf8_lossy(&done.stderr).into_owned()),
            Err(error) => Err(error.to_string()),
        }
    };
    let kernel = out.join("liblibc.rlib");
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let remap = format!("--remap-path-prefix={}=", sources.display());
    let mut options = words(&["--crate-type=bin", "-Clto=fat", "-Cstrip=symbols", "-Clink-self-contained=no", &remap]);
    options.push(format!("--extern=libc={}", kernel.display()));
    if target.starts_with("aarch64") {
        // Those ask libc what the processor can do.
        options.push("-Ctarget-feature=-outline-atomics".to_owned());
    }
    options.extend(["-nostdlib", "-static"].map(|option| format!("-Clink-arg={option}")));
    // A compiler driver brings its own start files; the linker of the toolchain serves every target, but not every toolchain has it.
    // As few segments as can be: each is mapped and read by itself.
    let mut driver = words(&["-Clink-arg=-nostartfiles", "-Clink-arg=-Wl,-z,noseparate-code"]);
    driver.extend(linker().map(|linker| format!("-Clinker={linker}")));
    let lld = words(&["-Clinker=rust-lld", "-Clinker-flavor=ld.lld", "-Clink-arg=--no-rosegment"]);
    let mut linkers = vec![driver, lld];
    if target != host && linker().is_none() {
        linkers.remove(0);
    }
    let has_kernel = rustc("spawner/program/kernel.rs", &kernel, &words(&["--crate-name=libc", "--crate-type=rlib"]));
    for (name, source, without) in PROGRAMS {
        let (program, named) = (out.join(name), words(&[&format!("--crate-name={name}")]));
        let link = |linker: &Vec<String>| rustc(source, &program, &[&options[..], &named, linker].concat());
        let built = has_kernel.clone().and_then(|()| {
            let failed = Err(String::new());
            linkers.iter().fold(failed, |made, linker| made.or_else(|before| link(linker).map_err(|error| before + &error)))
        });
        if let Err(error) = built {
            let why = error.lines().find(|line| line.starts_with("error")).unwrap_or("rustc failed");
            println!("cargo:warning=no program \"{name}\" for {target}, so {without} will be unsupported: {why}");
            fs::write(program, b"").expect("write to OUT_DIR");
        }
    }
}

/// The linker that cargo or the flags of the build name.
fn linker() -> Option<String> {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let mut named = flags.split('\u{1f}').filter_map(|flag| flag.strip_prefix("-C").unwrap_or(flag).strip_prefix("linker="));
    env::var("RUSTC_LINKER").ok().or_else(|| named.next_back().map(str::to_owned))
}
