use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::command_runner::{command, run};
use crate::server::terminate;

#[test]
fn the_demo_runs_every_step_and_exits_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(&["demo", "--once"], &[("TMPDIR", folder.path().to_str().unwrap())]);
    ran.ok();
    for step in ["live", "offline", "opened"] {
        assert!(ran.stdout.contains(step), "{step}: {}", ran.stdout);
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "its files are removed");
}

#[test]
fn the_demo_keeps_serving_until_it_is_terminated() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = command(&["demo"], &[("TMPDIR", folder.path().to_str().unwrap())])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let serving = lines.by_ref().map(Result::unwrap).find(|line| line.contains("Ctrl-C"));
    assert!(serving.is_some());
    terminate(&demo);
    assert_eq!(demo.wait().unwrap().code(), Some(0));
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "its files are removed");
}

#[test]
fn a_demo_whose_output_is_closed_fails() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = command(&["demo", "--once"], &[("TMPDIR", folder.path().to_str().unwrap())]);
    let mut demo = demo.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(demo.stdout.take());
    assert_eq!(demo.wait().unwrap().code(), Some(1));
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "its files are removed");
}
