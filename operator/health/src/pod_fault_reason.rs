//! The names of what can be wrong with a pod.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::class::UnknownName;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What is wrong with a pod. Names are stable, and the kubelet's own where it has one; they
        /// are what `failFast.ignore` lists.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum PodFaultReason {
            $($(#[$doc])* $name,)*
        }

        impl PodFaultReason {
            /// All reasons, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

reasons! {
    /// The image's name cannot be parsed.
    InvalidImageName,
    /// The image is not on the node and must not be pulled.
    ErrImageNeverPull,
    /// The registry says that there is no such image, tag or platform.
    ImageNotFound,
    /// The registry does not let us have the image.
    ImagePullDenied,
    /// The registry could not be reached, is overloaded or in trouble.
    RegistryUnavailable,
    /// The image cannot be pulled for a reason that does not tell more.
    ImagePullBackOff,
    /// The image's signature does not satisfy the node's policy.
    SignatureValidationFailed,
    /// A ConfigMap, Secret or key that the container needs does not exist.
    MissingConfig,
    /// The container's configuration contradicts itself or the image.
    CreateContainerConfigError,
    /// The runtime could not create the container.
    CreateContainerError,
    /// The runtime could not start the container.
    RunContainerError,
    /// The container ends again and again.
    CrashLoopBackOff,
    /// The container was killed because it used more memory than allowed.
    OOMKilled,
    /// The container ended with an error and is about to be started again.
    ContainerExited,
    /// No node takes the pod.
    Unschedulable,
    /// The node's resources ran out, or the pod made way for another.
    Evicted,
    /// The node did not take the pod that was assigned to it, or is going away.
    NodeRejected,
    /// The pod ended with an error and will not be started again.
    PodFailed,
}

impl fmt::Display for PodFaultReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PodFaultReason {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.as_str() == name)
            .ok_or_else(|| UnknownName {
                what: "pod fault",
                name: name.to_owned(),
                known: Self::ALL
                    .iter()
                    .map(|reason| reason.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_read_back_from_its_own_name_and_serialised_by_it() {
        for reason in PodFaultReason::ALL.iter().copied() {
            assert_eq!(reason.as_str().parse(), Ok(reason));
            assert_eq!(
                serde_json::to_value(reason).unwrap(),
                serde_json::Value::from(reason.as_str())
            );
        }
    }

    #[test]
    fn a_misspelt_reason_is_refused_with_the_names_that_exist() {
        let error = "OOMKiled"
            .parse::<PodFaultReason>()
            .unwrap_err()
            .to_string();
        assert!(error.contains("OOMKilled"), "{error}");
    }
}
