//! Answers lines of JSON over TCP: each request names what is to be computed, by one crate or another.
use anyhow::{bail, Context, Result};
use base64::Engine;
use indexmap::IndexMap;
use itertools::Itertools;
use once_cell::sync::Lazy;
use parking_lot::{Mutex, RwLock};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

static DATE: Lazy<regex::Regex> = Lazy::new(|| regex::Regex::new(r"(\d{4})-(\d{2})-(\d{2})").unwrap());

#[derive(Deserialize)]
struct Request {
    what: String,
    #[serde(default)]
    text: String,
}

#[derive(Serialize)]
struct Answer {
    served: u64,
    answer: String,
}

#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("nothing is called {0}")]
    Unknown(String),
}

#[derive(Default)]
struct State {
    served: Mutex<u64>,
    counts: RwLock<IndexMap<String, u32>>,
}

fn with_threads(text: &str) -> u64 {
    let (sender, receiver) = crossbeam_channel::unbounded();
    std::thread::scope(|scope| {
        for chunk in text.as_bytes().chunks(3) {
            let sender = sender.clone();
            scope.spawn(move || sender.send(chunk.iter().map(|&b| u64::from(b)).sum::<u64>()).unwrap());
        }
    });
    drop(sender);
    receiver.iter().sum()
}

async fn compute(request: &Request, state: &State) -> Result<String> {
    *state.counts.write().entry(request.what.clone()).or_default() += 1;
    let text = &request.text;
    Ok(match request.what.as_str() {
        "hash" => hex::encode(Sha256::digest(text)),
        "base64" => base64::engine::general_purpose::STANDARD.encode(text),
        "dates" => DATE.replace_all(text, "$3.$2.$1").into_owned(),
        "words" => text.split(' ').sorted().dedup().join(","),
        "version" => semver::Version::parse(text).context("a version")?.major.to_string(),
        "parallel" => (0..text.len() as u64 * 1000).into_par_iter().map(|x| x % 7).sum::<u64>().to_string(),
        "threads" => with_threads(text).to_string(),
        "sleep" => {
            let start = tokio::time::Instant::now();
            tokio::time::sleep(Duration::from_millis(30)).await;
            (start.elapsed() >= Duration::from_millis(30)).to_string()
        }
        "process" => {
            let said = tokio::process::Command::new("/bin/echo").arg(text).output().await?;
            String::from_utf8(said.stdout)?.trim().to_string()
        }
        "udp" => {
            let (one, two) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
            one.send_to(text.as_bytes(), two.local_addr()?).await?;
            let mut buffer = vec![0; 1000];
            let (size, from) = two.recv_from(&mut buffer).await?;
            format!("{} {}", String::from_utf8_lossy(&buffer[..size]), from == one.local_addr()?)
        }
        "lookup" => {
            let found = tokio::net::lookup_host((text.as_str(), 80)).await?;
            found.filter(|each| each.is_ipv4()).map(|each| each.to_string()).sorted().dedup().join(",")
        }
        "refused" => {
            let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
            format!("{:?}", TcpStream::connect(("127.0.0.1", port)).await.unwrap_err().kind())
        }
        "file" => {
            let file = tempfile::NamedTempFile::new()?;
            std::fs::write(file.path(), text)?;
            std::fs::read_to_string(file.path())?
        }
        "panic" => {
            let task = tokio::spawn(async { panic!("asked for") });
            task.await.unwrap_err().is_panic().to_string()
        }
        "random" => (uuid::Uuid::new_v4() != uuid::Uuid::new_v4() && rand::random_range(0..3) < 3).to_string(),
        "processors" => (num_cpus::get() > 0).to_string(),
        "counts" => state.counts.read().iter().map(|(what, count)| format!("{what}:{count}")).join(" "),
        other => bail!(Refusal::Unknown(other.to_string())),
    })
}

async fn serve(stream: TcpStream, state: Arc<State>, stop: tokio::sync::mpsc::Sender<()>) -> Result<()> {
    stream.set_nodelay(true)?;
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await? {
        let request: Request = serde_json::from_str(&line)?;
        if request.what == "stop" {
            stop.send(()).await?;
            return Ok(());
        }
        let answer = compute(&request, &state).await.unwrap_or_else(|error| format!("error: {error:#}"));
        let served = {
            let mut served = state.served.lock();
            *served += 1;
            *served
        };
        let mut text = serde_json::to_string(&Answer { served, answer })?;
        text.push('\n');
        write.write_all(text.as_bytes()).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("port {}", listener.local_addr()?.port());
    let state = Arc::new(State::default());
    let (stop, mut stopped) = tokio::sync::mpsc::channel(1);
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                tokio::spawn(serve(accepted?.0, state.clone(), stop.clone()));
            }
            _ = stopped.recv() => break,
        }
    }
    println!("served {}", state.served.lock());
    Ok(())
}
