//! What rollout decisions promise: told as stories in a cluster that lives in memory, looked for exhaustively in small
//! worlds, and at random in larger ones.

#[cfg(test)]
mod act;
#[cfg(test)]
mod adoption;
#[cfg(test)]
mod approval;
#[cfg(test)]
mod ask;
#[cfg(test)]
mod atomicity;
#[cfg(test)]
mod blocks;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod deed;
#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod drive;
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod explore;
#[cfg(test)]
mod fingerprint;
#[cfg(test)]
mod found;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod generator;
#[cfg(test)]
mod healing;
#[cfg(test)]
mod judging;
#[cfg(test)]
mod knob;
#[cfg(test)]
mod onlooker;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod overtaking;
#[cfg(test)]
mod people;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod quiet;
#[cfg(test)]
mod removal;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod seen;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod teller;
