//! Embeds the page anew when it was built anew: the macro that embeds it does not watch its folder.

fn main() {
    println!("cargo::rerun-if-changed=page");
}
