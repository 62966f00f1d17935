//! Links the program at a fixed address on Linux, as Go links helm and kubectl, and what unwinds panics into it.
//!
//! A program that may lie at any address has a hundred thousand pointers put right at each start, which takes longer
//! than to render a small chart. Stack, heap and libraries stay at addresses of chance. To find and map one library
//! takes a twentieth of the time that a small chart does.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bins=-no-pie");
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}
