//! The Factory, as far as a retry goes: it obeys the same rules, counts who asked, and does badly
//! when it is told to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use sqlx::PgPool;
use tokio::net::TcpListener;
use uuid::Uuid;

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Works,
    /// Does the work, and is then never heard of again; asked once more, it answers.
    WorksAndHangsOnce,
    /// Does nothing, and says so.
    Fails,
    /// Does nothing, and says nothing.
    Hangs,
}

/// A Factory on loopback.
#[derive(Clone)]
pub struct Factory(Arc<Inner>);

struct Inner {
    db: PgPool,
    mood: Mutex<Mood>,
    /// What it does not treat like the rest.
    moods: Mutex<HashMap<Uuid, Mood>>,
    calls: Mutex<HashMap<Uuid, usize>>,
}

impl Factory {
    /// Starts one; with its port.
    pub async fn start(db: PgPool) -> (Self, u16) {
        let (moods, calls) = (Mutex::default(), Mutex::default());
        let factory = Self(Arc::new(Inner { db, mood: Mutex::new(Mood::Works), moods, calls }));
        let app = Router::new()
            .route("/health", get(async || StatusCode::OK))
            .route("/v1/batches/{id}/retry", post(retry))
            .with_state(factory.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, app).await });
        (factory, port)
    }

    pub fn is_in(&self, mood: Mood) {
        *self.0.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    /// The same, for one batch alone.
    pub fn is_for(&self, batch: Uuid, mood: Mood) {
        self.0.moods.lock().unwrap_or_else(PoisonError::into_inner).insert(batch, mood);
    }

    fn mood_for(&self, batch: Uuid) -> Mood {
        let moods = self.0.moods.lock().unwrap_or_else(PoisonError::into_inner);
        let usual = || *self.0.mood.lock().unwrap_or_else(PoisonError::into_inner);
        moods.get(&batch).copied().unwrap_or_else(usual)
    }

    /// How often it was asked to retry this batch.
    pub fn calls(&self, batch: Uuid) -> usize {
        let calls = self.0.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.get(&batch).copied().unwrap_or_default()
    }

    fn count(&self, batch: Uuid) -> usize {
        let mut calls = self.0.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = calls.entry(batch).or_default();
        *calls += 1;
        *calls
    }
}

async fn retry(State(factory): State<Factory>, Path(batch): Path<Uuid>) -> StatusCode {
    let mood = factory.mood_for(batch);
    let calls = factory.count(batch);
    match mood {
        Mood::Fails => return StatusCode::INTERNAL_SERVER_ERROR,
        Mood::Hangs => std::future::pending().await,
        Mood::Works | Mood::WorksAndHangsOnce => {}
    }
    let retried = "
        UPDATE batches SET status = 'processing'
        WHERE id = $1 AND status IN ('failed', 'anchor_failed')
    ";
    let retried = sqlx::query(retried).bind(batch).execute(&factory.0.db).await.unwrap();
    if mood == Mood::WorksAndHangsOnce && calls == 1 {
        std::future::pending::<()>().await;
    }
    if retried.rows_affected() == 1 { StatusCode::OK } else { StatusCode::BAD_REQUEST }
}
