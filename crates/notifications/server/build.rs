//! Rebuilds the crate when the page was rebuilt. The macro that embeds the page does not watch its
//! folder.

fn main() {
    println!("cargo::rerun-if-changed=page");
}
