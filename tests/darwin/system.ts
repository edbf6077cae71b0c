// A program of std alone that uses much of the system; it serves until it is told to stop.

/** Prints a line per subject, then serves TCP, a thread for each connection. */
export const SYSTEM_PROGRAM = `
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

fn files() -> std::io::Result<()> {
    let folder = std::env::temp_dir().join(format!("machorun-system-{}", std::process::id()));
    fs::create_dir_all(folder.join("a/b"))?;
    let path = folder.join("file");
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    println!("again {:?}", OpenOptions::new().write(true).create_new(true).open(&path).unwrap_err().kind());
    file.write_all(b"0123456789")?;
    file.write_all_at(b"xy", 3)?;
    file.seek(SeekFrom::Start(2))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    OpenOptions::new().append(true).open(&path)?.write_all(b"end")?;
    println!("text {text} {} {:o}", fs::read_to_string(&path)?, fs::metadata(&path)?.mode() & 0o170000);
    let time = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 5_000);
    file.set_times(FileTimes::new().set_modified(time).set_accessed(time))?;
    println!("time {}", fs::metadata(&path)?.modified()? == time);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640))?;
    println!("copied {} {:o}", fs::copy(&path, folder.join("copy"))?, fs::metadata(folder.join("copy"))?.mode() & 0o777);
    symlink("file", folder.join("link"))?;
    fs::hard_link(&path, folder.join("hard"))?;
    println!("links {} {:?} {}", fs::metadata(&path)?.nlink(), fs::read_link(folder.join("link"))?, fs::symlink_metadata(folder.join("link"))?.is_symlink());
    println!("canonical {}", fs::canonicalize(folder.join("a/b/../../link"))?.file_name().unwrap().display());
    fs::rename(&path, folder.join("a/moved"))?;
    let mut names: Vec<_> = fs::read_dir(&folder)?.map(|e| e.map(|e| (e.file_name(), e.file_type().unwrap().is_dir()))).collect::<Result<_, _>>()?;
    names.sort();
    println!("names {names:?}");
    let locked = File::open(folder.join("a/moved"))?;
    locked.lock()?;
    println!("locked {}", File::open(folder.join("a/moved"))?.try_lock().is_err());
    fs::remove_dir_all(&folder)?;
    println!("gone {:?}", fs::metadata(&folder).unwrap_err().kind());
    Ok(())
}

fn processes() -> std::io::Result<()> {
    let said = Command::new("sh").args(["-c", "cat; echo $WORD; pwd; exit 3"]).env("WORD", "word").current_dir("/")
        .stdin(Stdio::null()).output()?;
    println!("child {:?} {:?}", String::from_utf8_lossy(&said.stdout), said.status.code());
    let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().unwrap().write_all(b"through a pipe")?;
    println!("pipe {:?}", String::from_utf8_lossy(&child.wait_with_output()?.stdout));
    let mut child = Command::new("sleep").arg("100").spawn()?;
    println!("running {:?}", child.try_wait()?.is_none());
    child.kill()?;
    println!("killed by {:?}", child.wait()?.signal());
    let said = Command::new("sh").args(["-c", "kill -USR1 $$"]).status()?;
    println!("signal {:?}", said.signal());
    let own = Command::new(std::env::current_exe()?).arg("child").output()?;
    println!("own child {:?} {:?}", String::from_utf8_lossy(&own.stdout), own.status.code());
    println!("missing {:?}", Command::new("/no/such/program").spawn().unwrap_err().kind());
    println!("missing by name {:?}", Command::new("no-such-program").spawn().unwrap_err().kind());
    Ok(())
}

fn sockets() -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).or_else(|_| TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    let client = TcpStream::connect(address)?;
    let (server, peer) = listener.accept()?;
    println!("peer {}", peer == client.local_addr()? && server.local_addr()? == address);
    client.set_read_timeout(Some(Duration::from_millis(30)))?;
    client.set_nodelay(true)?;
    println!("options {} {} {}", client.read_timeout()?.is_some(), client.nodelay()?, client.ttl()? > 0);
    let timed = (&client).read(&mut [0]).unwrap_err().kind();
    client.set_nonblocking(true)?;
    println!("waits {timed:?} {:?} {:?}", (&client).read(&mut [0]).unwrap_err().kind(), client.take_error()?);
    drop(server);
    let closed = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    println!("refused {:?}", TcpStream::connect(closed).unwrap_err().kind());
    println!("in use {:?}", TcpListener::bind(address).unwrap_err().kind());
    println!("timeout {:?}", TcpStream::connect_timeout(&closed, Duration::from_secs(2)).unwrap_err().kind());
    let (one, two) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    one.send_to(b"datagram", two.local_addr()?)?;
    let mut buffer = [0; 20];
    let (size, from) = two.recv_from(&mut buffer)?;
    println!("udp {} {}", String::from_utf8_lossy(&buffer[..size]), from == one.local_addr()?);
    let path = std::env::temp_dir().join(format!("machorun-socket-{}", std::process::id()));
    let listener = UnixListener::bind(&path)?;
    let mut client = UnixStream::connect(&path)?;
    let (mut server, _) = listener.accept()?;
    client.write_all(b"unix")?;
    client.shutdown(std::net::Shutdown::Write)?;
    let mut text = String::new();
    server.read_to_string(&mut text)?;
    println!("unix {text} {}", listener.local_addr()?.as_pathname() == Some(&path));
    let broken = loop {
        drop(client.shutdown(std::net::Shutdown::Both));
        if let Err(error) = server.write_all(b"to nobody") {
            break error.kind();
        }
    };
    println!("broken {}", matches!(broken, ErrorKind::BrokenPipe));
    let (one, two) = UnixDatagram::pair()?;
    one.send(b"pair")?;
    let size = two.recv(&mut buffer)?;
    println!("pair {}", String::from_utf8_lossy(&buffer[..size]));
    fs::remove_file(path)
}

#[inline(never)]
fn overflow(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 100]);
    if depth == u64::MAX { 0 } else { overflow(depth + 1) + room[50] }
}

fn answer(stream: TcpStream) -> std::io::Result<bool> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    while reader.read_line(&mut line)? != 0 {
        match line.trim() {
            "stop" => return Ok(true),
            "overflow" => println!("{}", overflow(0)),
            word => writeln!(&stream, "{} {}", word.to_uppercase(), std::thread::current().name().unwrap_or("-"))?,
        }
        line.clear();
    }
    Ok(false)
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("child") {
        println!("a child of {}", std::env::current_exe().unwrap().file_name().unwrap().display());
        std::process::exit(7);
    }
    files().unwrap();
    processes().unwrap();
    sockets().unwrap();
    println!("processors {}", std::thread::available_parallelism().is_ok());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("port {}", listener.local_addr().unwrap().port());
    for (number, stream) in listener.incoming().enumerate() {
        let serve = move || if answer(stream.unwrap()).unwrap() { std::process::exit(0) };
        std::thread::Builder::new().name(format!("thread {number}")).spawn(serve).unwrap();
    }
}
`;

/** What it says before the port. */
export const SYSTEM_OUTPUT = [
  'again AlreadyExists',
  'text 2xy56789 012xy56789end 100000',
  'time true',
  'copied 13 640',
  'links 2 "file" true',
  'canonical file',
  'names [("a", true), ("copy", false), ("hard", false), ("link", false)]',
  'locked true',
  'gone NotFound',
  'child "word\\n/\\n" Some(3)',
  'pipe "through a pipe"',
  'running true',
  'killed by Some(9)',
  // SIGUSR1 as macOS numbers it.
  'signal Some(30)',
  'own child "a child of system\\n" Some(7)',
  'missing NotFound',
  'missing by name NotFound',
  'peer true',
  'options true true true',
  'waits WouldBlock WouldBlock None',
  'refused ConnectionRefused',
  'in use AddrInUse',
  'timeout ConnectionRefused',
  'udp datagram true',
  'unix unix true',
  'broken true',
  'pair pair',
  'processors true',
];
