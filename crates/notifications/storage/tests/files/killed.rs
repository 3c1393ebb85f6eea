//! A process that keeps records without a pause is killed at any moment.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::*;

const FOLDER: &str = "STORAGE_TEST_FOLDER";

/// Record `number`: its length and its bytes follow from the number.
fn record(number: u32) -> Vec<u8> {
    number.to_le_bytes().repeat(1 + (number as usize * 7_919) % 30_000)
}

fn number(record: &[u8]) -> u32 {
    let number = u32::from_le_bytes(record[..4].try_into().unwrap());
    assert!(record == self::record(number), "record {number} is not whole");
    number
}

/// Not a test, but the process that is killed: it goes on from the record that it finds, and prints
/// the number of each that it has kept.
#[tokio::test]
async fn a_process_that_keeps_records() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut stored = open(Path::new(&folder), "ada").await;
    let first = stored.load().await.unwrap().map_or(0, |record| number(&record));
    for next in first + 1.. {
        stored.keep(record(next)).await.unwrap();
        writeln!(std::io::stdout(), "kept {next}").unwrap();
    }
}

fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::a_process_that_keeps_records", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn a_record_that_was_kept_survives_a_kill() {
    let folder = TempDir::new().unwrap();
    let mut before = 0;
    for round in 0..20 {
        let mut child = start(folder.path());
        let output = BufReader::new(child.stdout.take().unwrap());
        let lines = output.lines().map_while(Result::ok);
        let mut kept = lines.filter_map(|line| line.strip_prefix("kept ")?.parse::<u32>().ok()).peekable();
        assert!(kept.peek().is_some(), "it has kept nothing");
        if round == 0 {
            let second = FileStorage::new(folder.path()).open(&key("ada")).await;
            assert_eq!(second.err().unwrap().kind(), ServiceErrorKind::InUse);
        }
        std::thread::sleep(Duration::from_micros(997 * round * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let told = kept.last().unwrap();
        let found = number(&load(folder.path()).await.unwrap());
        assert!(told > before && (found == told || found == told + 1), "{told} was kept, {found} is there");
        before = found;
    }
}
