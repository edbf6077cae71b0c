//! A small order service: axum on a multi-threaded tokio, JSON in and out, with an order desk behind it.
//!
//! `LISTEN` says where (default 127.0.0.1:8080). Try `curl localhost:8080/menu`, then edit something in
//! `src/routes.rs` or `src/desk/` and save.

mod desk;
mod routes;
mod state;

use std::net::SocketAddr;

use anyhow::Context;
use tracing::info;

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    runtime.block_on(serve())
}

async fn serve() -> anyhow::Result<()> {
    let address: SocketAddr = match std::env::var("LISTEN") {
        Ok(text) => text.parse().with_context(|| format!("LISTEN is not an address: {text}"))?,
        Err(_) => SocketAddr::from(([127, 0, 0, 1], 8080)),
    };
    let listener = tokio::net::TcpListener::bind(address).await.context("cannot listen")?;
    info!(pid = std::process::id(), "listening on {}", listener.local_addr()?);
    axum::serve(listener, routes::router(state::Shop::open())).await?;
    Ok(())
}
