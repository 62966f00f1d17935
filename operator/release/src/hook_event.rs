use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookEvent {
    /// Before the objects of a first revision are made.
    PreInstall,
    /// After they are ready.
    PostInstall,
    /// Before an uninstall deletes objects.
    PreDelete,
    /// After it did.
    PostDelete,
    /// Before an upgrade changes objects.
    PreUpgrade,
    /// After they are ready.
    PostUpgrade,
    /// Before a rollback changes objects.
    PreRollback,
    /// After they are ready.
    PostRollback,
    /// When tests are asked for.
    Test,
}

impl HookEvent {
    /// All events, in the order of their declaration.
    pub const ALL: [Self; 9] = [
        Self::PreInstall,
        Self::PostInstall,
        Self::PreDelete,
        Self::PostDelete,
        Self::PreUpgrade,
        Self::PostUpgrade,
        Self::PreRollback,
        Self::PostRollback,
        Self::Test,
    ];

    /// Helm's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PreInstall => "pre-install",
            Self::PostInstall => "post-install",
            Self::PreDelete => "pre-delete",
            Self::PostDelete => "post-delete",
            Self::PreUpgrade => "pre-upgrade",
            Self::PostUpgrade => "post-upgrade",
            Self::PreRollback => "pre-rollback",
            Self::PostRollback => "post-rollback",
            Self::Test => "test",
        }
    }

    /// The event of a name, `test-success` of Helm 2 included; `None` for names that Helm does not know.
    pub fn parse(name: &str) -> Option<Self> {
        if name == "test-success" {
            return Some(Self::Test);
        }
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }
}

impl fmt::Display for HookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for HookEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for HookEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name)
            .ok_or_else(|| serde::de::Error::custom(format!("`{name}` is not a hook event")))
    }
}
