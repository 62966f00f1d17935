//! Whether an order needs the word of a second person, and has it.

/// Whether the API server sees to it that requests tell the truth about who asked and who approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// It refuses what is forged.
    Enforced,
    /// It would take what is forged, or it cannot be told.
    Missing {
        /// What was found, for people.
        why: String,
    },
}

/// What a release's wish for a second person comes to, for one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Approval {
    /// Nobody is waited for.
    NotNeeded,
    /// The word of somebody other than who asked is waited for.
    #[default]
    Awaited,
    /// Somebody other than who asked has approved.
    Given {
        /// Who.
        by: String,
    },
    /// Whatever the request says, it proves nothing.
    Unenforced {
        /// Why, for people.
        why: String,
    },
}

impl Approval {
    /// What it comes to for an order of a release that wants a second person: `asked` and `approved` are what the
    /// request says of itself, which counts for as much as the API server sees to it.
    pub fn of(enforcement: &Enforcement, asked: &str, approved: Option<&str>) -> Self {
        if let Enforcement::Missing { why } = enforcement {
            return Self::Unenforced { why: why.clone() };
        }
        if asked.is_empty() {
            return Self::Unenforced {
                why: "the request does not say who asked".to_owned(),
            };
        }
        match approved.filter(|by| !by.is_empty()) {
            None => Self::Awaited,
            // The policies do not let it come to this.
            Some(by) if by == asked => Self::Unenforced {
                why: format!("{by} both asked and approved"),
            },
            Some(by) => Self::Given { by: by.to_owned() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enforced(asked: &str, approved: Option<&str>) -> Approval {
        Approval::of(&Enforcement::Enforced, asked, approved)
    }

    #[test]
    fn the_word_of_another_is_waited_for_and_counts() {
        assert_eq!(enforced("jane", None), Approval::Awaited);
        assert_eq!(enforced("jane", Some("")), Approval::Awaited);
        let given = Approval::Given { by: "bob".into() };
        assert_eq!(enforced("jane", Some("bob")), given);
    }

    #[test]
    fn nobody_approves_what_he_asked_for_and_nobody_asks_without_a_name() {
        for (asked, approved) in [("jane", Some("jane")), ("", Some("bob")), ("", None)] {
            let ruled = enforced(asked, approved);
            assert!(matches!(ruled, Approval::Unenforced { .. }), "{ruled:?}");
        }
    }

    #[test]
    fn where_nothing_is_enforced_no_word_counts() {
        let missing = Enforcement::Missing {
            why: "no policy".into(),
        };
        for approved in [None, Some("bob")] {
            let why = "no policy".to_owned();
            let ruled = Approval::of(&missing, "jane", approved);
            assert_eq!(ruled, Approval::Unenforced { why });
        }
    }
}
