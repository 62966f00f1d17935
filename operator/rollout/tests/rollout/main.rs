//! What rollout decisions promise, told as stories in a cluster that lives in memory, and looked for
//! exhaustively in small ones.

#[cfg(test)]
mod act;
#[cfg(test)]
mod adoption;
#[cfg(test)]
mod approval;
#[cfg(test)]
mod atomicity;
#[cfg(test)]
mod blocks;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod crashes;
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
mod gate;
#[cfg(test)]
mod judging;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod overtaking;
#[cfg(test)]
mod removal;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod soak;
