//! The service's addresses and what answers at each.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use bytes::Bytes;
use futures::future::join_all;
use rand::Rng;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tower::ServiceBuilder;
use tower::limit::ConcurrencyLimitLayer;
use uuid::Uuid;

use crate::state::{NewOrder, Order, OrderError, Shop};

static SERVED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static SERVED_HERE: Cell<u64> = const { Cell::new(0) };
}

pub fn router(shop: Arc<Shop>) -> Router {
    Router::new()
        .route("/", get(welcome))
        .route("/health", get(health))
        .route("/ask/{question}", get(ask))
        .route("/menu", get(menu))
        .route("/orders", post(place_order))
        .route("/orders/{id}", get(show_order))
        .route("/lottery", get(lottery))
        .route("/wait", get(wait))
        .route("/waiting", get(waiting))
        .route("/open", get(open))
        .route("/bell", get(bell))
        .layer(ServiceBuilder::new().layer(ConcurrencyLimitLayer::new(64)))
        .with_state(shop)
}

// region welcome
async fn welcome() -> &'static str {
    "Welcome to the order desk.\n"
}
// endregion

#[derive(Serialize)]
struct Health {
    pid: u32,
    served: u64,
    served_by_this_thread: u64,
    orders: u64,
    now: String,
}

async fn health(State(shop): State<Arc<Shop>>) -> Json<Health> {
    let here = SERVED_HERE.with(|served| {
        served.set(served.get() + 1);
        served.get()
    });
    Json(Health {
        pid: std::process::id(),
        served: SERVED.fetch_add(1, Relaxed) + 1,
        served_by_this_thread: here,
        orders: shop.placed(),
        now: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
    })
}

/// Hands the question to the desk's own thread.
async fn ask(State(shop): State<Arc<Shop>>, Path(question): Path<String>) -> Response {
    let desk = shop.desk.clone();
    match tokio::task::spawn_blocking(move || desk.ask(&question)).await {
        Ok(Some(answer)) => answer.into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, "the desk does not know that\n").into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

// region dish
#[derive(Serialize)]
struct Dish {
    name: String,
    cents: u64,
}

fn dish(name: &str, cents: u64) -> serde_json::Value {
    serde_json::json!(Dish { name: name.to_string(), cents })
}
// endregion

async fn menu() -> Json<serde_json::Value> {
    let dishes = join_all([("tea", 250), ("soup", 480)].map(|(name, cents)| async move { dish(name, cents) })).await;
    Json(serde_json::Value::Array(dishes))
}

async fn place_order(State(shop): State<Arc<Shop>>, Json(new): Json<NewOrder>) -> Result<Json<Order>, OrderError> {
    let order = shop.place(new)?;
    tracing::debug!(number = order.number, guest = order.guest, "order placed");
    Ok(Json(order))
}

async fn show_order(State(shop): State<Arc<Shop>>, Path(id): Path<Uuid>) -> Result<Json<Order>, StatusCode> {
    shop.order(id).map(Json).ok_or(StatusCode::NOT_FOUND)
}

#[derive(Deserialize)]
struct Draw {
    seats: Option<u32>,
}

// region wait
/// Answers when the door opens.
async fn wait(State(shop): State<Arc<Shop>>) -> String {
    let door = shop.door.notified();
    shop.waiting.fetch_add(1, Relaxed);
    door.await;
    shop.waiting.fetch_sub(1, Relaxed);
    String::from("let in\n")
}
// endregion

async fn waiting(State(shop): State<Arc<Shop>>) -> String {
    shop.waiting.load(Relaxed).to_string()
}

/// Lets everyone in who waits.
async fn open(State(shop): State<Arc<Shop>>) -> &'static str {
    shop.door.notify_waiters();
    "open\n"
}

static RINGS: AtomicU64 = AtomicU64::new(0);

// region bell
/// Rings once; the log tells.
async fn bell() -> &'static str {
    let rings = RINGS.fetch_add(1, Relaxed) + 1;
    tracing::info!(rings, "the bell rings");
    "ding\n"
}
// endregion

/// A random seat, and a link to it that may be passed on.
async fn lottery(Query(draw): Query<Draw>) -> Result<Response, OrderError> {
    let seat = rand::rng().random_range(1..=draw.seats.unwrap_or(40).max(1));
    let token = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("seat {seat}"));
    let link =
        url::Url::parse("http://localhost/").and_then(|base| base.join(&token)).map_err(|_| OrderError::Empty)?;
    let body = Bytes::from(format!("{link}\n"));
    Ok(([(header::CONTENT_TYPE, "text/plain")], body).into_response())
}

impl IntoResponse for OrderError {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, self.to_string()).into_response()
    }
}
