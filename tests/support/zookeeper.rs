//! A real ZooKeeper, and what a test looks up and does in its tree.

use super::{eventually, tls};
use calculate::registry::Instance;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use zookeeper_client::{Acls, Client, CreateMode, Error, Stat};

/// A server that ends with the test's process.
pub struct ZooKeeper {
    pub address: String,
    /// Where it speaks TLS, if it does.
    pub secure: Option<String>,
    child: Child,
    /// Commands go in, answers come out.
    talk: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl ZooKeeper {
    pub fn start() -> ZooKeeper {
        ZooKeeper::of_nodes(1)
    }

    /// An ensemble.
    pub fn of_nodes(count: usize) -> ZooKeeper {
        ZooKeeper::launch(&["--nodes", &count.to_string()])
    }

    /// One that also speaks TLS, with a certificate that `make certs` made; `client_auth` is none, want or need.
    pub fn with_tls(certificate: &str, client_auth: &str) -> ZooKeeper {
        let (pem, key, ca) = (tls::pem(certificate), tls::key(certificate), tls::pem("ca"));
        let file = |path: &Path| path.to_str().expect("text").to_owned();
        let files = [file(&pem), file(&key), file(&ca)];
        let [pem, key, ca] = files.each_ref().map(String::as_str);
        let (certificate, auth) = (["--certificate", pem, "--key", key], ["--client-ca", ca, "--client-auth"]);
        ZooKeeper::launch(&[&certificate[..], &auth, &[client_auth]].concat())
    }

    fn launch(arguments: &[&str]) -> ZooKeeper {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zookeeper/start.sh");
        let mut child = Command::new(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/zookeeper/start.sh runs");
        let stdin = child.stdin.take().expect("a pipe");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut named = |prefix: &str| {
            let mut line = String::new();
            stdout.read_line(&mut line).expect("a line");
            line.trim_end().strip_prefix(prefix).expect("an address").to_owned()
        };
        let address = named("zookeeper on ");
        let secure = arguments.contains(&"--certificate").then(|| named("secure on "));
        ZooKeeper { address, secure, child, talk: Mutex::new((stdin, stdout)) }
    }

    /// One for all tests of a file: those that stop it have their own.
    pub fn shared() -> &'static ZooKeeper {
        static SHARED: OnceLock<ZooKeeper> = OnceLock::new();
        SHARED.get_or_init(ZooKeeper::start)
    }

    /// Gives a command, and its answer.
    pub fn tell(&self, command: &str) -> String {
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(talk.0, "{command}").expect("it listens");
        let mut answer = String::new();
        talk.1.read_line(&mut answer).expect("it answers");
        assert!(!answer.starts_with("error"), "{command}: {answer}");
        answer.trim_end().to_owned()
    }

    /// Ends a session at once, as if it had run out.
    pub fn expire(&self, session: i64) {
        assert_eq!(self.tell(&format!("expire 0x{session:x}")), "expired 1");
    }

    /// A folder in the tree that no other test has.
    pub fn tree(&self) -> Tree {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let base = format!("/test-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Tree { address: self.address.clone(), secure: self.secure.clone(), base }
    }
}

impl Drop for ZooKeeper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A base for services. Each look at it is a session of its own, as anybody's would be.
pub struct Tree {
    address: String,
    secure: Option<String>,
    pub base: String,
}

impl Tree {
    /// What `--register` is given.
    pub fn url(&self) -> String {
        format!("zk://{}{}", self.address, self.base)
    }

    /// What `--registry` is given.
    pub fn service(&self) -> String {
        format!("{}/calculate", self.url())
    }

    /// What `--register` is given where it is spoken to under TLS, of this host.
    pub fn secure_url(&self, host: &str) -> String {
        let (_, port) = self.secure.as_deref().and_then(|secure| secure.rsplit_once(':')).expect("it speaks TLS");
        format!("zk://{host}:{port}{}", self.base)
    }

    /// The ids of what is registered.
    pub fn ids(&self) -> Vec<String> {
        let path = format!("{}/calculate", self.base);
        let mut ids = self.ask(async |client| client.list_children(&path).await).unwrap_or_default();
        ids.sort();
        ids
    }

    /// A node below the base.
    pub fn get(&self, name: &str) -> Option<(Vec<u8>, Stat)> {
        let path = format!("{}/{name}", self.base);
        self.ask(async |client| client.get_data(&path).await).ok()
    }

    /// An instance as its node says it, and the node's stat.
    pub fn instance(&self, id: &str) -> Option<(Instance, Stat)> {
        let (content, stat) = self.get(&format!("calculate/{id}"))?;
        Some((Instance::parse(id, &content).expect("an instance"), stat))
    }

    /// The only instance there is, once it is there.
    pub fn registered(&self) -> (Instance, Stat) {
        let mut found = None;
        eventually("one instance is registered", || {
            let ids = self.ids();
            assert!(ids.len() <= 1, "{ids:?}");
            found = ids.first().and_then(|id| self.instance(id));
            found.is_some()
        });
        found.expect("it was there")
    }

    /// Creates a node below the base, and what is missing above it.
    pub fn create(&self, name: &str, content: &[u8], mode: CreateMode) {
        let path = format!("{}/{name}", self.base);
        let (above, _) = path.rsplit_once('/').expect("a path");
        let persistent = CreateMode::Persistent.with_acls(Acls::anyone_all());
        let created = self.ask(async |client| {
            client.mkdir(above, &persistent).await?;
            client.create(&path, content, &mode.with_acls(Acls::anyone_all())).await.map(drop)
        });
        created.expect("a new node");
    }

    pub fn set(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        let path = format!("{}/{name}", self.base);
        self.ask(async |client| client.set_data(&path, content, None).await.map(drop))
    }

    pub fn delete(&self, name: &str) -> Result<(), Error> {
        let path = format!("{}/{name}", self.base);
        self.ask(async |client| client.delete(&path, None).await)
    }

    fn ask<T>(&self, question: impl AsyncFnOnce(&Client) -> Result<T, Error>) -> Result<T, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let client = Client::connect(&self.address).await?;
            question(&client).await
        })
    }
}
