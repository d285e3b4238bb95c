//! States and their words.

use serde::{Deserialize, Serialize};

/// A text that is none of a type's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{found}`; known: {known}")]
pub struct UnknownWord {
    /// What the word should have been.
    pub what: &'static str,
    /// The text, shortened.
    pub found: String,
    /// All words.
    pub known: String,
}

/// Declares an enum whose every outward form is one word per variant.
macro_rules! words {
    ($(#[$meta:meta])* $type:ident, $what:literal { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $type {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $type {
            /// Every value, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = crate::state::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    let known: Vec<&str> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    crate::state::UnknownWord {
                        what: $what,
                        found: crate::suggest::quoted(text),
                        known: known.join(", "),
                    }
                })
            }
        }
    };
}
pub(super) use words;

words! {
    /// The state of a pair as a whole.
    PairState, "pair state" {
        /// Being made: from the first apply until the pair is first complete, or cannot be made.
        Initializing = "Initializing",
        /// One active and one standby, replicating as the manifest demands.
        Normal = "Normal",
        /// The active is lost; whether the standby may take over is being decided.
        ActiveDown = "ActiveDown",
        /// The active works alone; the standby is lost and not yet being remade.
        StandbyDown = "StandbyDown",
        /// One member is down, not said which. Kept for the reference's list; no pair of ours enters it.
        OneDown = "OneDown",
        /// Neither member works.
        BothDown = "BothDown",
        /// A member is taking the active's place, or going on without its standby.
        ActiveTakeover = "ActiveTakeover",
        /// The standby is being started, rewound or copied anew.
        StandbyStarting = "StandbyStarting",
        /// The standby receives, and is still behind.
        StandbyCatchup = "StandbyCatchup",
        /// Both were lost; the member that has every acknowledged commit is awaited.
        WaitingForActive = "WaitingForActive",
        /// Both were lost; the chosen member is being made active.
        ConfiguringActive = "ConfiguringActive",
        /// A person asked for another look at members that were worked on by hand.
        Reexamine = "Reexamine",
        /// Nothing more is done until a person decides; `reexamine` leaves this state.
        ManualInterventionRequired = "ManualInterventionRequired",
        /// The pair could not be made. It stays so until it is removed.
        Failed = "Failed",
    }
}

words! {
    /// The state of one member.
    MemberState, "member state" {
        /// It does what its role demands.
        Healthy = "Healthy",
        /// It does not.
        Down = "Down",
        /// It is well and says that its peer is not.
        OtherDown = "OtherDown",
        /// It could not be asked, or answered with something in between; not yet long enough to be `Down`.
        Unknown = "Unknown",
        /// Its data is gone; it must be made anew.
        Terminal = "Terminal",
        /// A standby that is still behind.
        CatchingUp = "CatchingUp",
        /// A step of an upgrade failed on it.
        UpgradeFailed = "UpgradeFailed",
        /// In `Reexamine`: found working as an active.
        HealthyActive = "HealthyActive",
        /// In `Reexamine`: found working as a standby.
        HealthyStandby = "HealthyStandby",
        /// In `Reexamine`: found up and not replicating.
        HealthyIdle = "HealthyIdle",
    }
}

words! {
    /// The role a member should have.
    IntendedState, "intended state" {
        /// It should take writes.
        Active = "Active",
        /// It should follow.
        Standby = "Standby",
        /// It belongs to no pair.
        Standalone = "Standalone",
    }
}

words! {
    /// What a member does in replication.
    RepState, "replication state" {
        /// Takes writes and sends them.
        Active = "ACTIVE",
        /// Receives.
        Standby = "STANDBY",
        /// Does neither.
        Idle = "IDLE",
        /// Replays what it had before it can do either.
        Recovering = "RECOVERING",
        /// Replication failed and will not go on by itself.
        Failed = "FAILED",
        /// Could not be asked.
        Unknown = "Unknown",
    }
}

words! {
    /// Whether replication is running: a sender on the active, a receiver on the standby.
    RepAgentState, "replication agent state" {
        /// It runs.
        Running = "Running",
        /// It does not.
        NotRunning = "Not Running",
        /// Could not be asked.
        Unknown = "Unknown",
    }
}

words! {
    /// Whether replication is configured.
    RepScheme, "replication scheme" {
        /// It is.
        Exists = "Exists",
        /// It is not.
        None = "None",
        /// Could not be asked.
        Unknown = "Unknown",
    }
}

words! {
    /// Whether a member's agent answers.
    AgentState, "agent state" {
        /// It answers.
        Up = "Up",
        /// It does not.
        Down = "Down",
        /// Not yet known.
        Unknown = "Unknown",
    }
}

words! {
    /// Whether a member's PostgreSQL server process runs ("Daemon" in events).
    ServerState, "server state" {
        /// It runs.
        Up = "Up",
        /// It does not.
        Down = "Down",
        /// Could not be asked.
        Unknown = "Unknown",
    }
}

words! {
    /// Whether a member's database can be connected to.
    DatabaseState, "database state" {
        /// There is none.
        None = "None",
        /// It is starting.
        Loading = "Loading",
        /// It accepts connections.
        Loaded = "Loaded",
        /// It is stopping.
        Unloading = "Unloading",
        /// It is stopped.
        Unloaded = "Unloaded",
        /// It is changing its role.
        Transitioning = "Transitioning",
        /// Could not be asked.
        Unknown = "Unknown",
    }
}

words! {
    /// Whether a member's database takes writes.
    Updatable, "updatable state" {
        /// It does.
        Yes = "Updatable",
        /// It does not.
        No = "Not Updatable",
        /// Could not be asked.
        Unknown = "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_has_the_fourteen_states_of_the_reference() {
        let words: Vec<&str> = PairState::ALL.iter().map(|state| state.as_str()).collect();
        assert_eq!(
            words.join(" "),
            "Initializing Normal ActiveDown StandbyDown OneDown BothDown ActiveTakeover StandbyStarting \
             StandbyCatchup WaitingForActive ConfiguringActive Reexamine ManualInterventionRequired Failed"
        );
    }

    #[test]
    fn words_read_back_as_text_and_as_json() {
        for state in PairState::ALL {
            assert_eq!(state.to_string().parse::<PairState>().as_ref(), Ok(state));
            assert_eq!(serde_json::to_string(state).unwrap(), format!("\"{state}\""));
        }
        for state in RepAgentState::ALL {
            let json = serde_json::to_string(state).unwrap();
            assert_eq!(serde_json::from_str::<RepAgentState>(&json).unwrap(), *state);
        }
        assert_eq!(RepAgentState::NotRunning.to_string(), "Not Running");
        assert!(
            "normal".parse::<PairState>().unwrap_err().to_string().contains("known: Initializing, Normal")
        );
    }
}
