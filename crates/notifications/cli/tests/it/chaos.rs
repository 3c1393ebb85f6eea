use std::collections::BTreeMap;
use std::time::Duration;

use crate::server::{Server, push};
use crate::tail_process::tail;

#[test]
fn every_acknowledged_id_is_tailed_once_even_if_the_server_is_killed() {
    let mut server = Server::start();
    let mut adas = tail(&server.url, "ada", &server.token("ada", &[]), &["--json"]);
    adas.until_live();
    let url = server.url.clone();
    let pusher = std::thread::spawn(move || {
        let mut acknowledged = Vec::new();
        for number in 0..30 {
            let id = format!("n{number}");
            while push(&url, &["--to", "ada", "--id", &id, "c"]).code != 0 {
                std::thread::sleep(Duration::from_millis(20));
            }
            acknowledged.push(id);
        }
        acknowledged
    });
    for after in ["n5", "n15"] {
        adas.until_json(|line| line["notification"]["id"] == after);
        server.kill_and_restart();
    }
    let acknowledged = pusher.join().unwrap();
    adas.until_json(|line| line["notification"]["id"] == "n29");

    let added = adas.all("added");
    let mut times = BTreeMap::new();
    for line in &added {
        *times.entry(line["notification"]["id"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    assert_eq!(times.len(), acknowledged.len());
    assert!(acknowledged.iter().all(|id| times.get(id) == Some(&1)), "{times:?}");
    let seqs: Vec<u64> = added.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=30).collect::<Vec<_>>());
    assert_eq!(adas.all("snapshot").len(), 1, "no reset");
}
