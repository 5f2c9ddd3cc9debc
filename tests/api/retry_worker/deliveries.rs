//! A message may come often, late and in any order.

use futures_util::future::join_all;
use uuid::Uuid;

use super::neighbour::Neighbour;
use super::{Command, Desk, assert_acknowledged, row};

#[tokio::test]
async fn a_command_ends_in_one_call_with_what_the_neighbour_asks_for() {
    let neighbour = Neighbour::answering(200).await;
    let desk = Desk::new(&neighbour).await;
    let batch = desk.command_of("retry_batch").await;
    let anchor = desk.command_of("retry_anchor").await;

    assert_acknowledged(&desk.push(&batch).await);
    assert_acknowledged(&desk.push(&anchor).await);

    let lines: Vec<_> = neighbour.calls().into_iter().map(|call| call.line).collect();
    let expected = [
        format!("POST /v1/batches/{}/retry", batch.target_id),
        format!("POST /anchor/{}/retry", anchor.target_id),
    ];
    assert_eq!(lines, expected);
    assert_eq!(desk.row(&batch).await, row("succeeded", 1, None));
    assert_eq!(desk.row(&anchor).await, row("succeeded", 1, None));
}

#[tokio::test]
async fn the_same_push_ten_times_is_one_effect() {
    let neighbour = Neighbour::answering(200).await;
    let desk = Desk::new(&neighbour).await;
    let command = desk.command().await;

    for _ in 0..10 {
        assert_acknowledged(&desk.push(&command).await);
    }

    assert_eq!(neighbour.calls().len(), 1);
    assert_eq!(desk.row(&command).await, row("succeeded", 1, None));
}

#[tokio::test]
async fn the_same_push_ten_times_at_once_is_one_effect() {
    let neighbour = Neighbour::answering(200).await;
    let desk = Desk::with(&neighbour, &[("DB_POOL_SIZE_MAX", "10")]).await;
    let command = desk.command().await;

    let replies = join_all((0..10).map(|_| desk.push(&command))).await;

    // The others come again, and find it done.
    assert!(replies.iter().any(|reply| reply.status == 204));
    assert!(replies.iter().all(|reply| [204, 503].contains(&reply.status.as_u16())));
    assert_acknowledged(&desk.push(&command).await);
    assert_eq!(neighbour.calls().len(), 1);
    assert_eq!(desk.row(&command).await, row("succeeded", 1, None));
}

#[tokio::test]
async fn in_any_order_each_command_is_one_effect() {
    let neighbour = Neighbour::answering(200).await;
    let desk = Desk::new(&neighbour).await;
    let mut commands = vec![];
    for number in 0..4 {
        let kind = if number % 2 == 0 { "retry_batch" } else { "retry_anchor" };
        commands.push(desk.command_of(kind).await);
    }

    for number in [3, 1, 3, 0, 2, 1, 0, 3, 2, 2] {
        assert_acknowledged(&desk.push(&commands[number]).await);
    }

    assert_eq!(neighbour.calls().len(), 4);
    for command in &commands {
        assert_eq!(desk.row(command).await, row("succeeded", 1, None));
    }
}

#[tokio::test]
async fn a_message_that_says_other_than_its_command_has_no_effect() {
    let neighbour = Neighbour::answering(200).await;
    let desk = Desk::new(&neighbour).await;
    let command = desk.command().await;
    let other = desk.command().await;

    for altered in [
        Command { id: Uuid::now_v7(), ..command },
        Command { target_id: Uuid::now_v7(), ..command },
        Command { target_id: other.target_id, ..command },
        Command { id: other.id, ..command },
        Command { kind: "retry_anchor", ..command },
    ] {
        assert_acknowledged(&desk.push(&altered).await);
        assert_acknowledged(&desk.worker.post("/push/dead-letter", altered.push()).await);
    }
    // On the route of the others.
    let elsewhere = desk.worker.post("/push/anchor-retry", command.push()).await;

    assert_acknowledged(&elsewhere);
    assert!(neighbour.calls().is_empty());
    for command in [command, other] {
        assert_eq!(desk.row(&command).await, row("published", 0, None));
    }
}

#[tokio::test]
async fn a_message_that_overtakes_the_note_of_its_publication_is_worked_on() {
    let neighbour = Neighbour::answering(200).await;
    let desk = Desk::new(&neighbour).await;
    let command = desk.command().await;
    sqlx::query("UPDATE admin_commands SET status = 'queued'").execute(desk.db()).await.unwrap();

    assert_acknowledged(&desk.push(&command).await);

    assert_eq!(desk.row(&command).await, row("succeeded", 1, None));
}

#[tokio::test]
async fn without_the_database_nothing_is_acknowledged_and_nobody_is_called() {
    let neighbour = Neighbour::answering(200).await;
    let desk = Desk::with(&neighbour, &[("DATABASE_URL", stack::local::NOWHERE)]).await;
    let command = desk.command().await;

    super::assert_not_acknowledged(&desk.push(&command).await);
    let dead = desk.worker.post("/push/dead-letter", command.push()).await;

    super::assert_not_acknowledged(&dead);
    assert!(neighbour.calls().is_empty());
    assert_eq!(desk.row(&command).await, row("published", 0, None));
}
