use crate::support::inbox::Inbox;
use crate::support::server::Server;
use crate::support::view::View;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const WRITERS: usize = 4;
const PUSHES: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn changes_read_in_pages_of_seven_are_contiguous_and_complete_while_writers_continue() {
    let server = Server::start().await;
    let writing = Arc::new(AtomicUsize::new(WRITERS));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (shop, ada, writing) = (server.backend(), server.user("ada"), writing.clone());
            tokio::spawn(async move {
                write(writer, shop, ada).await;
                writing.fetch_sub(1, Ordering::SeqCst);
            })
        })
        .collect();

    let (mut ada, mut view) = (server.user("ada"), View { tag: Value::Null, ..View::default() });
    let (mut pages, mut while_writing) = (0, 0);
    loop {
        let last = writing.load(Ordering::SeqCst) == 0;
        let tag = view.tag.as_str().map_or_else(String::new, |tag| format!("&tag={tag}"));
        let path = format!("/v1/inbox/changes?after={}&limit=7{tag}", view.seq);
        let page = ada.get(&path).await.with(200);
        assert_eq!(page["kind"], "changes", "{page}");
        let changes = page["changes"].as_array().unwrap();
        let more = page["more"].as_bool().unwrap();
        assert!(changes.len() <= 7 && (changes.len() == 7 || !more), "{} of 7, more: {more}", changes.len());
        for change in changes {
            view.apply_change(change["kind"].as_str().unwrap(), change);
        }
        pages += usize::from(!changes.is_empty());
        while_writing += usize::from(!last && !changes.is_empty());
        if last && !more {
            break;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }

    let inbox = Inbox::read(&mut ada).await;
    inbox.assert_equals(&view);
    assert_eq!(view.added.len(), WRITERS * PUSHES);
    view.assert_added_once(
        &(0..WRITERS)
            .flat_map(|writer| (0..PUSHES).map(move |number| id(writer, number)))
            .collect::<Vec<_>>(),
    );
    assert!(pages > WRITERS * PUSHES / 7 && while_writing > 10, "{while_writing} of {pages} pages");
}

fn id(writer: usize, number: usize) -> String {
    format!("{writer}-{number}")
}

/// Makes changes of every kind.
async fn write(writer: usize, mut shop: black_box_support::Caller, mut ada: black_box_support::Caller) {
    for number in 0..PUSHES {
        let own = id(writer, number);
        assert!(shop.push(&["ada", "bob"], &json!({"id": own, "content": "c"})).await.unwrap());
        match number % 10 {
            2 => drop(ada.post("/v1/inbox/opened", &json!({"ids": [own]})).await.with(200)),
            4 => drop(
                ada.post("/v1/inbox/unopened", &json!({"ids": [id(writer, number - 2)]})).await.with(200),
            ),
            6 => drop(ada.delete(&format!("/v1/inbox/notifications/{own}")).await.with(200)),
            8 => drop(ada.post("/v1/inbox/opened", &json!({"all": true})).await.with(200)),
            _ => {}
        }
    }
}
