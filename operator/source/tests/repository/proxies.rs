//! Proxies that the environment names, in a process of its own, as the environment is one for all tests.

use std::process::Command;

use belay_source::{Destinations, Kind, Settings};

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
