//! Which addresses charts may be fetched from and a Prometheus be asked at: not those that belong to the operator's own machine or its cloud.

use std::error::Error as StdError;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::error::Error;
use crate::location::shown;

/// Which addresses may be asked. Checked for each address that is connected to: after DNS, and after each redirect.
/// Behind a proxy only addresses that are written as numbers are seen; the rest is the proxy's to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destinations {
    /// All of them: who names the source is who runs the program.
    Any,
    /// None that a tenant must not reach through the operator: loopback, link-local, multicast and unspecified
    /// addresses, and the services that clouds offer to their machines. Private networks are not among them, as
    /// repositories and registries live there.
    Guarded {
        /// Networks that are allowed all the same.
        besides: Vec<IpNet>,
    },
}

impl Default for Destinations {
    fn default() -> Self {
        Self::Guarded {
            besides: Vec::new(),
        }
    }
}

/// What clouds offer to their machines outside of link-local addresses: credentials and settings of the machine.
const CLOUD_V4: [Ipv4Addr; 3] = [
    // Alibaba Cloud
    Ipv4Addr::new(100, 100, 100, 200),
    // Azure
    Ipv4Addr::new(168, 63, 129, 16),
    // Oracle Cloud
    Ipv4Addr::new(192, 0, 0, 192),
];
const CLOUD_V6: [Ipv6Addr; 2] = [
    // Amazon
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254),
    // Google
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254),
];

impl Destinations {
    /// What is wrong with an address; nothing if it may be asked.
    fn refuses(&self, address: IpAddr) -> Option<&'static str> {
        let Self::Guarded { besides } = self else {
            return None;
        };
        if besides.iter().any(|network| network.contains(&address)) {
            return None;
        }
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => match embedded(address) {
                Some(inner) => self.refuses(IpAddr::V4(inner)),
                None => of_v6(address),
            },
        }
    }

    /// Refuses an address that is written as a number. Names are looked at when they are resolved.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Error> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        match self.refuses(address) {
            Some(why) => Err(Forbidden { address, why }.at(url)),
            None => Ok(()),
        }
    }
}

fn of_v4(address: Ipv4Addr) -> Option<&'static str> {
    if address.is_loopback() || address.octets()[0] == 0 {
        Some("which is the operator's own machine")
    } else if address.is_link_local() {
        Some("a link-local address, where clouds serve credentials of the machine")
    } else if CLOUD_V4.contains(&address) {
        Some("where a cloud serves credentials of the machine")
    } else if address.is_multicast() || address.is_broadcast() {
        Some("which is no single machine")
    } else {
        None
    }
}

fn of_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_loopback() || address.is_unspecified() {
        Some("which is the operator's own machine")
    } else if address.is_unicast_link_local() {
        Some("a link-local address, where clouds serve credentials of the machine")
    } else if CLOUD_V6.contains(&address) {
        Some("where a cloud serves credentials of the machine")
    } else if address.is_multicast() {
        Some("which is no single machine")
    } else {
        None
    }
}

/// The IPv4 address that an IPv6 one leads to: mapped and compatible ones, NAT64 (RFC 6052) and 6to4 (RFC 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let from = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(from(high, low))
        }
        [0x2002, high, low, ..] => Some(from(high, low)),
        _ => None,
    }
}

/// An address that is not asked.
#[derive(Debug)]
pub(crate) struct Forbidden {
    address: IpAddr,
    why: &'static str,
}

impl Forbidden {
    /// The refusal that made a request fail, if it was one.
    pub(crate) fn behind<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(forbidden) = error.downcast_ref() {
                return Some(forbidden);
            }
            cause = error.source();
        }
        None
    }

    /// The error for a request to this address.
    pub(crate) fn at(&self, url: &Url) -> Error {
        Error::ForbiddenAddress {
            url: shown(url),
            address: self.address,
            why: self.why,
        }
    }
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing is fetched from {}, {}", self.address, self.why)
    }
}

impl StdError for Forbidden {}

/// The system's DNS, with what must not be reached left out. What it gives is what is connected to, so that a name
/// cannot mean one address when it is checked and another one after that.
#[derive(Debug)]
pub(crate) struct GuardedDns(pub(crate) Destinations);

impl Resolve for GuardedDns {
    fn resolve(&self, name: Name) -> Resolving {
        let destinations = self.0.clone();
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let mut allowed = Vec::new();
            let mut refused = None;
            for socket in found {
                match destinations.refuses(socket.ip()) {
                    None => allowed.push(socket),
                    Some(why) => {
                        refused = Some(Forbidden {
                            address: socket.ip(),
                            why,
                        });
                    }
                }
            }
            match refused {
                Some(refused) if allowed.is_empty() => Err(refused.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn refused(address: &str) -> bool {
        Destinations::default()
            .refuses(address.parse().unwrap())
            .is_some()
    }

    #[rstest]
    #[case("127.0.0.1")]
    #[case("127.8.8.8")]
    #[case("0.0.0.0")]
    #[case("169.254.169.254")]
    #[case("100.100.100.200")]
    #[case("168.63.129.16")]
    #[case("224.0.0.1")]
    #[case("::1")]
    #[case("::")]
    #[case("fe80::1")]
    #[case("fd00:ec2::254")]
    #[case("ff02::1")]
    #[case("::ffff:169.254.169.254")]
    #[case("::169.254.169.254")]
    #[case("64:ff9b::a9fe:a9fe")]
    #[case("2002:a9fe:a9fe::1")]
    fn the_machine_and_its_cloud_are_not_reached(#[case] address: &str) {
        assert!(refused(address));
    }

    #[rstest]
    #[case("10.0.0.7")]
    #[case("192.168.1.1")]
    #[case("172.16.0.1")]
    #[case("100.64.0.1")]
    #[case("93.184.216.34")]
    #[case("fd12:3456::1")]
    #[case("2606:2800:220:1::1")]
    #[case("::ffff:10.0.0.7")]
    fn networks_of_people_are(#[case] address: &str) {
        assert!(!refused(address));
    }

    #[test]
    fn a_network_can_be_allowed() {
        let besides = vec!["127.0.0.0/8".parse().unwrap()];
        let allowing = Destinations::Guarded { besides };

        assert_eq!(allowing.refuses("127.0.0.1".parse().unwrap()), None);
        assert_eq!(allowing.refuses("::ffff:127.0.0.1".parse().unwrap()), None);
        assert!(allowing.refuses("::1".parse().unwrap()).is_some());
    }

    #[rstest]
    #[case("http://169.254.169.254/latest")]
    #[case("http://0x7f.1/")]
    #[case("http://2130706433/")]
    #[case("http://[::ffff:7f00:1]/")]
    fn an_address_is_known_however_it_is_written(#[case] url: &str) {
        let url = Url::parse(url).unwrap();

        let error = Destinations::default().check(&url).unwrap_err();

        assert!(
            error.to_string().contains("--allow-source-addresses"),
            "{error}"
        );
    }
}
