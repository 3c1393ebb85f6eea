use crate::support::binary;
use crate::support::inbox::converge;
use crate::support::server::{Server, TIMEOUT};
use crate::support::tail::Tail;
use internal_notifications_outbox::{InternalNotification, Outbox, UserId};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::path::Path;
use std::time::Duration;

const INTENTS: i64 = 1_000;
const KILLS: i64 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_intents_of_an_app_survive_five_kills_and_are_each_pushed_once() {
    let mut server = Server::start().await;
    let mut tail = Tail::start("ada", &server.url());
    tail.live().await;
    let mut app = connect(&server.database()).await;
    let (outbox, ada) = (Outbox::new("orders").unwrap(), "ada".parse::<UserId>().unwrap());
    Outbox::create_table(&mut app).await.unwrap();
    for kill in 0..KILLS {
        let mut transaction = app.begin().await.unwrap();
        for number in 0..INTENTS / KILLS {
            let id = format!("order-{kill}-{number}").parse().unwrap();
            let notification = InternalNotification::new("c").with_id(id);
            outbox.push(&mut *transaction, std::slice::from_ref(&ada), &notification).await.unwrap();
        }
        transaction.commit().await.unwrap();
        // Kill the server while the relay is processing the intents.
        wait_for_pending(&mut app, |count| count < INTENTS / KILLS - 40).await;
        server.kill().await;
        server.restart().await;
    }
    wait_for_pending(&mut app, |count| count == 0).await;

    let inbox = converge(&mut tail, &mut server.user("ada")).await;
    assert_eq!(
        (inbox.ids().len(), inbox.seq),
        (1_000, 1_000),
        "each intent is one notification and one change"
    );
    let rows = inbox.rows.iter();
    assert!(rows.into_iter().all(|row| row["sender"] == "outbox:orders"));
    assert!(!server.output().contains("marked failed"), "{}", server.output());
    assert_eq!((tail.view().snapshots, tail.view().resets), (1, 0), "a kill lost history");
}

#[tokio::test]
async fn a_malformed_outbox_url_ends_the_server_with_code_2_and_an_error_that_names_the_variable() {
    let wrong = [("INTERNAL_NOTIFICATIONS_OUTBOX_URLS", "sqlite://app.db,mysql://root:sesame@db")];
    let output = binary::run(&["serve", "--listen", "127.0.0.1:0"], &wrong);
    let error = output.failed(2);
    assert!(error.contains("INTERNAL_NOTIFICATIONS_OUTBOX_URLS") && !error.contains("sesame"), "{error}");
}

async fn connect(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(TIMEOUT);
    options.connect().await.unwrap()
}

async fn wait_for_pending(app: &mut SqliteConnection, enough: impl Fn(i64) -> bool) {
    let waiting = async {
        let count = "SELECT count(*) FROM internal_notifications_intents";
        while !enough(sqlx::query_scalar(count).fetch_one(&mut *app).await.unwrap()) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, waiting).await.expect("intents are relayed in time");
}
