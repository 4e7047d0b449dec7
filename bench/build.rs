//! Builds what is not Rust: the peers in C, libuv from the sources that crate `libuv-sys2` carries, GLib's row where
//! the system has it, and the programs that are spawned. What cannot be had is left out (cfg have_libuv,
//! have_glib); the harness then says so.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const LIBUV: &[&str] = &["libuv.c", "libuv_many.c"];

fn main() {
    for name in ["have_libuv", "have_glib"] {
        println!("cargo:rustc-check-cfg=cfg({name})");
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=c");
    watch_pkg_config();

    target_program("exit");
    target_program("init");
    target_program("pause");
    target_program("hold");
    application("preloaded_app");
    let peers = [
        "floor.c",
        "contained_floor.c",
        "handoff_floor.c",
        "libc_methods.c",
        "parts.c",
        "preloader_driver.c",
        "reap.c",
        "spawner_floor.c",
        "sweep.c",
    ];
    c_files("peers", &peers, &[]);

    libuv();
    if let Ok(glib) = pkg_config::Config::new().cargo_metadata(false).probe("glib-2.0") {
        c_files("peer_glib", &["glib.c"], &glib.include_paths);
        link(&glib);
        println!("cargo:rustc-cfg=have_glib");
    }

    let rustc = Command::new(env::var("RUSTC").unwrap()).arg("--version").output().unwrap();
    println!("cargo:rustc-env=RUSTC_VERSION={}", String::from_utf8_lossy(&rustc.stdout).trim());
}

fn c_files(name: &str, files: &[&str], include: &[PathBuf]) {
    cc::Build::new()
        .files(files.iter().map(|file| Path::new("c").join(file)))
        .includes(include)
        .opt_level(2) // like with like, also in a debug build of the harness
        .flag("-std=gnu11")
        .flag("-Wall")
        .flag("-Wextra")
        .compile(name);
}

/// A static program without a C library; its path reaches the harness as TARGET_EXIT and so on.
fn target_program(name: &str) {
    let out = PathBuf::from(env::var("OUT_DIR").unwrap()).join(format!("target-{name}"));
    let compiler = cc::Build::new().cargo_metadata(false).get_compiler();
    let done = Command::new(compiler.path())
        .args(["-nostdlib", "-static", "-no-pie", "-ffreestanding", "-s"])
        .args(["-Wl,--build-id=none", "-Wl,-z,noexecstack", "-Wl,-z,noseparate-code", "-o"])
        .arg(&out)
        .arg(format!("c/targets/{name}.c"))
        .status()
        .expect("a C compiler");
    assert!(done.success(), "c/targets/{name}.c does not compile");
    println!("cargo:rustc-env=TARGET_{}={}", name.to_uppercase(), out.display());
}

/// A program with the C library, which opens procsup by itself; its path reaches the harness as TARGET_PRELOADED_APP and so on.
fn application(name: &str) {
    let out = PathBuf::from(env::var("OUT_DIR").unwrap()).join(format!("target-{name}"));
    let compiler = cc::Build::new().cargo_metadata(false).get_compiler();
    let source = format!("c/targets/{name}.c");
    // Bound at once, as distributions build their programs: what the first call of each function takes in a copy is nobody's way to make one.
    let words = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Wl,-z,now", "-o"];
    let done = Command::new(compiler.path()).args(words).arg(&out).arg(&source).arg("-ldl").status();
    assert!(done.expect("a C compiler").success(), "{source} does not compile");
    println!("cargo:rustc-env=TARGET_{}={}", name.to_uppercase(), out.display());
}

/// libuv 1.53 from source, else the system's. The library is named after the archive that needs it: linkers read from
/// left to right.
fn libuv() {
    if let Some(root) = libuv_sources() {
        c_files("peer_libuv", LIBUV, &[root.join("include")]);
        build_libuv(&root);
    } else if let Ok(system) = pkg_config::Config::new().cargo_metadata(false).probe("libuv") {
        println!("cargo:warning=libuv 1.53 could not be had, the system's {} is measured", system.version);
        c_files("peer_libuv", LIBUV, &system.include_paths);
        link(&system);
    } else {
        return;
    }
    println!("cargo:rustc-cfg=have_libuv");
}

fn libuv_sources() -> Option<PathBuf> {
    let metadata = Command::new(env::var("CARGO").unwrap())
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()
        .ok()?;
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).ok()?;
    let package = metadata["packages"].as_array()?.iter().find(|package| package["name"] == "libuv-sys2")?;
    let root = Path::new(package["manifest_path"].as_str()?).parent()?.join("libuv");
    root.join("include/uv.h").exists().then_some(root)
}

fn build_libuv(root: &Path) {
    const COMMON: &str = "fs-poll idna inet random strscpy strtok thread-common threadpool timer uv-common \
                          uv-data-getter-setters version";
    const UNIX: &str = "async core dl fs getaddrinfo getnameinfo linux loop loop-watcher pipe poll process \
                        procfs-exepath proctitle random-devurandom random-getrandom random-sysctl-linux signal \
                        stream tcp thread tty udp";
    cc::Build::new()
        .files(COMMON.split_whitespace().map(|file| root.join(format!("src/{file}.c"))))
        .files(UNIX.split_whitespace().map(|file| root.join(format!("src/unix/{file}.c"))))
        .include(root.join("include"))
        .include(root.join("src"))
        .define("_GNU_SOURCE", None)
        .define("_FILE_OFFSET_BITS", "64")
        .define("_LARGEFILE_SOURCE", None)
        .opt_level(2)
        .flag("-fno-strict-aliasing")
        .warnings(false)
        .compile("uv_1_53");
}

fn link(library: &pkg_config::Library) {
    for path in &library.link_paths {
        println!("cargo:rustc-link-search=native={}", path.display());
    }
    for name in &library.libs {
        println!("cargo:rustc-link-lib={name}");
    }
}

/// Runs this script again when a development package comes or goes: cargo cannot know by itself that GLib was installed
/// since.
fn watch_pkg_config() {
    let Ok(path) = Command::new("pkg-config").args(["--variable", "pc_path", "pkg-config"]).output() else { return };
    for dir in String::from_utf8_lossy(&path.stdout).trim().split(':') {
        if Path::new(dir).is_dir() {
            println!("cargo:rerun-if-changed={dir}");
        }
    }
}
