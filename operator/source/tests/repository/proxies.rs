//! Proxies that the environment names, in a process of its own, as the environment is one for all tests.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};

use belay_source::{Credentials, Destinations, HttpRepository, Kind, Secret, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::access::tls_server;
use super::asking::{NOW, fetch, fetcher_with, publish, repository, settings};
use super::server::Server;

/// Runs the test that is named so with these variables and no others that name proxies.
fn with_environment(test: &str, variables: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.envs(variables.iter().copied());
    let output = command.output().unwrap();

    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("1 passed"), "{told}");
}

#[test]
fn the_proxy_that_the_environment_names_is_asked_and_no_proxy_goes_past_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // A proxy for plain HTTP is a server that is asked for whole addresses.
    let proxy = runtime.block_on(Server::start());
    publish(&proxy, &["1.0.0"]);
    let address = format!("http://{}", proxy.address());

    with_environment("proxies::behind_one", &[("http_proxy", &address)]);
    let asked = proxy.seen_all();
    assert!(
        asked.contains(&"http://charts.example/index.yaml".to_owned()),
        "{asked:?}"
    );

    let past = [("http_proxy", address.as_str()), ("no_proxy", "127.0.0.1")];
    with_environment("proxies::past_it", &past);
    assert_eq!(proxy.seen_all().len(), asked.len());
}

/// Where the authority's certificate is, for the test that runs in a process of its own.
const AUTHORITY: &str = "BELAY_TEST_AUTHORITY";

/// A proxy that joins whoever asks with one server, and what it was asked.
async fn tunnel(to: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let noted = Arc::clone(&noted);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                noted.lock().unwrap().push(String::from_utf8(head).unwrap());
                client
                    .write_all(b"HTTP/1.1 200 Joined\r\n\r\n")
                    .await
                    .unwrap();
                let mut server = TcpStream::connect(to).await.unwrap();
                // Ends when either side leaves.
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    (address, asked)
}

#[test]
fn a_repository_over_tls_is_reached_through_the_proxy_which_learns_no_password() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, authority) = runtime.block_on(tls_server("charts.example"));
    publish(&server, &["1.0.0"]);
    let (proxy, asked) = runtime.block_on(tunnel(server.address()));

    let proxy = format!("http://{proxy}");
    let variables = [("https_proxy", proxy.as_str()), (AUTHORITY, &authority)];
    with_environment("proxies::through_a_tunnel", &variables);

    let asked = asked.lock().unwrap();
    assert!(!asked.is_empty());
    for head in &*asked {
        assert!(head.starts_with("CONNECT charts.example:443 "), "{head}");
        assert!(!head.to_lowercase().contains("authorization"), "{head}");
    }
    let index = &server.seen("/index.yaml")[0];
    assert_eq!(index.header("authorization"), Some("Bearer t0ken"));
}

#[tokio::test]
#[ignore = "runs with an environment of its own, made by the test above"]
async fn through_a_tunnel() {
    let wanted = HttpRepository {
        url: "https://charts.example".into(),
        name: "web".into(),
        ca_bundle: Some(std::env::var(AUTHORITY).unwrap()),
        credentials: Some(Credentials::Bearer(Secret::new("t0ken"))),
        ..HttpRepository::default()
    };

    fetch(&fetcher_with(&obeying()), &wanted, NOW)
        .await
        .unwrap();
}

fn obeying() -> Settings {
    Settings {
        proxy_from_environment: true,
        ..settings()
    }
}

#[tokio::test]
#[ignore = "runs with an environment of its own, made by the test above"]
async fn behind_one() {
    let server = Server::start().await;
    let mut wanted = repository(&server);
    // A name that no DNS knows: only the proxy does.
    wanted.url = "http://charts.example".into();

    fetch(&fetcher_with(&obeying()), &wanted, NOW)
        .await
        .unwrap();
    // An address that is not for tenants is not asked through a proxy either.
    wanted.url = "http://169.254.169.254".into();
    let guarded = Settings {
        destinations: Destinations::default(),
        ..obeying()
    };
    let refused = fetch(&fetcher_with(&guarded), &wanted, NOW).await;
    assert_eq!(refused.unwrap_err().kind(), Kind::BadRequest);
}

#[tokio::test]
#[ignore = "runs with an environment of its own, made by the test above"]
async fn past_it() {
    let server = Server::start().await;
    publish(&server, &["1.0.0"]);

    fetch(&fetcher_with(&obeying()), &repository(&server), NOW)
        .await
        .unwrap();
}
