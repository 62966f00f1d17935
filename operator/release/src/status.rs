use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The nine statuses of a release revision, as Helm names them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Nothing is known; also what any name that Helm does not use is read as.
    #[default]
    Unknown,
    /// The revision that runs.
    Deployed,
    /// Uninstalled, its history kept.
    Uninstalled,
    /// Was deployed and has been followed by another.
    Superseded,
    /// Did not come up.
    Failed,
    /// Being uninstalled.
    Uninstalling,
    /// Being installed.
    PendingInstall,
    /// Being upgraded to.
    PendingUpgrade,
    /// Being rolled back to.
    PendingRollback,
}

impl Status {
    /// All statuses, in the order of their declaration.
    pub const ALL: [Self; 9] = [
        Self::Unknown,
        Self::Deployed,
        Self::Uninstalled,
        Self::Superseded,
        Self::Failed,
        Self::Uninstalling,
        Self::PendingInstall,
        Self::PendingUpgrade,
        Self::PendingRollback,
    ];

    /// Helm's name, as in records and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Deployed => "deployed",
            Self::Uninstalled => "uninstalled",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::Uninstalling => "uninstalling",
            Self::PendingInstall => "pending-install",
            Self::PendingUpgrade => "pending-upgrade",
            Self::PendingRollback => "pending-rollback",
        }
    }

    /// Whether Helm refuses to start another operation while the newest revision has this status.
    pub const fn is_pending(self) -> bool {
        matches!(
            self,
            Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback
        )
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Never fails: a name that Helm does not use is [`Status::Unknown`].
impl FromStr for Status {
    type Err = std::convert::Infallible;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(Self::ALL
            .into_iter()
            .find(|status| status.as_str() == name)
            .unwrap_or_default())
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self::ALL
            .into_iter()
            .find(|status| status.as_str() == name)
            .unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_read_back_from_helms_name() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            let written = serde_json::to_string(&status).unwrap();
            assert_eq!(serde_json::from_str::<Status>(&written).unwrap(), status);
        }
    }

    #[test]
    fn a_status_that_helm_does_not_use_stops_nothing() {
        assert_eq!("resting".parse(), Ok(Status::Unknown));
    }

    #[test]
    fn exactly_the_three_pending_statuses_are_pending() {
        for status in Status::ALL {
            assert_eq!(status.is_pending(), status.as_str().starts_with("pending-"));
        }
    }
}
