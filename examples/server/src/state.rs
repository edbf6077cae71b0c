//! What lives as long as the service: the orders, the desk, a few things prepared at the start.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use indexmap::IndexMap;
use parking_lot::RwLock;
use regex::Regex;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use thiserror::Error;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::desk::Desk;

#[derive(Clone, Debug, Deserialize)]
pub struct NewOrder {
    pub guest: String,
    pub dishes: SmallVec<[String; 4]>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Order {
    pub id: Uuid,
    pub guest: String,
    pub dishes: SmallVec<[String; 4]>,
    pub number: u64,
}

#[derive(Debug, Error)]
pub enum OrderError {
    #[error("a guest's name has 1 to 40 letters, not {0:?}")]
    Guest(String),
    #[error("an order names at least one dish")]
    Empty,
}

static NUMBER: AtomicU64 = AtomicU64::new(0);

pub struct Shop {
    pub desk: Desk,
    /// Where requests wait until someone opens, and how many do.
    pub door: Notify,
    pub waiting: AtomicU64,
    orders: RwLock<IndexMap<Uuid, Order, ahash::RandomState>>,
    guest: Regex,
}

impl Shop {
    pub fn open() -> Arc<Shop> {
        Arc::new(Shop {
            desk: Desk::open(),
            door: Notify::new(),
            waiting: AtomicU64::new(0),
            orders: RwLock::default(),
            guest: Regex::new(r"^[\p{L} ]{1,40}$").expect("a valid expression"),
        })
    }

    pub fn place(&self, new: NewOrder) -> Result<Order, OrderError> {
        if !self.guest.is_match(&new.guest) {
            return Err(OrderError::Guest(new.guest));
        }
        if new.dishes.is_empty() {
            return Err(OrderError::Empty);
        }
        let number = NUMBER.fetch_add(1, Relaxed) + 1;
        let order = Order { id: Uuid::new_v4(), guest: new.guest, dishes: new.dishes, number };
        let mut orders = self.orders.write();
        orders.insert(order.id, order.clone());
        // The list is a window: a service that runs for days keeps the newest.
        while orders.len() > 500 {
            orders.shift_remove_index(0);
        }
        Ok(order)
    }

    pub fn order(&self, id: Uuid) -> Option<Order> {
        self.orders.read().get(&id).cloned()
    }

    pub fn placed(&self) -> u64 {
        NUMBER.load(Relaxed)
    }
}
