//! The limits under which charts are fetched.

use std::path::PathBuf;
use std::time::Duration;

use crate::destinations::Destinations;

const MIB: u64 = 1024 * 1024;

/// Limits of a [`Fetcher`](crate::Fetcher). A repository is not trusted: each of its answers is bounded in time and
/// in size, and so is what is kept of them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Most bytes of an `index.yaml`, after content decoding. 64 MiB.
    pub index_bytes: u64,
    /// Most bytes of a package as it is transferred; how far it may unpack is the chart loader's limit. 64 MiB.
    pub package_bytes: u64,
    /// Time until a connection stands. 10 s.
    pub connect_time: Duration,
    /// Time without a single byte after which a transfer is given up. 20 s.
    pub stall_time: Duration,
    /// Time for one request as a whole, its body included. 2 min.
    pub request_time: Duration,
    /// Most redirects that one request follows. 5.
    pub redirects: usize,
    /// Transfers at the same time. 8.
    pub transfers: usize,
    /// Indexes kept in memory, least recently used first out. 128.
    pub repositories: usize,
    /// Bytes of packages kept in memory. 64 MiB.
    pub memory_bytes: u64,
    /// A folder that keeps packages over restarts; an `emptyDir` will do. `None`: memory only.
    pub cache_dir: Option<PathBuf>,
    /// Bytes of packages kept in [`cache_dir`](Self::cache_dir). 512 MiB, half of what `deploy/` has for it.
    pub cache_dir_bytes: u64,
    /// Which addresses may be asked. Those that a tenant may be trusted with.
    pub destinations: Destinations,
    /// Whether `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are obeyed. Yes.
    pub proxy_from_environment: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            index_bytes: 64 * MIB,
            package_bytes: 64 * MIB,
            connect_time: Duration::from_secs(10),
            stall_time: Duration::from_secs(20),
            request_time: Duration::from_mins(2),
            redirects: 5,
            transfers: 8,
            repositories: 128,
            memory_bytes: 64 * MIB,
            cache_dir: None,
            cache_dir_bytes: 512 * MIB,
            destinations: Destinations::default(),
            proxy_from_environment: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use belay_yaml::Value;

    use super::*;

    /// A pod is evicted when a folder of it outgrows its limit.
    #[test]
    fn the_cache_folder_is_smaller_than_what_deploy_has_for_it() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/deployment.yaml");
        let deployment = belay_yaml::parse_map(&std::fs::read(file).unwrap()).unwrap();
        let deployment = belay_yaml::to_serde(&Value::Map(deployment));
        let pod = &deployment["spec"]["template"]["spec"];
        let operator = &pod["containers"][0];
        let args = operator["args"].as_array().unwrap();
        let folder = args
            .iter()
            .find_map(|arg| arg.as_str()?.strip_prefix("--cache-dir="));
        let all = |list: &serde_json::Value| list.as_array().cloned().unwrap_or_default();
        let mounts = all(&operator["volumeMounts"]);
        let mount = mounts
            .iter()
            .find(|mount| mount["mountPath"] == folder.unwrap());
        let volumes = all(&pod["volumes"]);
        let volume = volumes
            .iter()
            .find(|volume| volume["name"] == mount.unwrap()["name"]);

        let room = volume.unwrap()["emptyDir"]["sizeLimit"].as_str().unwrap();

        let gib: u64 = room.strip_suffix("Gi").unwrap().parse().unwrap();
        assert!(2 * Settings::default().cache_dir_bytes <= gib * 1024 * MIB);
    }
}
