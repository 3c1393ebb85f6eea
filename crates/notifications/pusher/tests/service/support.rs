mod channel;
mod device;
mod server;

pub use channel::Network;
pub use device::{Device, ids, soon};
pub use server::{Fault, Seen, Server};
