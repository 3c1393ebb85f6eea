#![doc = include_str!("../README.md")]

mod file_name;
mod file_storage;
mod frame;
mod lock;
mod private;
mod record_file;

pub use file_storage::FileStorage;
