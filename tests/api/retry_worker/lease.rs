//! One delivery at a time works on a command, and the result of one that took too long is refused.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::neighbour::{Neighbour, answer};
use super::{Desk, Row, assert_acknowledged, assert_not_acknowledged, row};

/// A neighbour whose answer to the first call waits for the gate.
async fn slow_at_first(gate: &Arc<Semaphore>, first: u16, others: u16) -> Neighbour {
    let gate = Arc::clone(gate);
    Neighbour::start(move |call| {
        let gate = Arc::clone(&gate);
        async move {
            if call > 1 {
                return answer(others);
            }
            gate.acquire().await.unwrap().forget();
            answer(first)
        }
    })
    .await
}

#[tokio::test]
async fn while_one_delivery_works_another_has_to_come_again() {
    let gate = Arc::new(Semaphore::new(0));
    let neighbour = slow_at_first(&gate, 200, 200).await;
    let desk = Desk::new(&neighbour).await;
    let command = desk.command().await;

    let (first, ()) = tokio::join!(desk.push(&command), async {
        neighbour.called(1).await;
        let running = Row { held: true, ..row("running", 1, None) };
        assert_eq!(desk.row(&command).await, running);
        assert_not_acknowledged(&desk.push(&command).await);
        assert_eq!(desk.row(&command).await, running);
        gate.add_permits(1);
    });

    assert_acknowledged(&first);
    assert_eq!(neighbour.calls().len(), 1);
    assert_eq!(desk.row(&command).await, row("succeeded", 1, None));
}

#[tokio::test]
async fn a_late_result_is_refused() {
    for (late, in_time, status) in [(200, 404, "failed"), (500, 200, "succeeded")] {
        let gate = Arc::new(Semaphore::new(0));
        let neighbour = slow_at_first(&gate, late, in_time).await;
        let desk = Desk::new(&neighbour).await;
        let command = desk.command().await;

        let (first, settled) = tokio::join!(desk.push(&command), async {
            neighbour.called(1).await;
            desk.expire_lease(&command).await;
            assert_acknowledged(&desk.push(&command).await);
            let settled = desk.row(&command).await;
            gate.add_permits(1);
            settled
        });

        assert_not_acknowledged(&first);
        assert_eq!((&*settled.status, settled.attempts), (status, 2));
        assert_eq!(desk.row(&command).await, settled);
        // It comes again, as it was not acknowledged, and finds it done.
        assert_acknowledged(&desk.push(&command).await);
        assert_eq!(neighbour.calls().len(), 2);
    }
}

#[tokio::test]
async fn a_late_result_does_not_let_go_of_what_another_holds() {
    let gates = Arc::new([Semaphore::new(0), Semaphore::new(0)]);
    let at = Arc::clone(&gates);
    let neighbour = Neighbour::start(move |call| {
        let at = Arc::clone(&at);
        async move {
            at[call - 1].acquire().await.unwrap().forget();
            answer(if call == 1 { 500 } else { 200 })
        }
    })
    .await;
    let desk = Desk::new(&neighbour).await;
    let command = desk.command().await;

    let second = async {
        neighbour.called(1).await;
        desk.expire_lease(&command).await;
        desk.push(&command).await
    };
    let first = async {
        let reply = desk.push(&command).await;
        assert_not_acknowledged(&reply);
        assert_eq!(desk.row(&command).await, Row { held: true, ..row("running", 2, None) });
        gates[1].add_permits(1);
    };
    let open = async {
        neighbour.called(2).await;
        gates[0].add_permits(1);
    };
    let ((), second, ()) = tokio::join!(first, second, open);

    assert_acknowledged(&second);
    assert_eq!(desk.row(&command).await, row("succeeded", 2, None));
}

#[tokio::test]
async fn a_late_result_is_refused_also_while_nobody_else_is_at_it() {
    let gate = Arc::new(Semaphore::new(0));
    let neighbour = slow_at_first(&gate, 200, 400).await;
    let desk = Desk::new(&neighbour).await;
    let command = desk.command().await;

    let (reply, ()) = tokio::join!(desk.push(&command), async {
        neighbour.called(1).await;
        desk.expire_lease(&command).await;
        desk.set_batch(&command, "processing").await;
        gate.add_permits(1);
    });

    assert_not_acknowledged(&reply);
    assert_eq!(desk.row(&command).await.status, "running");
    // The next delivery finds that the first had its effect.
    assert_acknowledged(&desk.push(&command).await);
    assert_eq!(desk.row(&command).await, row("succeeded", 2, None));
}

#[tokio::test]
async fn what_a_dead_worker_held_is_taken_up_when_its_lease_is_over() {
    let neighbour = Neighbour::start(|call| async move {
        if call == 1 {
            std::future::pending::<()>().await;
        }
        answer(200)
    })
    .await;
    let desk = Desk::new(&neighbour).await;
    let command = desk.command().await;
    tokio::select! {
        _ = desk.push(&command) => panic!("it hangs"),
        () = neighbour.called(1) => {}
    }
    assert_not_acknowledged(&desk.push(&command).await);
    desk.expire_lease(&command).await;

    assert_acknowledged(&desk.push(&command).await);

    assert_eq!(desk.row(&command).await, row("succeeded", 2, None));
}
