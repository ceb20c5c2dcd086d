//! What a run must survive: kills, damage, full and read-only disks, too little memory, others who want
//! its folder, and output that nobody reads. Each part runs the program as a user would and compares what
//! it leaves to the bit.

pub mod chance;
pub mod damage;
pub mod disk;
pub mod folders;
pub mod kills;
pub mod lies;
pub mod limits;
pub mod program;
pub mod races;
pub mod streams;
